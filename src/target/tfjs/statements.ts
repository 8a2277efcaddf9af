import { type Size, sizeNames } from "../../ir/size.ts";
import type { Expression, Statement, TensorProgram } from "./program.ts";

/** The expressions that a statement evaluates before it is done, those of its body excepted. */
export function ownExpressions(statement: Statement): readonly Expression[] {
  switch (statement.kind) {
    case "define":
      return [statement.value];
    case "loop":
      return statement.carries.map((carry) => carry.start);
    case "dispose":
      return [];
    default:
      return statement satisfies never;
  }
}

/** All expressions of a statement, its body included. */
export function allExpressions(statement: Statement): readonly Expression[] {
  if (statement.kind !== "loop") return ownExpressions(statement);
  return [...ownExpressions(statement), ...stepResults(statement), ...statement.body.flatMap(allExpressions)];
}

/** What each step of a loop gives away. */
export function stepResults(loop: Statement & { readonly kind: "loop" }): readonly Expression[] {
  return [...loop.carries.map((carry) => carry.next), ...loop.collected.map((one) => one.value)];
}

/** Sizes that are known when the program runs only, sorted. */
export function sizeNamesOf(program: TensorProgram): readonly string[] {
  const names = new Set<string>();
  const add = (size: Size): void => {
    for (const name of sizeNames(size)) names.add(name);
  };
  const visit = (expression: Expression): void => {
    if (expression.kind === "size") add(expression.size);
    if (expression.kind === "list") expression.items.forEach(visit);
    if (expression.kind === "call") expression.args.forEach(visit);
  };
  const visitStatement = (statement: Statement): void => {
    allExpressions(statement).forEach(visit);
    for (const loop of loopsOf(statement)) {
      add(loop.length);
      for (const one of loop.collected) visit(one.shape);
    }
  };
  program.statements.forEach(visitStatement);
  for (const result of program.results) visit(result.value);
  return [...names].sort();
}

function loopsOf(statement: Statement): readonly (Statement & { readonly kind: "loop" })[] {
  return statement.kind === "loop" ? [statement, ...statement.body.flatMap(loopsOf)] : [];
}
