import { constantSize, subtractSizes } from "../../ir/size.ts";
import { type Axis, hasAxis, unionAxes } from "../../ir/type.ts";
import { concat, expand, gather, pad, put, rename, reshape, scatter, slice } from "../../op/move.ts";
import { reduceAxes, scaled } from "./contract.ts";
import { applyIntrinsic } from "./elementwise.ts";
import {
  asTensor,
  axisIndex,
  cast,
  ids,
  MAX_BROADCAST_RANK,
  materialized,
  mergedAxis,
  mergedOrder,
  reshaped,
  transposed,
} from "./layout.ts";
import { list, number, variable } from "./program.ts";
import { inputAxis, type Rule, type RuleCall, rule } from "./rule.ts";
import type { Lowered, LoweredTensor, Writer } from "./scope.ts";
import { sizeExpression } from "./sizes.ts";
import { positions } from "./source.ts";

export const MOVE_RULES: readonly Rule[] = [
  // A tensor is constant along axes that it lacks: nothing to repeat.
  rule(expand, ({ input }) => input(0)),
  rule(rename, ({ attributes, input, axes }) => renamed(input(0), attributes.from, axes(attributes.to))),
  rule(gather, lowerGather),
  rule(scatter, lowerScatter),
  rule(slice, (call) => {
    const x = call.input(0);
    const { axis, start } = call.attributes;
    const to = call.axis(call.attributes.to);
    if (x.kind === "number" || !hasAxis(x, axis)) return x;
    return along(call.writer, x, axis, to, (whole, at) => {
      const begin = [...whole.axes.slice(0, at).map(() => number(0)), sizeExpression(call.size(start))];
      // -1 is the rest of a dimension.
      const size = [...whole.axes.slice(0, at).map(() => number(-1)), sizeExpression(to.size)];
      const axes = whole.axes.map((own, place) => (place === at ? to : own));
      return call.writer.tf("slice", [variable(whole.name), list(begin), list(size)], axes, x.dtype, call.label);
    });
  }),
  rule(pad, (call) => {
    const own = inputAxis(call, 0, call.attributes.axis);
    const x = withAxis(call.writer, call.input(0), own);
    const to = call.axis(call.attributes.to);
    const start = call.size(call.attributes.start);
    const end = subtractSizes(subtractSizes(to.size, start), own.size);
    const none = list([number(0), number(0)]);
    return along(call.writer, x, own.id, to, (whole, at) => {
      const paddings = whole.axes.map((_, place) =>
        place === at ? list([sizeExpression(start), sizeExpression(end)]) : none,
      );
      const axes = whole.axes.map((axis, place) => (place === at ? to : axis));
      return call.writer.tf("pad", [variable(whole.name), list(paddings)], axes, x.dtype, call.label);
    });
  }),
  rule(concat, lowerConcat),
  rule(reshape, (call) => {
    const { from } = call.attributes;
    const own = from.map((id) => inputAxis(call, 0, id));
    const to = call.axes(call.attributes.to);
    const x = call.input(0);
    if (x.kind === "number" || !own.some((axis) => hasAxis(x, axis.id))) return x;
    const rest = x.axes.filter((axis) => !from.includes(axis.id));
    const place = x.axes.slice(
      0,
      x.axes.findIndex((axis) => from.includes(axis.id)),
    ).length;
    const ready = materialized(call.writer, x, [...rest.slice(0, place), ...own, ...rest.slice(place)]);
    return reshaped(call.writer, ready, [...rest.slice(0, place), ...to, ...rest.slice(place)]);
  }),
  rule(put, (call) => {
    const axis = inputAxis(call, 0, call.attributes.axis);
    const here = applyIntrinsic(
      call.writer,
      "eq",
      [positions(call.writer, axis), clipped(call.writer, call.input(2), axis)],
      undefined,
    );
    return applyIntrinsic(call.writer, "select", [here, call.input(1), call.input(0)], call.label);
  }),
];

/** A call that changes one axis into `to`. Of many dimensions, those before and behind the axis are one each: kernels take a few only. */
function along(
  writer: Writer,
  x: LoweredTensor,
  axis: string,
  to: Axis,
  make: (whole: LoweredTensor, at: number) => LoweredTensor,
): LoweredTensor {
  const at = axisIndex(x.axes, axis);
  if (x.axes.length <= MAX_BROADCAST_RANK) return make(x, at);
  const [before, own, after] = [x.axes.slice(0, at), x.axes.slice(at, at + 1), x.axes.slice(at + 1)];
  const flat = reshaped(writer, x, [mergedAxis(before), ...own, mergedAxis(after)]);
  return reshaped(writer, make(flat, 1), [...before, to, ...after]);
}

/** Gives axes other ids, all at once. */
export function renamed(x: Lowered, from: readonly string[], to: readonly Axis[]): Lowered {
  if (x.kind === "number") return x;
  return {
    kind: "tensor",
    name: x.name,
    dtype: x.dtype,
    axes: x.axes.map((axis) => to[from.indexOf(axis.id)] ?? axis),
  };
}

function replaced(axes: readonly Axis[], id: string, to: Axis): readonly Axis[] {
  return axes.map((axis) => (axis.id === id ? to : axis));
}

