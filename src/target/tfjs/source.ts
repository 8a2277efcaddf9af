import type { Axis } from "../../ir/type.ts";
import { constant, extent, iota, random } from "../../op/source.ts";
import { number, TF_DTYPE, text } from "./program.ts";
import { type Rule, rule } from "./rule.ts";
import { type LoweredTensor, reference, shapeOf, temporary, type Writer } from "./scope.ts";
import { sizeExpression } from "./sizes.ts";

export const SOURCE_RULES: readonly Rule[] = [
  rule(constant, ({ attributes: { value, dtype } }) => ({ kind: "number", value: number(value), dtype })),
  rule(iota, ({ writer, attributes, axis }) => positions(writer, axis(attributes.axis))),
  rule(extent, ({ attributes, size }) => ({
    kind: "number",
    value: sizeExpression(size(attributes.size)),
    dtype: "float",
  })),
  rule(random, (call) => {
    const { distribution, stream } = call.attributes;
    const axes = call.axes(call.attributes.axes);
    const args = [reference(call.input(0)), text(stream), shapeOf(axes)];
    return call.writer.support(
      distribution === "uniform" ? "randomUniform" : "randomGaussian",
      args,
      axes,
      "float",
      call.label,
    );
  }),
];

/** 0, 1, 2, … along an axis. */
export function positions(writer: Writer, axis: Axis): LoweredTensor {
  const range = writer.cached("", `range ${axis.size.text}`, () =>
    writer.tf(
      "range",
      [number(0), sizeExpression(axis.size), number(1), text(TF_DTYPE.int)],
      [axis],
      "int",
      temporary(`${axis.id}_range`),
    ),
  );
  return { ...range, axes: [axis], positions: true };
}
