import type { Span } from "../base/span.ts";
import {
  addSizes,
  ceilSize,
  constantSize,
  divideSizes,
  evaluateSize,
  multiplySizes,
  type Size,
  sizeConstant,
  subtractSizes,
} from "../ir/size.ts";
import type { BinaryOperator } from "../syntax/tree.ts";
import type { Context } from "./frame.ts";
import { describe, type Meaning } from "./value.ts";

/** The number of a size or number, where it is known. */
export function knownNumber(context: Context, meaning: Meaning): number | undefined {
  if (meaning.kind === "number") return meaning.value;
  if (meaning.kind === "size") return evaluateSize(meaning.size, context.session.sizes);
  return undefined;
}

/** An integer becomes a size, so that it can stand in shapes; any other number stays one. */
export function numberMeaning(value: number, from: Span): Meaning {
  return Number.isSafeInteger(value) ? { kind: "size", size: constantSize(value), from } : { kind: "number", value };
}

/** Arithmetic on sizes and numbers that needs no graph; undefined where it does. */
export function staticBinary(
  context: Context,
  operator: BinaryOperator,
  left: Meaning,
  right: Meaning,
  span: Span,
): Meaning | undefined {
  if (left.kind === "size" && right.kind === "size") {
    const size = sizeArithmetic(operator, left.size, right.size);
    if (size !== undefined) {
      const constant = sizeConstant(size);
      return constant !== undefined ? numberMeaning(constant, span) : { kind: "size", size, from: span };
    }
  }
  const a = knownNumber(context, left);
  const b = knownNumber(context, right);
  if (a === undefined || b === undefined) return undefined;
  const value = numberArithmetic(operator, a, b);
  return value === undefined ? undefined : numberMeaning(value, span);
}

function sizeArithmetic(operator: BinaryOperator, a: Size, b: Size): Size | undefined {
  switch (operator) {
    case "+":
      return addSizes(a, b);
    case "-":
      return subtractSizes(a, b);
    case "*":
      return multiplySizes(a, b);
    case "/":
      return divideSizes(a, b);
    default:
      return undefined;
  }
}

function numberArithmetic(operator: BinaryOperator, a: number, b: number): number | undefined {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "%":
      return a - b * Math.floor(a / b);
    case "**":
      return a ** b;
    default:
      return undefined;
  }
}

/** The truth of a comparison of known numbers. */
export function compareNumbers(operator: BinaryOperator, a: number, b: number): boolean | undefined {
  switch (operator) {
    case "==":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    default:
      return undefined;
  }
}

/** A meaning used as a size; undefined where it is none (reported). `T/2` of a `time` rounds up. */
export function asSize(context: Context, meaning: Meaning, span: Span): Size | undefined {
  const { report } = context.session;
  if (meaning.kind === "invalid") return undefined;
  if (meaning.kind !== "size") {
    report.add("wrong-kind", span, `a size is needed here, this is ${describe(meaning)}`);
    return undefined;
  }
  const size = isTimeQuotient(context, meaning.size) ? ceilSize(meaning.size) : meaning.size;
  const value = evaluateSize(size, context.session.sizes);
  if (value !== undefined && !Number.isInteger(value)) {
    report.add("does-not-divide", span, `${size.text} is ${value}: it does not divide`, {
      hint: "choose sizes so that the division is exact",
    });
    return undefined;
  }
  if (value !== undefined && value < 0) {
    report.add("unknown-size", span, `${size.text} is ${value}: a size cannot be negative`);
    return undefined;
  }
  return size;
}

function isTimeQuotient(context: Context, size: Size): boolean {
  return size.terms.some(
    (term) =>
      term.denominator !== 1 &&
      term.factors.some(
        ({ atom }) => atom.kind === "name" && context.session.axes.lengths(atom.text).length !== undefined,
      ),
  );
}

/** An integer that must be known while compiling: how often to repeat, a window's stride. */
export function asInteger(context: Context, meaning: Meaning, span: Span, what: string): number | undefined {
  const value = knownNumber(context, meaning);
  if (meaning.kind === "invalid") return undefined;
  if (value !== undefined && Number.isInteger(value)) return value;
  context.session.report.add("unknown-size", span, `${what} must be an integer that is known here`, {
    hint: meaning.kind === "size" ? `give ${meaning.size.text} a default` : undefined,
  });
  return undefined;
}
