import type { Report } from "../base/diagnostic.ts";
import { nearest } from "../base/nearest.ts";
import type { Argument, Call, Expression, Member } from "../syntax/tree.ts";
import { type Constant, constantValue } from "./constants.ts";
import { matchArguments } from "./reader-arguments.ts";
import { type ArgumentKind, isReader, READERS, type ReaderParameter, readerSignature } from "./readers.ts";

/** What a reader expression gives, as far as it is known before a file is opened. */
export interface ReaderShape {
  /** Whether it gives several columns. */
  readonly table: boolean;
  /** The columns' names, where they are always the same. */
  readonly columns: readonly string[] | undefined;
}

const COLUMN: ReaderShape = { table: false, columns: undefined };
const UNKNOWN: ReaderShape = { table: true, columns: undefined };

/** Checks names, arguments and column access of a reader expression; no file is touched. */
export function checkReader(expression: Expression, report: Report): ReaderShape {
  if (expression.kind === "call") return checkCall(expression, report);
  if (expression.kind === "member") return checkMember(expression, report);
  report.add("wrong-kind", expression.span, "data comes from a reader", { hint: 'as in data x = csv("x.csv").price' });
  return UNKNOWN;
}

function checkMember(expression: Member, report: Report): ReaderShape {
  const shape = checkReader(expression.object, report);
  const [name, second] = expression.names;
  if (name === undefined) return COLUMN;
  if (second !== undefined)
    report.add("wrong-kind", second.span, "one column is chosen at a time", {
      hint: "several are named on the left: data a, b = ...",
    });
  if (!shape.table) report.add("unknown-member", name.span, "this gives one column, without a name");
  else if (shape.columns?.includes(name.text) === false) {
    const near = nearest(name.text, shape.columns) ?? shape.columns.join(" or ");
    report.add("unknown-member", name.span, `there is no column \`${name.text}\``, { hint: `did you mean ${near}?` });
  }
  return COLUMN;
}

function checkCall(call: Call, report: Report): ReaderShape {
  if (call.callee.kind !== "reference" || !isReader(call.callee.name)) {
    reportUnknown(call, report);
    for (const argument of call.args) if (isData(argument.value)) checkReader(argument.value, report);
    return UNKNOWN;
  }
  const { name } = call.callee;
  const signature = readerSignature(name);
  if (call.axes[0] !== undefined) report.add("wrong-arguments", call.axes[0].span, `${name} takes no axes`);
  const matched = matchArguments(signature, name, call, report);
  let inner: ReaderShape = UNKNOWN;
  for (const parameter of signature.parameters) {
    const argument = matched.parameters.get(parameter.name);
    if (argument === undefined) continue;
    const shape = checkArgument(argument, parameter, `\`${parameter.name}\` of ${name}`, report);
    if (parameter.kind === "data") inner = shape;
  }
  const kind = signature.rest?.kind ?? "any";
  for (const argument of matched.rest) checkArgument(argument, { name: "", kind }, `what ${name} takes`, report);
  for (const [option, argument] of matched.options)
    checkArgument(argument, { name: option, kind: "any" }, `\`${option}\``, report);
  if (signature.gives === "same") return inner;
  return signature.gives === "column" ? COLUMN : { table: true, columns: signature.columns };
}

const NEEDED: Readonly<Record<ArgumentKind, string>> = {
  path: "a path in quotes",
  text: "a text in quotes",
  texts: "a list of texts",
  integer: "a whole number",
  number: "a number",
  flag: "true or false",
  data: "a reader",
  source: "a path in quotes, or a column",
  any: "a number, a text, a list of these, or a reader",
};

function checkArgument(argument: Argument, parameter: ReaderParameter, what: string, report: Report): ReaderShape {
  const { value } = argument;
  const { kind } = parameter;
  if (isData(value) && (kind === "data" || kind === "source" || kind === "any")) return checkReader(value, report);
  const constant = constantValue(value);
  if (constant === undefined || !isOfKind(constant, kind))
    report.add("wrong-arguments", value.span, `${what} must be ${NEEDED[kind]}`);
  else if (parameter.choices !== undefined && !parameter.choices.includes(String(constant)))
    report.add(
      "wrong-option",
      value.span,
      `${what} must be one of ${parameter.choices.map((one) => `"${one}"`).join(", ")}`,
    );
  return COLUMN;
}

/** Whether an expression is written as data is: a call, or a column of one. */
export function isData(expression: Expression): expression is Call | Member {
  return expression.kind === "call" || (expression.kind === "member" && isData(expression.object));
}

function isOfKind(value: Constant, kind: ArgumentKind): boolean {
  switch (kind) {
    case "path":
    case "text":
    case "source":
      return typeof value === "string";
    case "texts":
      return Array.isArray(value) && value.every((item) => typeof item === "string");
    case "integer":
      return Number.isInteger(value);
    case "number":
      return typeof value === "number";
    case "flag":
      return typeof value === "boolean";
    case "data":
      return false;
    case "any":
      return true;
  }
}

function reportUnknown(call: Call, report: Report): void {
  const name = call.callee.kind === "reference" ? call.callee.name : "this";
  const near = nearest(name, Object.keys(READERS));
  report.add("unknown-reader", call.callee.span, `there is no reader \`${name}\``, {
    hint:
      near === undefined
        ? 'a reader of your own is written reader("./my.ts", "name", ...)'
        : `did you mean \`${near}\`?`,
    fix: near === undefined ? undefined : { title: `write ${near}`, edits: [{ span: call.callee.span, text: near }] },
  });
}
