import type { Diagnostic } from "../../base/diagnostic.ts";
import { createReport } from "../../base/report.ts";
import { checkReader, isData } from "../../check/check-reader.ts";
import { constantValue } from "../../check/constants.ts";
import { matchArguments } from "../../check/reader-arguments.ts";
import { isReader, type ReaderName, readerSignature } from "../../check/readers.ts";
import type { Argument, Call, Expression } from "../../syntax/tree.ts";
import type { Dataset } from "./dataset.ts";
import { DataError, withSpan } from "./error.ts";
import { missingColumn } from "./read-table.ts";
import { type AnyArgument, type ArgumentsOf, type DataContext, IMPLEMENTATIONS } from "./readers.ts";

/**
 * Evaluates a reader expression, as `windows(standard(csv("x.csv").price), 29)`. `wanted` are the columns that will be used.
 * Wrong data and wrong arguments are a `DataError` that says where in the data and where in the `.seq` file.
 */
export async function readData(
  expression: Expression,
  context: DataContext,
  wanted?: readonly string[],
): Promise<Dataset> {
  const report = createReport();
  checkReader(expression, report);
  const [first] = report.diagnostics;
  if (first !== undefined) throw diagnosticError(first);
  return evaluate(expression, context, wanted);
}

/** A diagnostic as an error, for those who read data without having checked the file. */
export function diagnosticError({ message, hint, span }: Diagnostic): DataError {
  return new DataError(message, { hint, span });
}

async function evaluate(
  expression: Expression,
  context: DataContext,
  wanted: readonly string[] | undefined,
): Promise<Dataset> {
  if (expression.kind === "call") return evaluateCall(expression, context, wanted);
  if (expression.kind !== "member") throw new DataError("data comes from a reader", { span: expression.span });
  const name = expression.names[0]!;
  const dataset = await evaluate(expression.object, context, [name.text]);
  const column = dataset.columns.get(name.text);
  if (column !== undefined) return { ...dataset, columns: new Map([[name.text, column]]), named: false };
  const { reason, hint } = missingColumn(name.text, [...dataset.columns.keys()], { file: "" });
  throw new DataError(reason, { hint, span: name.span });
}

async function evaluateCall(call: Call, context: DataContext, wanted: readonly string[] | undefined): Promise<Dataset> {
  if (call.callee.kind !== "reference" || !isReader(call.callee.name))
    throw new DataError("data comes from a reader", { span: call.span });
  const { name } = call.callee;
  const signature = readerSignature(name);
  const matched = matchArguments(signature, name, call, createReport());
  // What keeps its argument's columns needs only those that are wanted of it.
  const source = matched.parameters.get("source")?.value;
  const keeps = signature.gives === "same" || signature.rest?.kind === "data";
  const inner = keeps ? wanted?.filter((column) => source?.kind !== "string" || source.value !== column) : undefined;
  const value = (argument: Argument): Promise<AnyArgument> => evaluateArgument(argument, context, inner);
  const values: Readonly<Record<string, unknown>> = {
    ...(await valuesOf(matched.parameters, value)),
    rest: await inOrder(matched.rest, value),
    options: await valuesOf(matched.options, value),
  };
  return withSpan(call.span, () => callReader(name, values as ArgumentsOf<ReaderName>, { ...context, wanted }));
}

/** The checker has seen to it that the values are what the signature says. */
function callReader<N extends ReaderName>(
  name: N,
  values: ArgumentsOf<N>,
  context: DataContext & { readonly wanted: readonly string[] | undefined },
): Promise<Dataset> {
  return IMPLEMENTATIONS[name](values, context);
}

async function evaluateArgument(
  { value }: Argument,
  context: DataContext,
  wanted: readonly string[] | undefined,
): Promise<AnyArgument> {
  if (isData(value)) return evaluate(value, context, wanted);
  const constant = constantValue(value);
  if (constant === undefined) throw new DataError("a constant is needed here", { span: value.span });
  return constant;
}

async function valuesOf(
  named: ReadonlyMap<string, Argument>,
  value: (argument: Argument) => Promise<AnyArgument>,
): Promise<Readonly<Record<string, AnyArgument>>> {
  const entries: [string, AnyArgument][] = [];
  for (const [name, argument] of named) entries.push([name, await value(argument)]);
  return Object.fromEntries(entries);
}

/** One after the other: two large files are never read at once. */
async function inOrder<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<readonly B[]> {
  const results: B[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
