import type { Expression } from "../../src/syntax/tree.ts";
import { printExpression } from "../../src/syntax/walk.ts";

/**
 * A tree as indented text, one field a line: what a golden shows. Expressions have a parenthesis around every operation,
 * so that a change of precedence is seen; the axes of a call stand in angles.
 */
export function summary(tree: object): string {
  return `${lines(tree, "").join("\n")}\n`;
}

const left = new Set(["span", "operatorSpan", "comments", "unread", "kind"]);

function lines(value: unknown, margin: string): string[] {
  if (!isRecord(value)) return [`${margin}${JSON.stringify(value)}`];
  if (isExpression(value)) return [margin + bare(value)];
  const title = typeof value.kind === "string" ? [`${margin}${value.kind}`] : [];
  const fields = Object.entries(value).filter(
    ([key, field]) => !left.has(key) && field !== undefined && !isEmpty(field),
  );
  const inner = title.length > 0 ? `${margin}  ` : margin;
  return [...title, ...fields.flatMap(([key, field]) => fieldLines(key, field, inner))];
}

function fieldLines(key: string, field: unknown, margin: string): string[] {
  const short = shortText(field);
  if (short !== undefined) return [`${margin}${key}: ${short}`];
  if (!Array.isArray(field)) return [`${margin}${key}:`, ...lines(field, `${margin}  `)];
  if (field.length === 0) return [`${margin}${key}: none`];
  const texts = field.map(shortText);
  if (texts.every((text) => text !== undefined)) return [`${margin}${key}: ${texts.join(" | ")}`];
  return [
    `${margin}${key}:`,
    ...field.flatMap((each) => {
      const [first, ...rest] = lines(each, `${margin}    `);
      return [`${margin}  - ${first!.trimStart()}`, ...rest];
    }),
  ];
}

function shortText(value: unknown): string | undefined {
  if (!isRecord(value)) return Array.isArray(value) ? undefined : JSON.stringify(value);
  if (isExpression(value)) return bare(value);
  if (typeof value.text === "string" && value.kind === undefined) return value.text;
  return undefined;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const kinds = new Set("number string reference member call index unary binary else list tuple scan by".split(" "));

function isExpression(value: Record<string, unknown>): value is Expression & Record<string, unknown> {
  return typeof value.kind === "string" && kinds.has(value.kind);
}

function bare(expression: Expression): string {
  const text = full(expression);
  return text.startsWith("(") && ["unary", "binary", "else", "scan", "by"].includes(expression.kind)
    ? text.slice(1, -1)
    : text;
}

function full(expression: Expression): string {
  switch (expression.kind) {
    case "number":
    case "string":
    case "reference":
      return printExpression(expression);
    case "member":
      return `${full(expression.object)}.${expression.names.map(({ text }) => text).join("&")}`;
    case "call": {
      const axes = expression.axes.length === 0 ? "" : `<${expression.axes.map(bare).join(", ")}>`;
      const args = expression.args.map(({ name, value }) => (name === undefined ? "" : `${name.text}: `) + bare(value));
      return `${full(expression.callee)}${axes}(${args.join(", ")})`;
    }
    case "index": {
      const bound = (value: Expression | undefined) => (value === undefined ? "" : bare(value));
      const parts = expression.subscripts.map((each) =>
        each.kind === "at" ? bare(each.value) : `${bound(each.from)}:${bound(each.to)}`,
      );
      return `${full(expression.object)}[${parts.join(", ")}]`;
    }
    case "unary":
      return `(${expression.operator} ${full(expression.operand)})`;
    case "binary":
      return `(${full(expression.left)} ${expression.operator} ${full(expression.right)})`;
    case "else":
      return `(${full(expression.value)} else ${full(expression.otherwise)})`;
    case "list":
      return `[${expression.items.map(bare).join(", ")}]`;
    case "tuple":
      return `tuple(${expression.items.map(bare).join(", ")})`;
    case "scan": {
      const from = expression.from === undefined ? "" : ` from ${full(expression.from)}`;
      return `(scan ${full(expression.cell)} over ${full(expression.over)}${from}${expression.reverse ? " reverse" : ""})`;
    }
    case "by":
      return `(${full(expression.value)} by ${full(expression.method)})`;
  }
}
