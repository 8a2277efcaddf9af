import { hasAxis } from "../../ir/type.ts";
import { contract } from "../../op/contract.ts";
import { argmax, argmin, type ReduceKind, reduce } from "../../op/reduce.ts";
import { innermost, lowerContract, reduceAxes, scaled } from "./contract.ts";
import { asTensor, axisIndex, materialized } from "./layout.ts";
import { number, type TfFunction, variable } from "./program.ts";
import { inputAxis, type Rule, type RuleCall, rule } from "./rule.ts";
import type { Lowered } from "./scope.ts";

export const REDUCE_RULES: readonly Rule[] = [
  rule(reduce, (call) => {
    const { kind } = call.attributes;
    const axes = call.attributes.axes.map((id) => inputAxis(call, 0, id));
    const x = asTensor(call.writer, call.input(0));
    // Of equal values the greatest is any of them; their sum is a multiple; only a product must see each.
    const missing = axes.filter((axis) => !hasAxis(x, axis.id));
    const whole = kind === "prod" && missing.length > 0 ? materialized(call.writer, x, [...x.axes, ...missing]) : x;
    const own = axes.filter((axis) => hasAxis(whole, axis.id)).map((axis) => axis.id);
    const reduced = own.length === 0 ? whole : reduceAxes(call.writer, CALLS[kind], whole, own, call.label);
    return kind === "sum" ? scaled(call.writer, reduced, missing, call.label) : reduced;
  }),
  rule(argmax, (call) => lowerArg(call, "argMax")),
  rule(argmin, (call) => lowerArg(call, "argMin")),
  rule(contract, (call) => {
    const all = call.inputTypes.flatMap((type) => type.axes);
    const over = call.attributes.over.flatMap((id) => {
      const axis = all.find((own) => own.id === id);
      return axis === undefined ? [] : [call.axis(axis)];
    });
    const order = call.outputs[0]?.type.axes ?? [];
    return lowerContract(call.writer, call.input(0), call.input(1), over, order, call.label);
  }),
];

const CALLS: Readonly<Record<ReduceKind, TfFunction>> = {
  sum: "sum",
  max: "max",
  min: "min",
  prod: "prod",
  any: "any",
  all: "all",
};

function lowerArg(
  { writer, input, attributes, label }: RuleCall<{ readonly axis: string }>,
  name: TfFunction,
): Lowered {
  const x = input(0);
  if (x.kind === "number" || !hasAxis(x, attributes.axis)) return { kind: "number", value: number(0), dtype: "int" };
  const ready = innermost(writer, x, [attributes.axis]);
  const rest = x.axes.filter((axis) => axis.id !== attributes.axis);
  return writer.tf(name, [variable(ready.name), number(axisIndex(ready.axes, attributes.axis))], rest, "int", label);
}
