import type { Report } from "../base/diagnostic.ts";
import { stateItems } from "../build/apply.ts";
import type { Program } from "../build/program.ts";
import { compareNumbers } from "../build/static.ts";
import { constantValue } from "../check/constants.ts";
import { BYTES, checkExpect, EXPECTATIONS } from "../check/expects.ts";
import { findDefinition, type Modules } from "../check/modules.ts";
import { compileDefinition } from "../compile/definition.ts";
import { amount } from "../compile/explain-text.ts";
import type { Argument, Binary, Call, Expect, Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { bindRunnable, findRunnable } from "./block-program.ts";
import { explainProgram, type ProgramExplanation } from "./explain.ts";
import { checkGradients, GRADIENT_TOLERANCE } from "./gradcheck.ts";
import { HintedError } from "./hinted-error.ts";
import { modelGradients } from "./model-gradients.ts";
import { countParameters } from "./parameters.ts";
import { compareDefinitions, type Standalone } from "./same.ts";

/** What came of an `expect` line. */
export interface Finding {
  /** `params(CharLM) < 4_000_000` */
  readonly text: string;
  /** Undefined where it could not be asked: this version does not know how, or the file has mistakes, which are reported. */
  readonly passed: boolean | undefined;
  /** What was measured, in words. */
  readonly measured: string;
}

/** Asks what an `expect` line expects, in float64. */
export async function runExpect(modules: Modules, expect: Expect, report: Report): Promise<Finding> {
  const text = `${printExpression(expect.value)}${expect.unit === undefined ? "" : ` ${expect.unit.name}`}`;
  const before = report.diagnostics.length;
  checkExpect(modules, expect, report);
  if (report.diagnostics.length > before) return { text, passed: undefined, measured: "not run" };
  const answer = await evaluate({ modules, report }, inBytes(expect));
  if (answer === undefined) return { text, passed: undefined, measured: "not run" };
  return { text, passed: answer.value !== 0, measured: answer.notes.join(", ") };
}

/** The comparison with its number in bytes. */
function inBytes({ value, unit }: Expect): Expression {
  if (unit === undefined || value.kind !== "binary") return value;
  const { span } = unit;
  const bytes = BYTES[unit.name];
  const factor: Expression = { kind: "number", span, value: bytes, text: String(bytes) };
  const right: Expression = {
    kind: "binary",
    span,
    operator: "*",
    operatorSpan: span,
    left: value.right,
    right: factor,
  };
  return { ...value, right };
}

interface Asking {
  readonly modules: Modules;
  readonly report: Report;
}

/** A number, or a truth as 0 and 1. */
interface Answer {
  readonly value: number;
  readonly notes: readonly string[];
}

async function evaluate(asking: Asking, expression: Expression): Promise<Answer | undefined> {
  const constant = constantValue(expression);
  if (typeof constant === "number" || typeof constant === "boolean") return { value: Number(constant), notes: [] };
  if (expression.kind === "call") return evaluateCall(asking, expression);
  if (expression.kind === "binary") return evaluateBinary(asking, expression);
  if (expression.kind === "unary") {
    const operand = await evaluate(asking, expression.operand);
    if (operand === undefined) return undefined;
    return { ...operand, value: expression.operator === "-" ? -operand.value : Number(operand.value === 0) };
  }
  asking.report.add("wrong-option", expression.span, "an expectation is made of numbers, comparisons and checks", {
    hint: `as in ${Object.values(EXPECTATIONS)
      .map(({ usage }) => usage)
      .join("; ")}`,
  });
  return undefined;
}

async function evaluateBinary(asking: Asking, expression: Binary): Promise<Answer | undefined> {
  const left = await evaluate(asking, expression.left);
  const right = left === undefined ? undefined : await evaluate(asking, expression.right);
  if (left === undefined || right === undefined) return undefined;
  const { operator } = expression;
  const [a, b] = [left.value, right.value];
  const arithmetic: Readonly<Record<string, number>> = {
    "+": a + b,
    "-": a - b,
    "*": a * b,
    "/": a / b,
    "**": a ** b,
    "%": a % b,
    and: Number(a !== 0 && b !== 0),
    or: Number(a !== 0 || b !== 0),
  };
  const compared = compareNumbers(operator, a, b);
  return {
    value: compared === undefined ? (arithmetic[operator] ?? Number.NaN) : Number(compared),
    notes: [...left.notes, ...right.notes],
  };
}

async function evaluateCall(asking: Asking, call: Call): Promise<Answer | undefined> {
  const name = call.callee.kind === "reference" ? call.callee.name : "";
  const [first, second] = call.args.filter((argument) => argument.name === undefined);
  const options = call.args.filter((argument) => argument.name !== undefined);
  if (first === undefined) throw new Error(`internal: ${name} without a definition`);
  switch (name as keyof typeof EXPECTATIONS) {
    case "params": {
      const count = await countParameters(asking.modules, first.value, asking.report);
      return count === undefined ? undefined : { value: count, notes: [`${count.toLocaleString("en")} parameters`] };
    }
    case "kernels":
    case "peak": {
      const found = await explained(asking, first.value, options, name === "peak");
      if (found === undefined) return undefined;
      const { kernels, once } = found.totals;
      const { bytes } = found.memory;
      return name === "peak"
        ? { value: bytes, notes: [`${amount(bytes, "B")} at ${sizesNote(found.sizes)}`] }
        : { value: kernels, notes: [`${kernels} kernels${once > 0 ? `, ${once} of them before the first call` : ""}`] };
    }
    case "gradcheck":
      return gradcheck(asking, first.value, options);
    case "same":
      return second === undefined ? undefined : same(asking, first.value, second.value, options);
    default:
      throw new Error(`internal: expect knows no ${name}`);
  }
}

/** What the wasm target makes of a train block, generate block or model. */
async function explained(
  asking: Asking,
  asked: Expression,
  options: readonly Argument[],
  needsLengths: boolean,
): Promise<ProgramExplanation | undefined> {
  const { modules, report } = asking;
  const sizes = readOptions(asking, options, []);
  if (sizes === undefined) return undefined;
  const callee = asked.kind === "call" ? asked.callee : asked;
  const found = findRunnable(modules, callee.kind === "reference" ? callee.name : "");
  const runnable = found.kind === "model" ? { ...found, model: asked } : found;
  const bound = await bindRunnable(modules, runnable, { sizes }, report).catch((error: unknown) => {
    if (!(error instanceof HintedError)) throw error;
    const [message = ""] = error.message.split("\n  hint: ");
    report.add("wrong-option", options[0]?.span ?? asked.span, message, { hint: error.hint });
    return undefined;
  });
  if (bound === undefined) return undefined;
  const lengths = bound.guessed.filter((name) => name !== "B");
  if (needsLengths && lengths.length > 0) {
    const given = lengths.map((name) => `${name}: 100`).join(", ");
    report.add("unknown-size", asked.span, `nothing says how long ${lengths.join(", ")} is`, {
      hint: `give it, as in ${printExpression(asked)}, ${given}`,
    });
    return undefined;
  }
  return explainProgram(bound.program, bound.sizes);
}

function sizesNote(sizes: Readonly<Record<string, number>>): string {
  return Object.entries(sizes)
    .map(([name, size]) => `${name} = ${size}`)
    .join(", ");
}

async function gradcheck(
  asking: Asking,
  definition: Expression,
  options: readonly Argument[],
): Promise<Answer | undefined> {
  const numbers = readOptions(asking, options, []);
  const program = numbers === undefined ? undefined : differentiable(asking, definition, numbers);
  if (program === undefined) return undefined;
  const { worst, where, checked } = await checkGradients(program);
  const note = `${checked} gradients, worst difference ${worst.toExponential(1)}${where === "" ? "" : ` in ${where}`}`;
  return { value: Number(checked > 0 && worst <= GRADIENT_TOLERANCE), notes: [note] };
}

/** A definition alone, or a model, with its loss and gradients. */
function differentiable(
  asking: Asking,
  expression: Expression,
  sizes: ReadonlyMap<string, number>,
): Program | undefined {
  const { modules, report } = asking;
  const callee = expression.kind === "call" ? expression.callee : expression;
  const found = callee.kind === "reference" ? findDefinition(modules, modules.entry.file, callee.name) : undefined;
  if (found?.definition.definitionKind !== "model") return standalone(asking, expression, sizes)?.program;
  return modelGradients({ modules, sizes, dense: true, report }, expression, found.definition);
}

async function same(
  asking: Asking,
  a: Expression,
  b: Expression,
  options: readonly Argument[],
): Promise<Answer | undefined> {
  const numbers = readOptions(asking, options, ["atol"]);
  if (numbers === undefined) return undefined;
  const sizes = new Map([...numbers].filter(([name]) => name !== "atol"));
  const left = standalone(asking, a, sizes);
  const right = left === undefined ? undefined : standalone(asking, b, sizes);
  if (left === undefined || right === undefined) return undefined;
  const { worst, apart } = await compareDefinitions(left, right);
  const limit = numbers.get("atol") ?? 1e-5;
  return { value: Number(worst <= limit), notes: [apart ?? `worst difference ${worst.toExponential(1)}`] };
}

function readOptions(
  { report }: Asking,
  options: readonly Argument[],
  extra: readonly string[],
): ReadonlyMap<string, number> | undefined {
  const numbers = new Map<string, number>();
  for (const { name, value } of options) {
    const number = constantValue(value);
    const isSize = name !== undefined && !extra.includes(name.text);
    if (name !== undefined && typeof number === "number" && (!isSize || (Number.isInteger(number) && number > 0))) {
      numbers.set(name.text, number);
    } else {
      report.add("wrong-option", value.span, `${name?.text} is ${isSize ? "a whole number above 0" : "a number"}`);
      return undefined;
    }
  }
  return numbers;
}

/** A definition alone, with sizes by name; a size that it does not have is reported. */
function standalone(
  { modules, report }: Asking,
  expression: Expression,
  sizes: ReadonlyMap<string, number>,
): Standalone | undefined {
  const program = compileDefinition({ modules, sizes, dense: true, report }, expression);
  if (program === undefined) return undefined;
  const callee = expression.kind === "call" ? expression.callee : expression;
  const name =
    callee.kind === "reference" ? callee.name : callee.kind === "member" ? (callee.names[0]?.text ?? "") : "";
  const found =
    callee.kind === "member" ? modules.library.get(name) : findDefinition(modules, modules.entry.file, name);
  const states = found === undefined ? [] : stateItems(found.definition).map((item) => item.name.text);
  return { program, states };
}
