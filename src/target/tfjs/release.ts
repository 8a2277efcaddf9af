import type { Statement, TensorProgram } from "./program.ts";
import { variablesOf } from "./program.ts";
import { allExpressions } from "./statements.ts";

/** Frees are gathered to the end of an equation, but not beyond this many tensors. */
const MAX_WAITING = 8;

/**
 * The same program with every tensor of the outermost block freed after its last use. Steps of a loop need no such statements:
 * whoever runs them frees at the end of each all but what it gives away.
 */
export function withReleases(program: TensorProgram): TensorProgram {
  const last = new Map<string, number>();
  program.statements.forEach((statement, at) => {
    for (const name of definedBy(statement)) last.set(name, at);
    for (const name of allExpressions(statement).flatMap(variablesOf)) if (last.has(name)) last.set(name, at);
  });
  for (const name of program.results.flatMap((result) => variablesOf(result.value))) last.delete(name);
  const dying = new Map<number, string[]>();
  for (const [name, at] of last) dying.set(at, [...(dying.get(at) ?? []), name]);
  const statements: Statement[] = [];
  let waiting: readonly string[] = [];
  program.statements.forEach((statement, at) => {
    statements.push(statement);
    waiting = [...waiting, ...(dying.get(at) ?? [])];
    const next = program.statements[at + 1];
    const ends = next === undefined || next.kind === "loop" || originOf(next) !== originOf(statement);
    if (next === undefined || waiting.length === 0 || !(ends || waiting.length >= MAX_WAITING)) return;
    statements.push({ kind: "dispose", names: waiting });
    waiting = [];
  });
  return { ...program, statements };
}

function definedBy(statement: Statement): readonly string[] {
  if (statement.kind === "define") return [statement.name];
  return statement.kind === "loop" ? [...statement.carries, ...statement.collected].map((one) => one.name) : [];
}

function originOf(statement: Statement): string | undefined {
  if (statement.kind === "dispose" || statement.origin === undefined) return undefined;
  return `${statement.origin.gradient ? "gradient of " : ""}${statement.origin.name}`;
}
