import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import type { Choice } from "../build/decode.ts";
import { evaluate } from "../build/expression.ts";
import type { Context } from "../build/frame.ts";
import type { Meaning } from "../build/value.ts";
import type { EmitItem, Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";

/** The best at each position. */
export function bestChoice(span: Span | undefined): Choice {
  return { rule: "best", parameters: new Map(), span };
}

/** `by greedy`, `by best`, `by sample(temperature: 0.8)`: the options are parameters of the distribution. */
export function methodChoice(context: Context, item: EmitItem, method: Expression, span: Span): Choice | undefined {
  const callee = method.kind === "call" ? method.callee : method;
  const name = callee.kind === "reference" ? callee.name : "";
  if (name === "beam") {
    context.session.report.add("not-yet", method.span, "beam search is not built yet", {
      hint: "write by best, or by sample",
    });
    return undefined;
  }
  if (name !== "greedy" && name !== "best" && name !== "sample") {
    const near = nearest(name, ["greedy", "best", "sample"]);
    context.session.report.add(
      "wrong-option",
      near === undefined ? method.span : callee.span,
      name === "" ? "this is no way to decode" : `there is no way to decode named ${name}`,
      near === undefined
        ? { hint: "write by best, by greedy, or by sample(temperature: 0.8)" }
        : meant(near, callee.span),
    );
    return undefined;
  }
  const known = decodingOptions(context, item);
  const parameters = new Map<string, Meaning>();
  for (const argument of method.kind === "call" ? method.args : []) {
    if (argument.name === undefined) {
      const usage =
        known === undefined || known.length === 0 ? name : `${name}(${known[0]}: ${printExpression(argument.value)})`;
      context.session.report.add("wrong-option", argument.span, "options of a decoding are given by name", {
        hint: `write by ${usage}`,
      });
      return undefined;
    }
    if (known?.includes(argument.name.text) === false) {
      const near = nearest(argument.name.text, known);
      const { span: at, text } = argument.name;
      context.session.report.add(
        "wrong-option",
        at,
        `${printExpression(item.dist.kind === "call" ? item.dist.callee : item.dist)} has no option ${text}`,
        near !== undefined
          ? meant(near, at)
          : { hint: known.length > 0 ? `its options are ${known.join(", ")}` : `it has no options: write by ${name}` },
      );
      return undefined;
    }
    const meaning = evaluate(context, argument.value);
    if (meaning.kind === "invalid") return undefined;
    parameters.set(argument.name.text, meaning);
  }
  const rule = name === "sample" ? "sample" : "best";
  return canDraw(context, item, rule, method.span) ? { rule, parameters, span } : undefined;
}

/** Whether an emission's distribution says how to decode so. */
function canDraw(context: Context, { dist }: EmitItem, rule: "sample" | "best", span: Span): boolean {
  const found = evaluate(context, dist.kind === "call" ? dist.callee : dist);
  if (found.kind !== "definition" && found.kind !== "instance") return false;
  const { items, name } = found.definition;
  if (items.some((item) => item.kind === "equation" && item.targets.some((target) => target.name.text === rule)))
    return true;
  context.session.report.add("cannot-sample", span, `${name.text} does not say how: it has no ${rule}`, {
    related: [
      { span: dist.span, message: "this is its distribution" },
      { span: name.span, message: `${name.text} is defined here` },
    ],
    hint: `write an equation ${rule} = ... in ${name.text}`,
  });
  return false;
}

/** The parameters of an emission's distribution; undefined where it could not be found. */
function decodingOptions(context: Context, { dist }: EmitItem): readonly string[] | undefined {
  const found = evaluate(context, dist.kind === "call" ? dist.callee : dist);
  if (found.kind !== "definition" && found.kind !== "instance") return undefined;
  return found.definition.parameters.map((parameter) => parameter.name.text);
}
