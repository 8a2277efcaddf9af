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
  sizeNames,
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
    case "**":
      return powerSize(a, sizeConstant(b));
    default:
      return undefined;
  }
}

const HIGHEST_POWER = 16;

/** `D**2`; undefined for other exponents than small whole numbers. */
function powerSize(base: Size, exponent: number | undefined): Size | undefined {
  if (exponent === undefined || !Number.isInteger(exponent) || exponent < 1 || exponent > HIGHEST_POWER)
    return undefined;
  let power = base;
  for (let count = 1; count < exponent; count++) power = multiplySizes(power, base);
  return power;
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
    const what = meaning.kind === "tensor" ? "this is computed while running" : `this is ${describe(meaning)}`;
    report.add("wrong-kind", span, `a size is needed here, ${what}`, {
      related: meaning.kind === "tensor" ? [{ span: meaning.from, message: "it comes from here" }] : [],
      hint: "a size is a whole number, a parameter such as H, or arithmetic of these, such as 2*H",
    });
    return undefined;
  }
  const size = roundedTime(context, meaning.size);
  const value = evaluateSize(size, context.session.sizes);
  if (value !== undefined && !Number.isInteger(value)) {
    const numbers = [...sizeNames(size)].map((name) => `${name} = ${context.session.sizes.get(name)}`);
    const text =
      numbers.length > 0 ? `${size.text} is ${value}, with ${numbers.join(" and ")}` : `${size.text} is ${value}`;
    report.add("does-not-divide", span, `${text}: a size is a whole number`, {
      hint: "choose sizes that divide",
    });
    return undefined;
  }
  if (value !== undefined && value < 0) {
    const text = size.text === String(value) ? "" : `${size.text} is ${value}: `;
    report.add("negative-size", span, `${text}a size cannot be negative${text === "" ? `, this is ${value}` : ""}`, {
      hint: "choose sizes so that something is left",
    });
    return undefined;
  }
  return size;
}

/** `T/2` of a `time` rounds up. */
export function roundedTime(context: Context, size: Size): Size {
  return isTimeQuotient(context, size) ? ceilSize(size) : size;
}

function isTimeQuotient(context: Context, size: Size): boolean {
  return size.terms.some(
    (term) =>
      term.denominator !== 1 &&
      term.factors.some(({ atom }) => atom.kind === "name" && context.session.times.has(atom.text)),
  );
}

/** An integer that must be known while compiling: how often to repeat, a window's stride. */
export function asInteger(context: Context, meaning: Meaning, span: Span, what: string): number | undefined {
  const value = knownNumber(context, meaning);
  if (meaning.kind === "invalid") return undefined;
  if (value !== undefined && Number.isInteger(value)) return value;
  const names = meaning.kind === "size" ? [...sizeNames(meaning.size)] : [];
  const text =
    value !== undefined
      ? `${what} must be a whole number, this is ${value}`
      : meaning.kind === "size"
        ? `${what} must be known while compiling, and ${names.join(", ")} is not`
        : `${what} must be a whole number, this is ${describe(meaning)}`;
  context.session.report.add(names.length > 0 && value === undefined ? "unknown-size" : "wrong-kind", span, text, {
    hint:
      names.length > 0 && value === undefined
        ? `give it a default, as in ${names[0]} = 3, or a value where it is used`
        : "write a whole number, or arithmetic that gives one",
  });
  return undefined;
}
