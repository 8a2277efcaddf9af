import { gradients } from "../grad/gradients.ts";
import type { Call } from "../syntax/tree.ts";
import { mergeConditions } from "./condition.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { hasDerivative } from "./has-derivative.ts";
import { asTensor } from "./operators.ts";
import { settle } from "./record.ts";
import { BOTTOM, describe, INVALID, type Meaning, shapeText, type TensorValue } from "./value.ts";

/**
 * `grad(y, x)`: the derivative of a number by any value that it is computed from, in the shape of that value, for each
 * example its own. It can be differentiated again. Examples that share nothing but weights do not mix: the derivative of the
 * sum over the batch is each example's own.
 */
export function derivative(context: Context, call: Call): Meaning {
  const operands: TensorValue[] = [];
  for (const argument of call.args) {
    const meaning = settle(context, evaluate(context, argument.value));
    if (meaning.kind === "bottom") return BOTTOM;
    const value = meaning.kind === "invalid" ? undefined : asTensor(context, meaning, argument.span);
    if (value === undefined) return INVALID;
    operands.push(value);
  }
  const [y, x] = operands;
  if (y === undefined || x === undefined || !checkOperands(context, call, y, x)) return INVALID;
  const { builder } = context.session;
  const [id = ""] = gradients(builder, y.id, [x.id]);
  return {
    ...x,
    id,
    condition: mergeConditions(y.condition, x.condition),
    zeroOutside: [],
    from: call.span,
  };
}

function checkOperands(context: Context, call: Call, y: TensorValue, x: TensorValue): boolean {
  const { builder, report } = context.session;
  const [of, by] = call.args.map((argument) => argument.span);
  if (y.visible.some((axis) => !axis.unit)) {
    report.add("not-scalar", of ?? call.span, `grad takes a single number, this is ${shapeText(y.visible)}`, {
      related: [{ span: y.from, message: "its shape comes from here" }],
      hint: "reduce it with sum(...)",
    });
    return false;
  }
  if (builder.type(y.id).dtype !== "float" || builder.type(x.id).dtype !== "float") {
    report.add("wrong-kind", by ?? call.span, `grad is of numbers by numbers, this is ${describe(x)}`);
    return false;
  }
  return hasDerivative(context.session, y.id, [x.id], call.span);
}
