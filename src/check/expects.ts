import type { Report } from "../base/diagnostic.ts";
import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Call, Expect, Expression } from "../syntax/tree.ts";
import { children } from "../syntax/walk.ts";
import { definitionNames, findDefinition, isMissingAnyway, type Modules } from "./modules.ts";

/** What `expect` can ask, and how. */
export const EXPECTATIONS = {
  params: { usage: "params(M) < 4_000_000", definitions: 1, truth: false },
  gradcheck: { usage: "gradcheck(Cell, D: 3, H: 4)", definitions: 1, truth: true },
  same: { usage: "same(A, B, atol: 1e-5)", definitions: 2, truth: true },
} as const;

/** Expectations of later versions: refused by name. */
const LATER: ReadonlySet<string> = new Set(["kernels", "peak"]);

/** Whether an expectation can be evaluated: its functions and the definitions that it names exist. */
export function checkExpect(modules: Modules, expect: Expect, report: Report): void {
  const calls = callsOf(expect.value);
  if (calls.length === 0) {
    report.add("wrong-option", expect.value.span, "this expectation asks nothing of a model", {
      hint: `write expect ${EXPECTATIONS.params.usage}`,
    });
  }
  for (const call of calls) checkCall(modules, call, report);
  const [only] = calls;
  const comparison =
    expect.value.kind === "binary" && ["<", "<=", ">", ">=", "==", "!="].includes(expect.value.operator);
  const name = only?.callee.kind === "reference" ? only.callee.name : "";
  if (!comparison && name === "params") {
    report.add("wrong-option", expect.value.span, "params(...) is a number, and an expectation is a comparison", {
      hint: `write expect ${EXPECTATIONS.params.usage}`,
    });
  }
}

function callsOf(expression: Expression): readonly Call[] {
  if (expression.kind === "call") return [expression];
  return children(expression).flatMap(callsOf);
}

function checkCall(modules: Modules, call: Call, report: Report): void {
  const name = call.callee.kind === "reference" ? call.callee.name : "";
  if (LATER.has(name)) {
    report.add("not-yet", call.span, `${name} is not built yet`, {
      hint: "a later version of seqc brings it",
      severity: "warning",
    });
    return;
  }
  if (!Object.hasOwn(EXPECTATIONS, name)) {
    const near = nearest(name, Object.keys(EXPECTATIONS));
    report.add(
      "unknown-name",
      call.callee.span,
      name === "" ? "expect asks by name" : `expect knows no ${name}`,
      near === undefined ? { hint: `it knows ${Object.keys(EXPECTATIONS).join(", ")}` } : meant(near, call.callee.span),
    );
    return;
  }
  const { definitions, usage } = EXPECTATIONS[name as keyof typeof EXPECTATIONS];
  const named = call.args.filter((argument) => argument.name === undefined);
  if (named.length !== definitions) {
    report.add(
      "wrong-arguments",
      call.span,
      `${name} takes ${definitions === 1 ? "one definition" : `${definitions} definitions`}`,
      {
        hint: `write ${usage}`,
      },
    );
    return;
  }
  for (const argument of named) checkDefinitionName(modules, argument.value, report);
}

function checkDefinitionName(modules: Modules, expression: Expression, report: Report): void {
  const callee = expression.kind === "call" ? expression.callee : expression;
  const inLibrary = callee.kind === "member" && callee.object.kind === "reference" && callee.object.name === "std";
  const name = callee.kind === "reference" ? callee.name : inLibrary ? (callee.names[0]?.text ?? "") : "";
  const found = inLibrary ? modules.library.get(name) : findDefinition(modules, modules.entry.file, name);
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
