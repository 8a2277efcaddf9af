import { resolve } from "node:path";
import type { Report } from "../base/diagnostic.ts";
import { isReader, readerSignature } from "../check/readers.ts";
import type { Regime } from "../check/regime.ts";
import type { Expression, StringLiteral } from "../syntax/tree.ts";

/** The regime with its data read from another file: the one path that its `data` line names is replaced. */
export function withDataPath(regime: Regime, path: string, report: Report): Regime {
  const [clause, ...others] = regime.data;
  const paths = regime.data.flatMap(({ reader }) => pathsOf(reader));
  const [old] = paths;
  if (clause === undefined || old === undefined || paths.length > 1 || others.length > 0) {
    const span = clause?.reader.span ?? regime.train.name.span;
    const what = paths.length === 0 ? "this data line names no file" : "this data line names several files";
    report.add("wrong-option", span, `--data replaces the one file that is read: ${what}`, {
      hint: "write the path into the file instead",
    });
    return regime;
  }
  const literal: StringLiteral = { ...old, value: path.startsWith("npm:") ? path : resolve(path) };
  return { ...regime, data: [{ ...clause, reader: replaced(clause.reader, old, literal) }] };
}

/** The paths of files that a reader expression names; the code of a reader of one's own is not data. */
function pathsOf(expression: Expression): readonly StringLiteral[] {
  if (expression.kind === "member") return pathsOf(expression.object);
  if (expression.kind !== "call") return [];
  const inner = expression.args.flatMap(({ value }) => pathsOf(value));
  const name = expression.callee.kind === "reference" ? expression.callee.name : "";
  const [first] = expression.args;
  if (!isReader(name) || name === "reader" || first?.value.kind !== "string") return inner;
  const kind = readerSignature(name).parameters[0]?.kind;
  return kind === "path" || kind === "source" ? [first.value, ...inner] : inner;
}

function replaced(expression: Expression, old: Expression, by: Expression): Expression {
  if (expression === old) return by;
  if (expression.kind === "member") return { ...expression, object: replaced(expression.object, old, by) };
  if (expression.kind !== "call") return expression;
  return { ...expression, args: expression.args.map((one) => ({ ...one, value: replaced(one.value, old, by) })) };
}
