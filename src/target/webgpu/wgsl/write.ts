import { type BlockStatement, type Expression, PRECEDENCE, type SimpleStatement, type Statement } from "./syntax.ts";

/** Statements as text, each on a line, and no more brackets than it takes. `step` is how far a body is indented, `pad` the outermost indentation. */
export function writeStatements(statements: readonly Statement[], step: string, pad = ""): string {
  return statements
    .map((statement) =>
      "body" in statement
        ? `${pad}${header(statement)}{\n${writeStatements(statement.body, step, pad + step)}\n${pad}}`
        : `${pad}${writeSimple(statement)}${statement.kind === "comment" ? "" : ";"}`,
    )
    .join("\n");
}

function header(statement: BlockStatement): string {
  switch (statement.kind) {
    case "block":
      return "";
    case "if":
    case "while":
      return `${statement.kind} (${writeExpression(statement.condition)}) `;
    case "for": {
      const { start, condition, next } = statement;
      return `for (${writeSimple(start)}; ${writeExpression(condition)}; ${writeSimple(next)}) `;
    }
    default:
      return statement satisfies never;
  }
}

function writeSimple(statement: SimpleStatement): string {
  switch (statement.kind) {
    case "let":
      return `let ${statement.name} = ${writeExpression(statement.value)}`;
    case "var": {
      const { name, type, value } = statement;
      return `var ${name}${type === undefined ? "" : `: ${type}`}${value === undefined ? "" : ` = ${writeExpression(value)}`}`;
    }
    case "set": {
      const { target, operator, value } = statement;
      return `${writeExpression(target)}${value === undefined ? operator : ` ${operator} ${writeExpression(value)}`}`;
    }
    case "call":
      return writeExpression(statement.call);
    case "return":
      return `return ${writeExpression(statement.value)}`;
    case "comment":
      return statement.text;
    default:
      return statement satisfies never;
  }
}

function writeExpression(expression: Expression): string {
  switch (expression.kind) {
    case "word":
      return expression.text;
    case "call":
      return `${expression.called}(${expression.args.map(writeArgument).join(", ")})`;
    case "index":
      return `${tight(expression.of)}[${writeExpression(expression.at)}]`;
    case "member":
      return `${tight(expression.of)}.${expression.name}`;
    case "unary":
      return `${expression.operator}${tight(expression.of)}`;
    case "binary": {
      const { operator, left, right } = expression;
      return `${operand(left, operator, false)} ${operator} ${operand(right, operator, true)}`;
    }
    default:
      return expression satisfies never;
  }
}

/** In front of another argument, what is behind a `<` might be taken for a type. */
function writeArgument(argument: Expression, index: number, all: readonly Expression[]): string {
  const text = writeExpression(argument);
  return index < all.length - 1 && isComparison(argument) ? `(${text})` : text;
}

function tight(expression: Expression): string {
  const text = writeExpression(expression);
  return expression.kind === "binary" || expression.kind === "unary" ? `(${text})` : text;
}

/** WGSL takes arithmetic in comparisons, and these in conjunctions and disjunctions; whatever else is mixed has brackets. */
function operand(expression: Expression, outer: string, isRight: boolean): string {
  const text = writeExpression(expression);
  if (expression.kind === "unary") return isRight && expression.operator === "-" ? `(${text})` : text;
  if (expression.kind !== "binary") return text;
  const { operator } = expression;
  const own = PRECEDENCE[operator] ?? 0;
  const around = PRECEDENCE[outer] ?? 0;
  if (isArithmetic(operator) && isArithmetic(outer) && (isRight ? own > around : own >= around)) return text;
  if (isArithmetic(operator) && COMPARISONS.has(outer)) return text;
  if (isComparison(expression) && (outer === "&&" || outer === "||")) return text;
  return operator === outer && !isRight && own <= 5 ? text : `(${text})`;
}

const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", ">", "<=", ">="]);

function isComparison(expression: Expression): boolean {
  return expression.kind === "binary" && COMPARISONS.has(expression.operator);
}

function isArithmetic(operator: string): boolean {
  return (PRECEDENCE[operator] ?? 0) >= 9;
}
