import { type Comments, listParts } from "./comments.ts";
import { align, type Doc, fill, group, indent, join, line, softLine } from "./doc.ts";
import { COMPARISON, LEVEL } from "./precedence.ts";
import type { Argument, Binary, BinaryOperator, Expression, Subscript } from "./tree.ts";

/** How far the lines of a broken expression stand to the right of where the item begins. */
export const HANGING = 4;

/** `by` stands only in arguments and metrics; a scan takes all that follows, so inside others it has parentheses. */
const WHOLE = -1;
export const SCAN = 0;

/** An expression as a document, in parentheses if it binds less tightly than `least`. */
export function expressionDoc(expression: Expression, comments: Comments, least: number = WHOLE): Doc {
  const doc = bareDoc(expression, comments);
  return levelOf(expression) < least ? ["(", doc, ")"] : doc;
}

function levelOf(expression: Expression): number {
  switch (expression.kind) {
    case "by":
      return WHOLE;
    case "scan":
      return SCAN;
    case "binary":
      return LEVEL[expression.operator];
    case "unary":
      return expression.operator === "not" ? LEVEL.not : LEVEL.minus;
    case "else":
      return LEVEL.else;
    case "member":
    case "call":
    case "index":
      return LEVEL.postfix;
    case "number":
    case "string":
    case "reference":
    case "list":
    case "tuple":
      return LEVEL.primary;
  }
}

function bareDoc(expression: Expression, comments: Comments): Doc {
  const inner = (of: Expression, least: number) => expressionDoc(of, comments, least);
  switch (expression.kind) {
    case "number":
      return expression.text;
    case "string":
      return quote(expression.value);
    case "reference":
      return expression.primed ? `${expression.name}'` : expression.name;
    case "member":
      return [inner(expression.object, LEVEL.postfix), ".", membersText(expression.names.map(({ text }) => text))];
    case "call":
      return callDoc(expression, comments);
    case "index": {
      const object = inner(expression.object, LEVEL.postfix);
      const parts = listParts(comments, expression.subscripts, expression.span.end - 1, (subscript) =>
        subscriptDoc(subscript, comments),
      );
      return [object, bracketed("[", parts, "]")];
    }
    case "unary":
      return expression.operator === "not"
        ? ["not ", inner(expression.operand, LEVEL.not)]
        : ["-", inner(expression.operand, LEVEL.minus)];
    case "binary":
      return expression.operator === "**" ? powerDoc(expression, comments) : chainDoc(expression, comments);
    case "else":
      return [inner(expression.value, LEVEL.else), " else ", otherwiseDoc(expression.otherwise, comments)];
    case "list":
    case "tuple": {
      const parts = listParts(comments, expression.items, expression.span.end - 1, (item) => inner(item, SCAN));
      const numbers = expression.items.every((item) => item.kind === "number");
      if (expression.kind === "list") return bracketed("[", numbers && parts.length > 0 ? [fill(parts)] : parts, "]");
      return bracketed("(", expression.items.length === 1 ? [...parts, ","] : parts, ")");
    }
    case "scan":
      return group(
        "scan ",
        inner(expression.cell, LEVEL.postfix),
        " over ",
        inner(expression.over, LEVEL["+"]),
        expression.from === undefined ? "" : [" from ", inner(expression.from, LEVEL["+"])],
        expression.reverse ? " reverse" : "",
      );
    case "by":
      return [inner(expression.value, SCAN), " by ", inner(expression.method, SCAN)];
  }
}

/** `i`, or `{i, f}` */
export function membersText(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `{${names.join(", ")}}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t" };

export function quote(value: string): string {
  return `"${value.replace(/["\\\n\t]/g, (character) => ESCAPES[character] ?? character)}"`;
}

/** A list in brackets: on one line, or its parts on lines of their own. The parts have their commas. */
export function bracketed(open: string, parts: readonly Doc[], close: string): Doc {
  if (parts.length === 0) return open + close;
  return group(open, indent(2, softLine, join(parts, line)), softLine, close);
}

function callDoc(call: Expression & { readonly kind: "call" }, comments: Comments): Doc {
  const bareIndex = call.callee.kind === "index" && call.axes.length === 0;
  const callee = expressionDoc(call.callee, comments, bareIndex ? LEVEL.primary : LEVEL.postfix);
  const axes = call.axes.map((axis) => sizeDoc(axis, comments));
  const parts = listParts(comments, call.args, call.span.end - 1, (argument) => argumentDoc(argument, comments));
  return [callee, axes.length === 0 ? "" : ["[", join(axes, ", "), "]"], bracketed("(", parts, ")")];
}

