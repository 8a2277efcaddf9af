import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Argument, Call, EmitItem, Expression } from "../syntax/tree.ts";
import type { OpenModel } from "./model.ts";

/** What a metric takes: `f1(upper by best, of: 1)`. */
export interface Taking {
  readonly name: string;
  readonly needs: "any" | "tokens" | "numbers";
  /** Named arguments. */
  readonly options: readonly string[];
  /** Whether it compares what is decoded, not what is likely at each position of the data. */
  readonly decodes: boolean;
}

export interface MetricCall {
  readonly item: EmitItem;
  /** `by greedy`. */
  readonly method: Expression | undefined;
  readonly options: ReadonlyMap<string, Argument>;
}

/** Reads the arguments of a metric; mistakes are reported. */
export function metricCall(model: OpenModel, metric: Taking, call: Call): MetricCall | undefined {
  const [argument, ...rest] = call.args;
  const by = argument?.value.kind === "by" ? argument.value : undefined;
  const item = argument === undefined ? undefined : emissionNamed(model, by?.value ?? argument.value);
  if (argument === undefined || item === undefined) {
    reportEmission(model, metric, call);
    return undefined;
  }
  const options = optionsOf(model, metric, item, rest);
  if (options === undefined || !checkKind(model, metric, item, call)) return undefined;
  return checkMethod(model, metric, item, by?.method) ? { item, method: by?.method, options } : undefined;
}

function emissionNamed({ emissions }: OpenModel, expression: Expression): EmitItem | undefined {
  const name = expression.kind === "reference" ? expression.name : undefined;
  return emissions.find((emission) => emission.name.text === name);
}

function reportEmission({ emissions, session }: OpenModel, { name: metric }: Taking, call: Call): void {
  const [argument] = call.args;
  const known = emissions.map((emission) => emission.name.text);
  const value = argument?.value.kind === "by" ? argument.value.value : argument?.value;
  const named = value?.kind === "reference" ? value.name : undefined;
  const near = named === undefined ? undefined : nearest(named, known);
  const text =
    named === undefined
      ? `${metric} takes the name of an emission`
      : `${metric} takes an emission, and ${named} is not emitted`;
  const at = value?.span ?? call.span;
  session.report.add(
    "nothing-emitted",
    argument?.value.kind === "by" ? at : (argument?.span ?? call.span),
    text,
    near === undefined || argument === undefined
      ? { hint: known.length > 0 ? `this model emits ${known.join(", ")}` : "this model emits nothing" }
      : meant(near, at),
  );
}

function optionsOf(
  { session: { report } }: OpenModel,
  { name: metric, options }: Taking,
  item: EmitItem,
  rest: readonly Argument[],
): ReadonlyMap<string, Argument> | undefined {
  const found = new Map<string, Argument>();
  for (const argument of rest) {
    const { name, span } = argument;
    if (name !== undefined && options.includes(name.text) && !found.has(name.text)) {
      found.set(name.text, argument);
      continue;
    }
    const near = name === undefined ? undefined : nearest(name.text, options);
    const usage = [item.name.text, ...options.map((option) => `${option}: ...`)].join(", ");
    report.add(
      "wrong-arguments",
      name?.span ?? span,
      name === undefined
        ? `${metric} takes one emission${options.length > 0 ? `, and ${options.join(", ")} by name` : " and nothing else"}`
        : found.has(name.text)
          ? `${metric} is given ${name.text} twice`
          : `${metric} has no option ${name.text}`,
      near !== undefined && name !== undefined && near !== name.text
        ? meant(near, name.span)
        : { hint: `write ${metric}(${usage})` },
    );
    return undefined;
  }
  return found;
}

function checkKind({ session }: OpenModel, { name: metric, needs }: Taking, item: EmitItem, call: Call): boolean {
  const input = session.inputs.get(item.name.text);
  if (input === undefined || needs === "any") return input !== undefined;
  const tokens = input.spec.dtype !== "float";
  if (tokens === (needs === "tokens")) return true;
  session.report.add(
    "wrong-kind",
    call.span,
    `${metric} compares ${needs}, and ${item.name.text} holds ${tokens ? "tokens" : "numbers"}`,
    {
      related: [{ span: input.spec.span, message: `${item.name.text} is declared here` }],
      hint: tokens ? "write accuracy(...)" : "write rmse(...) or mae(...)",
    },
  );
  return false;
}

/** What is likely at each position is what greedy decoding gives where no position depends on another. */
function checkMethod({ session }: OpenModel, metric: Taking, item: EmitItem, method: Expression | undefined): boolean {
  if (method === undefined || metric.decodes) return true;
  const name = method.kind === "reference" ? method.name : "";
  if ((name === "best" || name === "greedy") && item.indices.length === 0) return true;
  session.report.add(
    "wrong-option",
    method.span,
    item.indices.length === 0
      ? `${metric.name} takes what is best at each position`
      : `${metric.name} goes along the data, and ${item.name.text} decoded by itself may be longer or shorter`,
    {
      hint:
        item.indices.length === 0
          ? `write ${metric.name}(${item.name.text})`
          : `write ${metric.name}(${item.name.text}), or a metric of whole sequences: exact(...), edit_rate(...), bleu(...)`,
    },
  );
  return false;
}
