import type { Report } from "../base/diagnostic.ts";
import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { ByteUnit, Call, Expect, Expression } from "../syntax/tree.ts";
import { children, printExpression } from "../syntax/walk.ts";
import { constantValue } from "./constants.ts";
import { definitionNames, findDefinition, isMissingAnyway, type Modules } from "./modules.ts";

/** What `expect` can ask, and how: of definitions, or of programs, which train blocks, generate blocks and models are. */
export const EXPECTATIONS = {
  params: { usage: "params(M) < 4_000_000", names: 1, of: "definitions", truth: false },
  gradcheck: { usage: "gradcheck(Cell, D: 3, H: 4)", names: 1, of: "definitions", truth: true },
  same: { usage: "same(A, B, atol: 1e-5)", names: 2, of: "definitions", truth: true },
  kernels: { usage: "kernels(lm) < 60", names: 1, of: "programs", truth: false },
  peak: { usage: "peak(lm, B: 32, T: 100) < 2 MB", names: 1, of: "programs", truth: false },
} as const satisfies Readonly<Record<string, Expectation>>;

interface Expectation {
  readonly usage: string;
  /** How many names it takes. */
  readonly names: number;
  readonly of: "definitions" | "programs";
  /** Whether it holds or not by itself; else it is a number to compare. */
  readonly truth: boolean;
}

/** How many bytes a unit is. */
export const BYTES: Readonly<Record<ByteUnit, number>> = { kB: 1e3, MB: 1e6, GB: 1e9 };

/** Whether an expectation can be evaluated: its functions and the definitions that it names exist. */
export function checkExpect(modules: Modules, expect: Expect, report: Report): void {
  const calls = callsOf(expect.value);
  if (calls.length === 0) {
    report.add("wrong-option", expect.value.span, "this expectation asks nothing of a model", {
      hint: `write expect ${EXPECTATIONS.params.usage}`,
    });
  }
  for (const call of calls) checkCall(modules, call, report);
  const comparison =
    expect.value.kind === "binary" && ["<", "<=", ">", ">=", "==", "!="].includes(expect.value.operator);
  const [number] = calls.map(nameOf).filter((name) => isExpectation(name) && !EXPECTATIONS[name].truth);
  if (!comparison && isExpectation(number)) {
    report.add("wrong-option", expect.value.span, `${number}(...) is a number, and an expectation is a comparison`, {
      hint: `write expect ${EXPECTATIONS[number].usage}`,
    });
  }
  checkUnit(expect, report);
}

/** A unit counts the bytes of a peak, and stands behind a number. */
function checkUnit({ value, unit }: Expect, report: Report): void {
  if (unit === undefined) return;
  const hint = `write expect ${EXPECTATIONS.peak.usage}`;
  if (!callsOf(value).some((call) => nameOf(call) === "peak")) {
    report.add("wrong-option", unit.span, `${unit.name} counts bytes, and nothing here is measured in bytes`, {
      hint: "leave it out, or ask for peak(...)",
    });
  } else if (value.kind !== "binary" || typeof constantValue(value.right) !== "number") {
    report.add("wrong-option", unit.span, `${unit.name} stands behind a number`, { hint });
  }
}

function nameOf({ callee }: Call): string {
  return callee.kind === "reference" ? callee.name : "";
}

function isExpectation(name: string | undefined): name is keyof typeof EXPECTATIONS {
  return name !== undefined && Object.hasOwn(EXPECTATIONS, name);
}

function callsOf(expression: Expression): readonly Call[] {
  if (expression.kind === "call") return [expression];
  return children(expression).flatMap(callsOf);
}

function checkCall(modules: Modules, call: Call, report: Report): void {
  const name = nameOf(call);
  if (!isExpectation(name)) {
    const near = nearest(name, Object.keys(EXPECTATIONS));
    report.add(
      "unknown-name",
      call.callee.span,
      name === "" ? "expect asks by name" : `expect knows no ${name}`,
      near === undefined ? { hint: `it knows ${Object.keys(EXPECTATIONS).join(", ")}` } : meant(near, call.callee.span),
    );
    return;
  }
  const { names, of, usage } = EXPECTATIONS[name];
  const named = call.args.filter((argument) => argument.name === undefined);
  if (named.length !== names) {
    const one = of === "definitions" ? "one definition" : "one train block, generate block or model";
    report.add("wrong-arguments", call.span, `${name} takes ${names === 1 ? one : `${names} definitions`}`, {
      hint: `write ${usage}`,
    });
    return;
  }
  for (const { value } of named) {
    if (of === "definitions") checkDefinitionName(modules, value, report);
    else checkProgramName(modules, name, value, report);
  }
}

/** Programs are what train blocks, generate blocks and models are run by; a model's parameters may be given. */
function checkProgramName(modules: Modules, asked: string, expression: Expression, report: Report): void {
  const callee = expression.kind === "call" ? expression.callee : expression;
  const name = callee.kind === "reference" ? callee.name : "";
  const { tree, definitions } = modules.entry;
  const blocks = tree.declarations.flatMap((one) =>
    one.kind === "train" || one.kind === "generate" ? [{ name: one.name.text, model: printExpression(one.model) }] : [],
  );
  const block = blocks.find((one) => one.name === name);
  if (block !== undefined) {
    if (expression.kind !== "call") return;
    report.add("wrong-arguments", expression.span, `${name} is a block: its model has the parameters`, {
      hint: `write ${asked}(${name}), or ${asked} of ${block.model} with other parameters`,
    });
    return;
  }
  const definition = definitions.get(name);
  if (definition?.definitionKind === "model") return;
  const models = [...definitions.values()].filter((one) => one.definitionKind === "model");
  const known = [...blocks.map((one) => one.name), ...models.map((one) => one.name.text)];
  const near = nearest(name, known);
  const hint = known.length === 0 ? "the file has none" : `the file has ${known.join(", ")}`;
  report.add(
    "unknown-name",
    callee.span,
    definition === undefined
      ? `${name === "" ? "this" : name} is no train block, generate block or model of this file`
      : `${name} is a ${definition.definitionKind}: ${asked} is of a train block, generate block or model`,
    near === undefined ? { hint } : meant(near, callee.span),
  );
}

function checkDefinitionName(modules: Modules, expression: Expression, report: Report): void {
  const callee = expression.kind === "call" ? expression.callee : expression;
  const inLibrary = callee.kind === "member" && callee.object.kind === "reference" && callee.object.name === "std";
  const name = callee.kind === "reference" ? callee.name : inLibrary ? (callee.names[0]?.text ?? "") : "";
  const found = inLibrary ? modules.library.get(name) : findDefinition(modules, modules.entry.file, name);
  if (found?.definition.definitionKind === "layout") {
    report.add("wrong-kind", callee.span, `${name} is a layout: it computes nothing`, {
      related: [{ span: found.definition.name.span, message: "defined here" }],
      hint: "name a cell, layer, dist or model",
    });
  }
  if (found !== undefined || isMissingAnyway(modules, modules.entry.file, name)) return;
  const near = nearest(name, definitionNames(modules, modules.entry.file));
  const at = callee.kind === "member" ? (callee.names[0]?.span ?? callee.span) : callee.span;
  report.add(
    "unknown-name",
    at,
    name === "" ? "a definition is named here" : `there is no definition ${name}`,
    near === undefined ? { hint: "define it in this file, or import it" } : meant(near, at),
  );
}
