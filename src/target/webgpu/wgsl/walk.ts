import type { Expression, SimpleStatement, Statement } from "./syntax.ts";

/** An expression whose parts are replaced, innermost first. */
export function mapExpression(expression: Expression, change: (part: Expression) => Expression): Expression {
  const inner = (part: Expression): Expression => mapExpression(part, change);
  switch (expression.kind) {
    case "word":
      return change(expression);
    case "call":
      return change({ ...expression, args: expression.args.map(inner) });
    case "index":
      return change({ ...expression, of: inner(expression.of), at: inner(expression.at) });
    case "member":
    case "unary":
      return change({ ...expression, of: inner(expression.of) });
    case "binary":
      return change({ ...expression, left: inner(expression.left), right: inner(expression.right) });
    default:
      return expression satisfies never;
  }
}

/** A statement with other expressions; its body stays. */
export function mapStatement<S extends Statement>(statement: S, change: (expression: Expression) => Expression): S;
export function mapStatement(statement: Statement, change: (expression: Expression) => Expression): Statement {
  switch (statement.kind) {
    case "if":
    case "while":
      return { ...statement, condition: change(statement.condition) };
    case "for": {
      const { start, condition, next } = statement;
      return {
        ...statement,
        start: mapSimple(start, change),
        condition: change(condition),
        next: mapSimple(next, change),
      };
    }
    case "block":
      return statement;
    default:
      return mapSimple(statement, change);
  }
}

function mapSimple(statement: SimpleStatement, change: (expression: Expression) => Expression): SimpleStatement {
  switch (statement.kind) {
    case "let":
    case "return":
      return { ...statement, value: change(statement.value) };
    case "var":
      return { ...statement, ...(statement.value && { value: change(statement.value) }) };
    case "set":
      return {
        ...statement,
        target: change(statement.target),
        ...(statement.value && { value: change(statement.value) }),
      };
    case "call":
      return { ...statement, call: change(statement.call) };
    case "comment":
      return statement;
    default:
      return statement satisfies never;
  }
}

/** Shows every part of an expression, outermost first. */
export function visitExpression(expression: Expression, visit: (part: Expression) => void): void {
  visit(expression);
  switch (expression.kind) {
    case "word":
      return;
    case "call":
      for (const argument of expression.args) visitExpression(argument, visit);
      return;
    case "index":
      visitExpression(expression.of, visit);
      visitExpression(expression.at, visit);
      return;
    case "member":
    case "unary":
      visitExpression(expression.of, visit);
      return;
    case "binary":
      visitExpression(expression.left, visit);
      visitExpression(expression.right, visit);
      return;
    default:
      expression satisfies never;
  }
}

/** Shows every part of the expressions of a statement itself, not of its body. */
export function visitStatement(statement: Statement, visit: (part: Expression) => void): void {
  switch (statement.kind) {
    case "if":
    case "while":
      visitExpression(statement.condition, visit);
      return;
    case "for":
      visitStatement(statement.start, visit);
      visitExpression(statement.condition, visit);
      visitStatement(statement.next, visit);
      return;
    case "set":
      visitExpression(statement.target, visit);
      if (statement.value !== undefined) visitExpression(statement.value, visit);
      return;
    case "let":
    case "var":
    case "return":
      if (statement.value !== undefined) visitExpression(statement.value, visit);
      return;
    case "call":
      visitExpression(statement.call, visit);
      return;
    case "block":
    case "comment":
      return;
    default:
      statement satisfies never;
  }
}

/** The same of its body as well. */
export function visitDeep(statement: Statement, visit: (part: Expression) => void): void {
  visitStatement(statement, visit);
  if ("body" in statement) for (const inner of statement.body) visitDeep(inner, visit);
}

/** A statement, its body as well, whose expressions' parts are replaced, innermost first. */
export function mapDeep(statement: Statement, change: (part: Expression) => Expression): Statement {
  const own = mapStatement(statement, (expression) => mapExpression(expression, change));
  return "body" in own ? { ...own, body: own.body.map((inner) => mapDeep(inner, change)) } : own;
}
