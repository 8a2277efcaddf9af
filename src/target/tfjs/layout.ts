import { equalSizes, sizeConstant } from "../../ir/size.ts";
import { type Axis, type DType, hasAxis } from "../../ir/type.ts";
import { list, number, TF_DTYPE, text, variable } from "./program.ts";
import { wantedName } from "./rename.ts";
import { type Label, type Lowered, type LoweredTensor, reference, shapeOf, temporary, type Writer } from "./scope.ts";
import { productOf, sizeExpression } from "./sizes.ts";

export function ids(axes: readonly Axis[]): readonly string[] {
  return axes.map((axis) => axis.id);
}

export function axisIndex(axes: readonly Axis[], id: string): number {
  return axes.findIndex((axis) => axis.id === id);
}

/** The scalar tensor of a number; tensors are returned as they are. */
export function asTensor(writer: Writer, value: Lowered): LoweredTensor {
  if (value.kind === "tensor") return value;
  const literal =
    value.value.kind === "number" && value.dtype === "bool" ? number(value.value.value === 0 ? 0 : 1) : value.value;
  return writer.tf("scalar", [literal, text(TF_DTYPE[value.dtype])], [], value.dtype);
}

/** More dimensions than this the backends' kernels do not take. */
export const MAX_RANK = 6;

/** Tensors of more dimensions than this are repeated on the processor by the webgpu backend, as `where` does too. */
export const MAX_BROADCAST_RANK = 4;

/** Several neighbouring dimensions as one. */
export function mergedAxis(axes: readonly Axis[]): Axis {
  return { id: axes.map((axis) => axis.id).join("*"), size: productOf(axes) };
}

/** The same tensor with its dimensions in the order of `axes`, which are its own. */
export function transposed(writer: Writer, value: LoweredTensor, axes: readonly Axis[]): LoweredTensor {
  const order = axes.map((axis) => axisIndex(value.axes, axis.id));
  if (order.every((from, to) => from === to)) return { ...value, axes };
  if (order.length > MAX_RANK) return transposedMerged(writer, value, order);
  const own = order.map((from) => value.axes[from] ?? missing(value.name));
  const made = writer.cached(value.name, `transpose ${order.join()}`, () => {
    const args = order.length === 2 ? [] : [list(order.map(number))];
    return throughFloat(writer, value, (x) =>
      writer.tf("transpose", [variable(x.name), ...args], own, x.dtype, temporary(`${wantedName(value.name)}_T`)),
    );
  });
  // The same variable may have been turned under other names of its axes.
  return { ...made, axes: own };
}

/** The webgpu backend transposes three or more dimensions of floats only; integers up to 2²⁴ pass through exactly. */
function throughFloat(writer: Writer, value: LoweredTensor, make: (x: LoweredTensor) => LoweredTensor): LoweredTensor {
  if (!needsFloat(value)) return make(value);
  const label = temporary(wantedName(value.name));
  return cast(writer, make(cast(writer, value, "float", label)), value.dtype, label);
}

export function cast(writer: Writer, x: LoweredTensor, dtype: DType, label: Label | undefined): LoweredTensor {
  return dtype === "float"
    ? writer.support("toFloat", [variable(x.name)], x.axes, dtype, label)
    : writer.tf("cast", [variable(x.name), text(TF_DTYPE[dtype])], x.axes, dtype, label);
}

export function needsFloat({ dtype, axes }: LoweredTensor): boolean {
  return dtype !== "float" && axes.length > 2;
}

/** Dimensions that stay side by side are one; where that is not enough, each is moved on its own. */
function transposedMerged(writer: Writer, value: LoweredTensor, order: readonly number[]): LoweredTensor {
  const own = order.map((from) => value.axes[from] ?? missing(value.name));
  const runs: number[][] = [];
  for (const from of order) {
    const last = runs.at(-1);
    if (last?.at(-1) === from - 1) last.push(from);
    else runs.push([from]);
  }
  if (runs.length > MAX_RANK) {
    return own.reduceRight(
      (moved, axis) => transposed(writer, moved, [axis, ...moved.axes.filter((other) => other.id !== axis.id)]),
      value,
    );
  }
  const axisOf = (run: readonly number[]): Axis =>
    mergedAxis(run.map((from) => value.axes[from] ?? missing(value.name)));
  const before = [...runs].sort(([a = 0], [b = 0]) => a - b).map(axisOf);
  return reshaped(writer, transposed(writer, reshaped(writer, value, before), runs.map(axisOf)), own);
}

