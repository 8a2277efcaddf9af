import { equalSizes, sizeConstant } from "../../ir/size.ts";
import { type Axis, hasAxis } from "../../ir/type.ts";
import { list, number, TF_DTYPE, text, variable } from "./program.ts";
import { wantedName } from "./rename.ts";
import { type Lowered, type LoweredTensor, reference, shapeOf, temporary, type Writer } from "./scope.ts";
import { sizeExpression } from "./sizes.ts";

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

/** The same tensor with its dimensions in the order of `axes`, which are its own. */
export function transposed(writer: Writer, value: LoweredTensor, axes: readonly Axis[]): LoweredTensor {
  const order = axes.map((axis) => axisIndex(value.axes, axis.id));
  if (order.every((from, to) => from === to)) return { ...value, axes };
  const own = order.map((from) => value.axes[from] ?? missing(value.name));
  return writer.cached(value.name, `transpose ${order.join()}`, () => {
    const args = order.length === 2 ? [variable(value.name)] : [variable(value.name), list(order.map(number))];
    return writer.tf("transpose", args, own, value.dtype, temporary(`${wantedName(value.name)}_T`));
  });
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
  return writer.cached(ordered.name, key, () =>
    writer.tf("reshape", [variable(ordered.name), shape], own, value.dtype, temporary(wantedName(value.name))),
  );
}

/** A tensor that has exactly these dimensions: repeated along those that it lacked. */
export function materialized(writer: Writer, value: Lowered, axes: readonly Axis[]): LoweredTensor {
  if (value.kind === "number") {
    if (axes.length === 0) return asTensor(writer, value);
    return writer.tf("fill", [shapeOf(axes), reference(value), text(TF_DTYPE[value.dtype])], axes, value.dtype);
  }
  const ready = aligned(writer, value, axes);
  if (value.axes.length === axes.length) return ready;
  return writer.tf(
    "broadcastTo",
    [variable(ready.name), shapeOf(axes)],
    axes,
    value.dtype,
    temporary(wantedName(value.name)),
  );
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
