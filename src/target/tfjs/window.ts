import { hasAxis } from "../../ir/type.ts";
import { collect, collectSuffix, prefix, shift, suffix, unwindow, window } from "../../op/window.ts";
import { reduceAxes } from "./contract.ts";
import { applyIntrinsic } from "./elementwise.ts";
import { axisIndex, materialized } from "./layout.ts";
import { renamed } from "./move.ts";
import { number, variable } from "./program.ts";
import { inputAxis, type Rule, type RuleCall, rule } from "./rule.ts";
import type { Lowered } from "./scope.ts";
import { sizeExpression } from "./sizes.ts";
import { positions } from "./source.ts";

export const WINDOW_RULES: readonly Rule[] = [
  rule(shift, ({ writer, attributes: { axis, offset }, label, input }) => {
    const x = input(0);
    if (x.kind === "number" || !hasAxis(x, axis) || offset === 0) return x;
    return writer.support(
      "shift",
      [variable(x.name), number(axisIndex(x.axes, axis)), number(offset)],
      x.axes,
      x.dtype,
      label,
    );
  }),
  rule(window, (call) => {
    const { axis, offset, stride } = call.attributes;
    const x = call.input(0);
    if (x.kind === "number" || !hasAxis(x, axis)) return x;
    const to = call.axis(call.attributes.to);
    const at = axisIndex(x.axes, axis);
    const axes = [...x.axes.slice(0, at + 1), to, ...x.axes.slice(at + 1)];
    const args = [variable(x.name), number(at), number(offset), number(stride), sizeExpression(to.size)];
    return call.writer.support("window", args, axes, x.dtype, call.label);
  }),
  rule(unwindow, (call) => {
    const { axis, from, offset, stride } = call.attributes;
    const [own, window] = [inputAxis(call, 0, axis), inputAxis(call, 0, from)];
    const d = call.input(0);
    const rest = d.kind === "number" ? [] : d.axes.filter((other) => other.id !== axis && other.id !== from);
    const order =
      d.kind === "tensor" && hasAxis(d, axis)
        ? d.axes.flatMap((other) => (other.id === axis ? [own, window] : other.id === from ? [] : [other]))
        : [...rest, own, window];
    const ready = materialized(call.writer, d, order);
    const args = [variable(ready.name), number(axisIndex(order, axis)), number(offset), number(stride)];
    return call.writer.support(
      "unwindow",
      args,
      order.filter((other) => other.id !== from),
      ready.dtype,
      call.label,
    );
  }),
  rule(prefix, (call) => renamed(call.input(0), [call.attributes.axis], [call.axis(call.attributes.to)])),
  rule(suffix, (call) => renamed(call.input(0), [call.attributes.axis], [call.axis(call.attributes.to)])),
  rule(collect, (call) => lowerCollect(call, 1 - call.attributes.end, Number.POSITIVE_INFINITY)),
  rule(collectSuffix, (call) => lowerCollect(call, Number.NEGATIVE_INFINITY, -call.attributes.start)),
];

/** Σ over the t of d[t, u] where low <= t - u <= high, one of the bounds being infinite. */
function lowerCollect(
  call: RuleCall<{ readonly axis: string; readonly from: string }>,
  low: number,
  high: number,
): Lowered {
  const { writer, attributes, label } = call;
  const own = inputAxis(call, 0, attributes.axis);
  const from = inputAxis(call, 0, attributes.from);
  const [bound, isAbove] = Number.isFinite(low) ? [low, true] : [high, false];
  const limit = applyIntrinsic(
    writer,
    "add",
    [positions(writer, from), { kind: "number", value: number(bound), dtype: "int" }],
    undefined,
  );
  const t = positions(writer, own);
  const inside = applyIntrinsic(writer, "le", isAbove ? [limit, t] : [t, limit], undefined);
  const zero: Lowered = { kind: "number", value: number(0), dtype: call.input(0).dtype };
  const kept = applyIntrinsic(writer, "select", [inside, call.input(0), zero], undefined);
  return renamed(reduceAxes(writer, "sum", kept, [own.id], label), [from.id], [own]);
}
