import { type BlockStatement, type Expression, PRECEDENCE, type SimpleStatement, type Statement } from "./syntax.ts";

/** How text is set. */
export interface Style {
  /** How far bodies are indented. */
  readonly step: string;
  /** What stands around arithmetic and comparisons, and behind commas. */
  readonly space: string;
}

/** Statements as text, each on a line, and no more brackets than it takes. `pad` is the outermost indentation. */
export function writeStatements(statements: readonly Statement[], style: Style, pad = ""): string {
  const { step, space } = style;
  return statements
    .map((statement) =>
      "body" in statement
        ? `${pad}${header(statement, space)}{\n${writeStatements(statement.body, style, pad + step)}\n${pad}}`
        : `${pad}${writeSimple(statement, space)}${statement.kind === "comment" ? "" : ";"}`,
    )
    .join("\n");
}

function header(statement: BlockStatement, space: string): string {
  switch (statement.kind) {
    case "block":
      return "";
    case "if":
    case "while":
      return `${statement.kind} (${writeExpression(statement.condition, space)}) `;
    case "for": {
      const { start, condition, next } = statement;
      return `for (${writeSimple(start, space)}; ${writeExpression(condition, space)}; ${writeSimple(next, space)}) `;
    }
    default:
      return statement satisfies never;
  }
}

function writeSimple(statement: SimpleStatement, space: string): string {
  const written = (expression: Expression): string => writeExpression(expression, space);
  switch (statement.kind) {
    case "let":
      return `let ${statement.name} = ${written(statement.value)}`;
    case "var": {
      const { name, type, value } = statement;
      if (value === undefined) return `var ${name}${type === undefined ? "" : `: ${type}`}`;
      return `var ${name}${type === undefined || isOfType(value, type) ? "" : `: ${type}`} = ${written(value)}`;
    }
    case "set": {
      const { target, operator, value } = statement;
      return `${written(target)}${value === undefined ? operator : ` ${operator} ${written(value)}`}`;
    }
    case "call":
      return written(statement.call);
    case "return":
      return `return ${written(statement.value)}`;
    case "comment":
      return statement.text;
    default:
      return statement satisfies never;
  }
}

/** Whether a value says its type itself. */
function isOfType(value: Expression, type: string): boolean {
  return (
    (value.kind === "call" && value.called === type) ||
    (value.kind === "word" && type === "f32" && /^[\d.]+f$/.test(value.text))
  );
}

function writeExpression(expression: Expression, space: string): string {
  const written = (part: Expression): string => writeExpression(part, space);
  switch (expression.kind) {
    case "word":
      return expression.text;
    case "call": {
      const { called, args } = expression;
      return `${called}(${args.map((each, at) => writeArgument(each, at < args.length - 1, space)).join(`,${space}`)})`;
    }
    case "index":
      return `${tight(expression.of, space)}[${written(expression.at)}]`;
    case "member":
      return `${tight(expression.of, space)}.${expression.name}`;
    case "unary":
      return `${expression.operator}${tight(expression.of, space)}`;
    case "binary": {
      const { operator, left, right } = expression;
      const around = operator === "&&" || operator === "||" ? " " : space;
      return `${operand(left, operator, false, space)}${around}${operator}${around}${operand(right, operator, true, space)}`;
    }
    default:
      return expression satisfies never;
  }
}

/** In front of another argument, what is behind a `<` might be taken for a type. */
function writeArgument(argument: Expression, isBefore: boolean, space: string): string {
  const text = writeExpression(argument, space);
  return isBefore && isComparison(argument) ? `(${text})` : text;
}

function tight(expression: Expression, space: string): string {
  const text = writeExpression(expression, space);
  return expression.kind === "binary" || expression.kind === "unary" ? `(${text})` : text;
}

/** WGSL takes arithmetic in comparisons, and these in conjunctions and disjunctions; whatever else is mixed has brackets. */
function operand(expression: Expression, outer: string, isRight: boolean, space: string): string {
  const text = writeExpression(expression, space);
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
