import type { Expression, Statement, TensorProgram } from "../../target/tfjs/program.ts";
import { allExpressions } from "../../target/tfjs/statements.ts";

/** The support functions that a program's code calls. */
export function supportCalls(program: TensorProgram): readonly string[] {
  const names = new Set<string>();
  const visit = (expression: Expression): void => {
    if (expression.kind === "list") expression.items.forEach(visit);
    if (expression.kind !== "call") return;
    if (expression.callee.from === "support") names.add(expression.callee.name);
    expression.args.forEach(visit);
  };
  program.statements.flatMap(allExpressions).forEach(visit);
  for (const result of program.results) visit(result.value);
  if (program.statements.some(collects)) names.add("stack");
  return [...names];
}

function collects(statement: Statement): boolean {
  return statement.kind === "loop" && (statement.collected.length > 0 || statement.body.some(collects));
}
