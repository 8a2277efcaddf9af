import { property } from "../tfjs/layout.ts";

/** Data and code that becomes the text of an expression. */
export type Literal = number | string | boolean | null | Code | readonly Literal[] | Fields;

/** Plain data whose fields are literals. */
type Fields = object;

/** An expression as it is. */
export interface Code {
  readonly code: string;
}

const WIDTH = 110;

/** The text of an expression; what does not fit on a line is broken into one line for each part. */
export function printLiteral(value: Literal, indent = 0): string {
  const flat = flatText(value);
  if (flat.length + indent <= WIDTH || typeof value !== "object" || value === null || isCode(value)) return flat;
  const pad = " ".repeat(indent + 2);
  const end = " ".repeat(indent);
  if (isList(value)) {
    const items = runsOf(value).flatMap(({ item, count }) =>
      count > MANY
        ? [`...Array<null>(${count}).fill(null)`]
        : Array<string>(count).fill(printLiteral(item, indent + 2)),
    );
    return `[\n${items.map((item) => `${pad}${item},\n`).join("")}${end}]`;
  }
  const fields = Object.entries(value).map(
    ([name, field]) => `${pad}${property(name)}: ${printLiteral(field, indent + 2)},\n`,
  );
  return `{\n${fields.join("")}${end}}`;
}

/** From so many on, nothings are counted. */
const MANY = 8;

/** A list's items, nothings next to one another together. */
function runsOf(list: readonly Literal[]): readonly { readonly item: Literal; readonly count: number }[] {
  const runs: { readonly item: Literal; count: number }[] = [];
  for (const item of list) {
    const last = runs.at(-1);
    if (item === null && last?.item === null) last.count++;
    else runs.push({ item, count: 1 });
  }
  return runs;
}

function flatText(value: Literal): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : `Number.${infinite(value)}`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isCode(value)) return value.code;
  if (isList(value)) return `[${value.map(flatText).join(", ")}]`;
  const fields = Object.entries(value).map(([name, field]) => `${property(name)}: ${flatText(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

function infinite(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "POSITIVE_INFINITY" : "NEGATIVE_INFINITY";
}

function isList(value: object): value is readonly Literal[] {
  return Array.isArray(value);
}

function isCode(value: object): value is Code {
  return "code" in value && Object.keys(value).length === 1 && typeof value.code === "string";
}
