import { sizeConstant } from "../../ir/size.ts";
import { type Axis, hasAxis } from "../../ir/type.ts";
import { elementwise } from "./elementwise.ts";
import {
  asTensor,
  axisIndex,
  cast,
  ids,
  MAX_RANK,
  materialized,
  mergedAxis,
  needsFloat,
  reshaped,
  transposed,
} from "./layout.ts";
import { list, number, type TfFunction, variable } from "./program.ts";
import { wantedName } from "./rename.ts";
import { type Label, type Lowered, type LoweredTensor, temporary, type Writer } from "./scope.ts";
import { productOf, sizeExpression } from "./sizes.ts";

/**
 * Σ over axes of a·b as one matrix product; other shared axes are batch axes.
 * Transposes are calls of their own rather than flags of `matMul`, because the wasm backend multiplies transposed operands
 * an order of magnitude slower; a weight's is computed once, outside every loop.
 */
export function lowerContract(
  writer: Writer,
  left: Lowered,
  right: Lowered,
  over: readonly Axis[],
  order: readonly Axis[],
  label: Label | undefined,
): LoweredTensor {
  const [whole, other] = [asTensor(writer, left), asTensor(writer, right)];
  const a = sumAlone(writer, whole, other, over);
  const b = sumAlone(writer, other, whole, over);
  const contracted = over.filter((axis) => hasAxis(a, axis.id) && hasAxis(b, axis.id));
  const repeated = over.filter((axis) => !hasAxis(whole, axis.id) && !hasAxis(other, axis.id));
  return scaled(writer, multiply(writer, a, b, contracted, order, label), repeated, label);
}

/** A sum over axes that the summed value was constant along. */
export function scaled(
  writer: Writer,
  x: LoweredTensor,
  axes: readonly Axis[],
  label: Label | undefined,
): LoweredTensor {
  if (axes.length === 0) return x;
  const count: Lowered = { kind: "number", value: sizeExpression(productOf(axes)), dtype: x.dtype };
  return elementwise(writer, { from: "tf", name: "mul" }, [x, count], x.dtype, label);
}

/** Sums `a` over contracted axes that `b` lacks: Σ (a·b) = (Σ a)·b. */
function sumAlone(writer: Writer, a: LoweredTensor, b: LoweredTensor, over: readonly Axis[]): LoweredTensor {
  const alone = over.filter((axis) => hasAxis(a, axis.id) && !hasAxis(b, axis.id));
  return alone.length === 0 ? a : reduceAxes(writer, "sum", a, ids(alone), undefined);
}

export function reduceAxes(
  writer: Writer,
  name: TfFunction,
  x: LoweredTensor,
  axes: readonly string[],
  label: Label | undefined,
): LoweredTensor {
  const rest = x.axes.filter((axis) => !axes.includes(axis.id));
  const ready = innermost(writer, x, axes);
  if (ready.axes.length > MAX_RANK) return reduceMerged(writer, name, ready, rest, label);
  const indices = axes.map((id) => axisIndex(ready.axes, id)).sort((left, right) => left - right);
  const args =
    rest.length === 0
      ? [variable(ready.name)]
      : [variable(ready.name), indices.length === 1 ? number(indices[0] ?? 0) : list(indices.map(number))];
  return writer.tf(name, args, rest, x.dtype, label);
}

/** With these axes last, where a kernel would otherwise fail when it moves them there itself. */
export function innermost(writer: Writer, x: LoweredTensor, axes: readonly string[]): LoweredTensor {
  if (x.axes.length <= MAX_RANK && !needsFloat(x)) return x;
  const isInner = (axis: Axis): boolean => axes.includes(axis.id);
  return transposed(writer, x, [...x.axes.filter((axis) => !isInner(axis)), ...x.axes.filter(isInner)]);
}

/** Reduces all axes but the first ones as if they were one. */
function reduceMerged(
  writer: Writer,
  name: TfFunction,
  x: LoweredTensor,
  rest: readonly Axis[],
  label: Label | undefined,
): LoweredTensor {
  const groups = [rest, x.axes.slice(rest.length)].map(mergedAxis);
  const flat = reshaped(writer, x, groups);
  return reshaped(writer, reduceAxes(writer, name, flat, ids(groups.slice(1)), label), rest);
}