/** A tensor that has the axis, last where it was repeated along it. */
function withAxis(writer: Writer, x: Lowered, axis: Axis): LoweredTensor {
  if (x.kind === "tensor" && hasAxis(x, axis.id)) return x;
  return materialized(writer, x, [...(x.kind === "tensor" ? x.axes : []), axis]);
}

function clipped(writer: Writer, index: Lowered, axis: Axis): Lowered {
  const last: Lowered = {
    kind: "number",
    value: sizeExpression(subtractSizes(axis.size, constantSize(1))),
    dtype: "int",
  };
  const first: Lowered = { kind: "number", value: number(0), dtype: "int" };
  return applyIntrinsic(writer, "min", [applyIntrinsic(writer, "max", [index, first], undefined), last], undefined);
}

/** Axes that value and index share come first in both and are looked up each on its own. */
function lowerGather({ writer, attributes, input, label }: RuleCall<{ readonly axis: string }>): Lowered {
  const x = input(0);
  if (x.kind === "number" || !hasAxis(x, attributes.axis)) return x;
  const index = asTensor(writer, input(1));
  const at = axisIndex(x.axes, attributes.axis);
  const shared = x.axes.filter((axis) => axis.id !== attributes.axis && hasAxis(index, axis.id));
  if (shared.length === 0) {
    const axes = [...x.axes.slice(0, at), ...index.axes, ...x.axes.slice(at + 1)];
    return writer.support("take", [variable(x.name), variable(index.name), number(at)], axes, x.dtype, label);
  }
  const isShared = (axis: Axis): boolean => shared.some((other) => other.id === axis.id);
  const own = x.axes.filter((axis) => axis.id === attributes.axis);
  const rest = x.axes.filter((axis) => axis.id !== attributes.axis && !isShared(axis));
  const others = index.axes.filter((axis) => !isShared(axis));
  const value = transposed(writer, x, [...shared, ...own, ...rest]);
  const places = transposed(writer, index, [...shared, ...others]);
  const args = [variable(value.name), variable(places.name), number(shared.length), number(shared.length)];
  return writer.support("take", args, [...shared, ...others, ...rest], x.dtype, label);
}

function lowerScatter(call: RuleCall<{ readonly axis: Axis; readonly sum: readonly string[] }>): Lowered {
  const { writer, attributes, label } = call;
  const target = call.axis(attributes.axis);
  const index = asTensor(writer, call.input(1));
  const given = call.input(0);
  const isSummed = (axis: Axis): boolean => attributes.sum.includes(axis.id);
  const alone = given.kind === "number" ? [] : given.axes.filter((axis) => isSummed(axis) && !hasAxis(index, axis.id));
  const d =
    given.kind === "tensor" && alone.length > 0 ? reduceAxes(writer, "sum", given, ids(alone), undefined) : given;
  const neither = call
    .axes(unionAxes(...call.inputTypes.map((type) => type.axes)))
    .filter(
      (axis) => isSummed(axis) && !hasAxis(index, axis.id) && !(given.kind === "tensor" && hasAxis(given, axis.id)),
    );
  const whole = neither.length === 0 ? d : scaled(writer, asTensor(writer, d), neither, undefined);
  const summed = index.axes.filter(isSummed);
  if (summed.length === 0) {
    const here = applyIntrinsic(writer, "eq", [clipped(writer, index, target), positions(writer, target)], undefined);
    return applyIntrinsic(writer, "select", [here, whole, { kind: "number", value: number(0), dtype: d.dtype }], label);
  }
  const kept = index.axes.filter((axis) => !isSummed(axis));
  const inner = whole.kind === "number" ? [] : whole.axes.filter((axis) => !hasAxis(index, axis.id));
  const values = materialized(writer, whole, [...kept, ...summed, ...inner]);
  const places = transposed(writer, index, [...kept, ...summed]);
  const args = [variable(values.name), variable(places.name), number(kept.length), sizeExpression(target.size)];
  return writer.support("scatterAdd", args, [...kept, target, ...inner], values.dtype, label);
}

function lowerConcat(call: RuleCall<{ readonly axes: readonly string[]; readonly to: Axis }>): Lowered {
  const { writer, attributes, inputs } = call;
  const to = call.axis(attributes.to);
  const dtype = call.outputs[0]?.type.dtype ?? "float";
  const lengths = inputs.map((_, at) => {
    const id = attributes.axes[at] ?? "";
    return id === "" ? constantSize(1) : inputAxis(call, at, id).size;
  });
  // Each part under the common axis id, whether or not it has that axis.
  const parts = inputs.map((input, at) =>
    renamed(input, [attributes.axes[at] ?? ""], [{ id: to.id, size: lengths[at] ?? to.size }]),
  );
  const order = mergedOrder(parts.map((part) => (part.kind === "tensor" ? part.axes : [])));
  const axes = hasAxis({ dtype, axes: order }, to.id) ? order : [...order, to];
  const tensors = parts.map((part, at) => {
    const own = axes.map((axis) => (axis.id === to.id ? { id: to.id, size: lengths[at] ?? to.size } : axis));
    const whole = materialized(writer, part.kind === "number" ? { ...part, dtype } : part, own);
    return whole.dtype === dtype ? whole : cast(writer, whole, dtype, undefined);
  });
  const args = [list(tensors.map((tensor) => variable(tensor.name))), number(axisIndex(axes, to.id))];
  return writer.tf("concat", args, replaced(axes, to.id, to), dtype, call.label);
}