function argumentDoc({ name, value }: Argument, comments: Comments): Doc {
  return [name === undefined ? "" : `${name.text}: `, expressionDoc(value, comments)];
}

function subscriptDoc(subscript: Subscript, comments: Comments): Doc {
  if (subscript.kind === "at") return sizeDoc(subscript.value, comments);
  const bound = (value: Expression | undefined) => (value === undefined ? "" : sizeDoc(value, comments));
  return [bound(subscript.from), ":", bound(subscript.to)];
}

/** A size or a place: `2*H`, `t+1`, without blanks where it is as simple as that. */
export function sizeDoc(expression: Expression, comments: Comments): Doc {
  return isSimple(expression) ? tightText(expression, 0) : expressionDoc(expression, comments, SCAN);
}

const tightOperators: ReadonlySet<BinaryOperator> = new Set(["+", "-", "*", "/", "%", "**"]);

function isSimple(expression: Expression): boolean {
  if (expression.kind !== "binary") return expression.kind === "number" || expression.kind === "reference";
  return tightOperators.has(expression.operator) && isSimple(expression.left) && isSimple(expression.right);
}

function tightText(expression: Expression, least: number): string {
  if (expression.kind === "number") return expression.text;
  if (expression.kind === "reference") return expression.primed ? `${expression.name}'` : expression.name;
  if (expression.kind !== "binary") throw new Error("internal: not a simple size");
  const [left, right] = operandLevels(expression.operator);
  const text = tightText(expression.left, left) + expression.operator + tightText(expression.right, right);
  return LEVEL[expression.operator] < least ? `(${text})` : text;
}

/** How tightly the operands of an operator must bind to need no parentheses. */
function operandLevels(operator: BinaryOperator): readonly [left: number, right: number] {
  const level = LEVEL[operator];
  if (operator === "**") return [LEVEL.else, LEVEL.minus];
  return level === COMPARISON ? [level + 1, level + 1] : [level, level + 1];
}

function powerDoc({ left, right }: Binary, comments: Comments): Doc {
  const [before, behind] = operandLevels("**");
  return [expressionDoc(left, comments, before), "**", expressionDoc(right, comments, behind)];
}

/** `2*H`, `D/N`: products of sizes, named with a capital, and whole numbers stand close together everywhere. */
function isProductOfSizes(expression: Expression): boolean {
  if (expression.kind === "number") return /^[\d_]+$/.test(expression.text);
  if (expression.kind === "reference") return /^[A-Z]/.test(expression.name) && !expression.primed;
  const product = expression.kind === "binary" && (expression.operator === "*" || expression.operator === "/");
  return product && isProductOfSizes(expression.left) && isProductOfSizes(expression.right);
}

/** Operators of one level that group to the left are one list, broken before operators where a line is full. */
function chainDoc(expression: Binary, comments: Comments): Doc {
  if (isProductOfSizes(expression)) return tightText(expression, 0);
  const rest: { readonly operator: string; readonly operand: Expression; readonly least: number }[] = [];
  let first: Expression = expression;
  let least = 0;
  while (
    first.kind === "binary" &&
    LEVEL[first.operator] === LEVEL[expression.operator] &&
    least <= LEVEL[first.operator]
  ) {
    const [left, right] = operandLevels(first.operator);
    rest.unshift({ operator: first.operator, operand: first.right, least: right });
    least = left;
    first = first.left;
  }
  const head = expressionDoc(first, comments, least);
  const tail = rest.map((each) => [each.operator, " ", expressionDoc(each.operand, comments, each.least)]);
  return indent(HANGING, fill([head, ...tail]));
}

/** A sign on a value that binds as tightly as a call, or parentheses. */
function otherwiseDoc(expression: Expression, comments: Comments): Doc {
  if (expression.kind === "unary" && expression.operator === "-") {
    let innermost: Expression = expression;
    while (innermost.kind === "unary" && innermost.operator === "-") innermost = innermost.operand;
    if (levelOf(innermost) >= LEVEL.postfix) return ["-", otherwiseDoc(expression.operand, comments)];
  }
  return expressionDoc(expression, comments, LEVEL.postfix);
}

/** Elements that fill their lines, later lines under the first. */
export function filled(parts: readonly Doc[]): Doc {
  return align(fill(parts));
}