/** The same numbers in row-major order under other axes. */
export function reshaped(writer: Writer, value: LoweredTensor, axes: readonly Axis[]): LoweredTensor {
  const same =
    axes.length === value.axes.length &&
    axes.every((axis, at) => equalSizes(axis.size, value.axes[at]?.size ?? axis.size));
  if (same) return { ...value, axes };
  const shape = shapeOf(axes);
  const made = writer.cached(value.name, `reshape ${axes.map((axis) => axis.size.text).join()}`, () =>
    writer.tf("reshape", [variable(value.name), shape], axes, value.dtype, temporary(wantedName(value.name))),
  );
  return { ...made, axes };
}

/** Brings a tensor into the order of `axes` with dimensions of size 1 where it lacks one, leading ones left out: ready to broadcast. */
export function aligned(writer: Writer, value: LoweredTensor, axes: readonly Axis[]): LoweredTensor {
  const own = axes.filter((axis) => hasAxis(value, axis.id));
  const ordered = transposed(writer, value, own);
  const first = own[0];
  if (first === undefined) return ordered;
  const tail = axes.slice(axisIndex(axes, first.id));
  if (tail.length === own.length) return ordered;
  const shape = list(tail.map((axis) => (hasAxis(value, axis.id) ? sizeExpression(axis.size) : number(1))));
  const key = `align ${tail.map((axis) => (hasAxis(value, axis.id) ? axis.size.text : "1")).join()}`;
  const made = writer.cached(ordered.name, key, () =>
    writer.tf("reshape", [variable(ordered.name), shape], own, value.dtype, temporary(wantedName(value.name))),
  );
  return { ...made, axes: own };
}

/** A tensor that has exactly these dimensions: repeated along those that it lacked. */
export function materialized(writer: Writer, value: Lowered, axes: readonly Axis[]): LoweredTensor {
  if (value.kind === "number") {
    if (axes.length === 0) return asTensor(writer, value);
    return writer.tf("fill", [shapeOf(axes), reference(value), text(TF_DTYPE[value.dtype])], axes, value.dtype);
  }
  if (axes.length > MAX_BROADCAST_RANK && value.axes.length < axes.length) return repeated(writer, value, axes);
  const ready = aligned(writer, value, axes);
  if (value.axes.length === axes.length) return ready;
  return broadcast(writer, value, ready, axes);
}

/** `ready` repeated along the axes that it has with size 1; it is named after the value that it was made of. */
function broadcast(writer: Writer, value: LoweredTensor, ready: LoweredTensor, axes: readonly Axis[]): LoweredTensor {
  return writer.tf(
    "broadcastTo",
    [variable(ready.name), shapeOf(axes)],
    axes,
    value.dtype,
    temporary(wantedName(value.name)),
  );
}

/** Repeated along one run of neighbouring axes after the other, what stands before and behind it being one dimension each. */
function repeated(writer: Writer, value: LoweredTensor, axes: readonly Axis[]): LoweredTensor {
  const own = axes.filter((axis) => hasAxis(value, axis.id));
  const made = transposed(writer, value, own);
  const first = axes.findIndex((axis) => !hasAxis(value, axis.id));
  const next = axes.findIndex((axis, at) => at > first && hasAxis(value, axis.id));
  const end = next < 0 ? axes.length : next;
  const behind = axes.slice(end).filter((axis) => hasAxis(value, axis.id));
  const groups = [axes.slice(0, first), axes.slice(first, end), behind].filter((group) => group.length > 0);
  const merged = groups.map(mergedAxis);
  const flat = reshaped(
    writer,
    made,
    merged.filter((_, at) => groups[at]?.[0] !== axes[first]),
  );
  const wide = [...axes.slice(0, end), ...behind];
  return materialized(writer, reshaped(writer, materialized(writer, flat, merged), wide), axes);
}

/** One order of the axes of several tensors in which as few of them as possible must be transposed: the widest keeps its own. */
export function mergedOrder(lists: readonly (readonly Axis[])[]): readonly Axis[] {
  const widest = [...lists].sort((a, b) => b.length - a.length);
  const order: Axis[] = [...(widest[0] ?? [])];
  for (const axes of widest.slice(1)) {
    axes.forEach((axis, at) => {
      if (order.some((known) => known.id === axis.id)) return;
      const after = axes.slice(at + 1).find((next) => order.some((known) => known.id === next.id));
      const place = after === undefined ? endOf(order, axes, at) : axisIndex(order, after.id);
      order.splice(place, 0, axis);
    });
  }
  return order;
}

/** Behind what it stands behind; else data (sizes known at run time) first, features last. */
function endOf(order: readonly Axis[], axes: readonly Axis[], at: number): number {
  const before = axes.slice(0, at).findLast((axis) => order.some((known) => known.id === axis.id));
  if (before !== undefined) return axisIndex(order, before.id) + 1;
  const own = axes[at];
  return own !== undefined && sizeConstant(own.size) !== undefined ? order.length : 0;
}

function missing(name: string): never {
  throw new Error(`internal: ${name} lacks an axis that its layout names`);
}