function multiply(
  writer: Writer,
  a: LoweredTensor,
  b: LoweredTensor,
  over: readonly Axis[],
  order: readonly Axis[],
  label: Label | undefined,
): LoweredTensor {
  const dtype = a.dtype === "float" || b.dtype === "float" ? "float" : a.dtype;
  const batch = a.axes.filter((axis) => hasAxis(b, axis.id) && !over.some((other) => other.id === axis.id));
  const free = (x: LoweredTensor, other: LoweredTensor): readonly Axis[] =>
    x.axes.filter((axis) => !hasAxis(other, axis.id));
  const rowsOfA = free(a, b);
  const rowsOfB = free(b, a);
  if (over.length === 0) return elementwise(writer, { from: "tf", name: "mul" }, [a, b], dtype, label);
  if (rowsOfA.length === 0 && rowsOfB.length === 0) {
    const product = elementwise(writer, { from: "tf", name: "mul" }, [a, b], dtype, label);
    return reduceAxes(writer, "sum", product, ids(over), label);
  }
  const swap = leads(rowsOfB, rowsOfA, order);
  const product = swap
    ? matrixProduct(
        writer,
        asFloats(writer, b),
        asFloats(writer, a),
        { batch, over, rows: rowsOfB, columns: rowsOfA },
        label,
      )
    : matrixProduct(
        writer,
        asFloats(writer, a),
        asFloats(writer, b),
        { batch, over, rows: rowsOfA, columns: rowsOfB },
        label,
      );
  return dtype === "int" ? cast(writer, product, "int", label) : product;
}

/** `matMul` takes floats only; integers up to 2²⁴ pass through exactly. */
function asFloats(writer: Writer, x: LoweredTensor): LoweredTensor {
  return x.dtype === "float" ? x : cast(writer, x, "float", temporary(wantedName(x.name)));
}

/** Whether rows `a` go before `b`: data (a size known at run time) before weights, then the suggested order. */
function leads(a: readonly Axis[], b: readonly Axis[], order: readonly Axis[]): boolean {
  const isData = (axes: readonly Axis[]): boolean => axes.some((axis) => sizeConstant(axis.size) === undefined);
  if (isData(a) !== isData(b)) return isData(a);
  const place = (axes: readonly Axis[]): number =>
    Math.min(order.length, ...axes.map((axis) => axisIndex(order, axis.id)));
  return place(a) < place(b);
}

interface Groups {
  readonly batch: readonly Axis[];
  readonly over: readonly Axis[];
  readonly rows: readonly Axis[];
  readonly columns: readonly Axis[];
}

function matrixProduct(
  writer: Writer,
  a: LoweredTensor,
  b: LoweredTensor,
  groups: Groups,
  label: Label | undefined,
): LoweredTensor {
  const { batch, rows, columns } = groups;
  const over = contractedOrder(a, b, groups);
  const matrixA = matrix(writer, a, batch, rows, over);
  const matrixB = matrix(writer, b, batch, over, columns);
  const axes = [...merged(batch), ...one("rows", rows), ...one("columns", columns)];
  const product = writer.tf("matMul", [variable(matrixA.name), variable(matrixB.name)], axes, "float", label);
  return reshaped(writer, product, [...batch, ...rows, ...columns]);
}

/** The order of the contracted axes that saves most transposing. */
function contractedOrder(a: LoweredTensor, b: LoweredTensor, { batch, over, rows, columns }: Groups): readonly Axis[] {
  const inOrderOf = (x: LoweredTensor): readonly Axis[] =>
    x.axes.filter((axis) => over.some((other) => other.id === axis.id));
  const isReady = (x: LoweredTensor, axes: readonly Axis[]): boolean => ids(x.axes).join() === ids(axes).join();
  const cost = (order: readonly Axis[]): number =>
    (isReady(a, [...batch, ...rows, ...order]) || isReady(a, [...batch, ...order, ...rows]) ? 0 : 1) +
    (isReady(b, [...batch, ...order, ...columns]) || isReady(b, [...batch, ...columns, ...order]) ? 0 : 1);
  const first = inOrderOf(a);
  const second = inOrderOf(b);
  return cost(second) < cost(first) ? second : first;
}

/** A tensor as [batch, rows, columns], or [rows, columns] without batch axes. */
function matrix(
  writer: Writer,
  x: LoweredTensor,
  batch: readonly Axis[],
  rows: readonly Axis[],
  columns: readonly Axis[],
): LoweredTensor {
  const target = [...merged(batch), ...one("rows", rows), ...one("columns", columns)];
  const straight = [...batch, ...rows, ...columns];
  const turned = [...batch, ...columns, ...rows];
  if (rows.length > 0 && columns.length > 0 && ids(x.axes).join() === ids(turned).join() && batch.length === 0) {
    const flat = reshaped(writer, x, [...one("columns", columns), ...one("rows", rows)]);
    return transposed(writer, flat, target);
  }
  return reshaped(writer, materialized(writer, x, straight), target);
}

function merged(axes: readonly Axis[]): readonly Axis[] {
  return axes.length === 0 ? [] : one("batch", axes);
}

function one(id: string, axes: readonly Axis[]): readonly Axis[] {
  return [{ id, size: productOf(axes) }];
}
