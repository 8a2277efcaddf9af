import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import type { Choice } from "../build/decode.ts";
import { evaluate } from "../build/expression.ts";
import type { Context } from "../build/frame.ts";
import type { Meaning } from "../build/value.ts";
import { constantValue } from "../check/constants.ts";
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
  if (name === "beam") return beamChoice(context, item, method);
  if (name !== "greedy" && name !== "best" && name !== "sample") {
    const near = nearest(name, ["greedy", "best", "sample", "beam"]);
    context.session.report.add(
      "wrong-option",
      near === undefined ? method.span : callee.span,
      name === "" ? "this is no way to decode" : `there is no way to decode named ${name}`,
      near === undefined
        ? { hint: "write by best, by greedy, by sample(temperature: 0.8), or by beam(5)" }
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

const MOST_BEAMS = 64;

/** `by beam(5, length_penalty: 0.6)`: a search over the tokens of one index. */
function beamChoice(context: Context, item: EmitItem, method: Expression): Choice | undefined {
  const { session } = context;
  const { text } = item.name;
  const wrong = (code: "wrong-kind" | "wrong-option", span: Span, message: string, hint: string): undefined => {
    session.report.add(code, span, message, { hint });
    return undefined;
  };
  if (session.inputs.get(text)?.spec.vocabulary === undefined) {
    const hint = "write by best, or by sample";
    return wrong("wrong-kind", method.span, `a beam searches over tokens, and ${text} holds numbers`, hint);
  }
  if (item.indices.length !== 1) {
    const many = item.indices.length === 0 ? "no index: its positions are chosen apart" : "more than one index";
    return wrong(
      "wrong-kind",
      method.span,
      `a beam searches along one index, and ${text} has ${many}`,
      "write by best, or by sample",
    );
  }
  let width: number | undefined;
  let lengthPenalty = 0;
  for (const [place, { name, value, span }] of (method.kind === "call" ? method.args : []).entries()) {
    const number = constantValue(value);
    if ((name === undefined && place === 0) || name?.text === "width") {
      if (typeof number !== "number" || !Number.isInteger(number) || number < 1 || number > MOST_BEAMS) {
        return wrong("wrong-option", value.span, `a beam is from 1 to ${MOST_BEAMS} wide`, "write by beam(5)");
      }
      width = number;
    } else if (name?.text === "length_penalty" && typeof number === "number" && number >= 0) lengthPenalty = number;
    else {
      const hint = "write by beam(5, length_penalty: 0.6)";
      return wrong("wrong-option", name?.span ?? span, "beam takes a width and a length_penalty from 0 on", hint);
    }
  }
  if (width === undefined)
    return wrong("wrong-option", method.span, "how wide the beam is, is not said", "write by beam(5)");
  if (width === 1) return bestChoice(method.span);
  return { rule: "beam", parameters: new Map(), span: method.span, beam: { width, lengthPenalty } };
}
