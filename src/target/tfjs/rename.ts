import type { Names } from "./names.ts";
import type { Expression, Statement, TensorProgram } from "./program.ts";

/** Joins a wanted name to a number that makes it unique until names are given out. */
const MARK = "#";

/** Provisional names: each unique, none short. */
export function createMarks(): Names {
  let count = 0;
  return { fresh: (wanted) => `${wanted}${MARK}${count++}` };
}

/** Gives every variable its name for good: what the source names first, so that it gets the plain names. */
export function withNames(program: TensorProgram, names: Names): TensorProgram {
  const given = new Map<string, string>();
  const give = (mark: string): void => {
    if (!given.has(mark)) given.set(mark, names.fresh(wantedName(mark)));
  };
  for (const param of program.params) give(param.name);
  for (const wanted of [false, true])
    for (const statement of program.statements) nameStatement(statement, wanted, give);
  const nameOf = (mark: string): string => given.get(mark) ?? mark;
  return {
    ...program,
    params: program.params.map((param) => ({ ...param, name: nameOf(param.name) })),
    statements: program.statements.map((statement) => renamedStatement(statement, nameOf)),
    results: program.results.map((result) => ({ ...result, value: renamed(result.value, nameOf) })),
  };
}

function nameStatement(statement: Statement, isTemporary: boolean, give: (mark: string) => void): void {
  if (statement.kind === "define" && statement.temporary === isTemporary) give(statement.name);
  if (statement.kind !== "loop") return;
  for (const inner of statement.body) nameStatement(inner, isTemporary, give);
  if (!isTemporary) return;
  give(statement.index);
  for (const carry of statement.carries) give(carry.name);
  for (const one of statement.collected) {
    give(one.name);
    give(one.steps);
  }
}

function renamedStatement(statement: Statement, nameOf: (mark: string) => string): Statement {
  switch (statement.kind) {
    case "define":
      return { ...statement, name: nameOf(statement.name), value: renamed(statement.value, nameOf) };
    case "dispose":
      return { ...statement, names: statement.names.map(nameOf) };
    case "loop":
      return {
        ...statement,
        index: nameOf(statement.index),
        carries: statement.carries.map(({ name, start, next }) => ({
          name: nameOf(name),
          start: renamed(start, nameOf),
          next: renamed(next, nameOf),
        })),
        collected: statement.collected.map((one) => ({
          ...one,
          name: nameOf(one.name),
          steps: nameOf(one.steps),
          value: renamed(one.value, nameOf),
        })),
        body: statement.body.map((inner) => renamedStatement(inner, nameOf)),
      };
    default:
      return statement satisfies never;
  }
}

function renamed(expression: Expression, nameOf: (mark: string) => string): Expression {
  switch (expression.kind) {
    case "variable":
      return { ...expression, name: nameOf(expression.name) };
    case "list":
      return { ...expression, items: expression.items.map((item) => renamed(item, nameOf)) };
    case "call":
      return { ...expression, args: expression.args.map((arg) => renamed(arg, nameOf)) };
    case "number":
    case "size":
    case "text":
      return expression;
    default:
      return expression satisfies never;
  }
}

/** The wanted part of a provisional name. */
export function wantedName(mark: string): string {
  const at = mark.lastIndexOf(MARK);
  return at < 0 ? mark : mark.slice(0, at);
}
