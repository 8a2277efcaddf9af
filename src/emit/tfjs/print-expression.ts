import type { Size } from "../../ir/size.ts";
import { identifier } from "../../target/tfjs/names.ts";
import type { Expression } from "../../target/tfjs/program.ts";

/** The longest line of emitted code. */
export const LINE_WIDTH = 110;

/**
 * An expression as TypeScript. What does not fit behind `column` characters goes on lines of its own, one argument each.
 * @param indent spaces before the line that the expression starts on
 */
export function printExpression(expression: Expression, indent = 0, column = indent): string {
  const flat = printFlat(expression);
  if (column + flat.length <= LINE_WIDTH) return flat;
  if (expression.kind === "call") return broken(`${calleeName(expression)}(`, expression.args, ")", indent);
  if (expression.kind === "list") return broken("[", expression.items, "]", indent);
  return flat;
}

function broken(open: string, parts: readonly Expression[], close: string, indent: number): string {
  const inner = " ".repeat(indent + 2);
  const lines = parts.map((part) => `${inner}${printExpression(part, indent + 2)},\n`);
  return `${open}\n${lines.join("")}${" ".repeat(indent)}${close}`;
}

function printFlat(expression: Expression): string {
  switch (expression.kind) {
    case "variable":
      return expression.name;
    case "number":
      return printNumber(expression.value);
    case "size":
      return printSize(expression.size);
    case "text":
      return JSON.stringify(expression.value);
    case "list":
      return `[${expression.items.map(printFlat).join(", ")}]`;
    case "call":
      return `${calleeName(expression)}(${expression.args.map(printFlat).join(", ")})`;
    default:
      return expression satisfies never;
  }
}

function calleeName({ callee }: Expression & { readonly kind: "call" }): string {
  return callee.from === "tf" ? `tf.${callee.name}` : callee.name;
}

export function printNumber(value: number): string {
  if (Number.isNaN(value)) return "Number.NaN";
  if (value === Number.POSITIVE_INFINITY) return "Number.POSITIVE_INFINITY";
  if (value === Number.NEGATIVE_INFINITY) return "Number.NEGATIVE_INFINITY";
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A size as arithmetic on the variables of its names. */
export function printSize(size: Size): string {
  if (size.terms.length === 0) return "0";
  const terms = size.terms.map((term, at) => {
    const text = printTerm(term);
    if (at === 0) return text;
    return text.startsWith("-") ? ` - ${text.slice(1)}` : ` + ${text}`;
  });
  return terms.join("");
}

type Term = Size["terms"][number];

function printTerm({ numerator, denominator, factors }: Term): string {
  const power = ({ atom, exponent }: Term["factors"][number]): readonly string[] =>
    new Array<string>(Math.abs(exponent)).fill(printAtom(atom));
  const above = factors.filter((factor) => factor.exponent > 0).flatMap(power);
  const below = factors.filter((factor) => factor.exponent < 0).flatMap(power);
  const sign = numerator < 0 ? "-" : "";
  if (Math.abs(numerator) !== 1 || above.length === 0) above.unshift(String(Math.abs(numerator)));
  if (denominator !== 1) below.unshift(String(denominator));
  const top = above.join(" * ");
  if (below.length === 0) return sign + top;
  return `${sign}${above.length > 1 ? `(${top})` : top} / ${below.length > 1 ? `(${below.join(" * ")})` : below[0]}`;
}

function printAtom(atom: Term["factors"][number]["atom"]): string {
  if (atom.kind === "name") return identifier(atom.text);
  return atom.kind === "ceil" ? `Math.ceil(${printSize(atom.of)})` : `(${printSize(atom.of)})`;
}
