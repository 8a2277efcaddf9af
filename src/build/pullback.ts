import type { Span } from "../base/span.ts";
import { gradients } from "../grad/gradients.ts";
import type { Result } from "../ir/graph.ts";
import * as make from "../op/make.ts";
import { sumOver } from "../op/make_sum.ts";
import { laidOut, namedValue } from "./forward.ts";
import { hasDerivative } from "./has-derivative.ts";
import { inputSpecs } from "./leaves.ts";
import type { OpenModel } from "./model.ts";
import type { Program, ResultRole } from "./program.ts";

/** Which value of a model. */
export interface ValueName {
  readonly name: string;
  readonly span: Span;
}

/** The param that a pull-back takes the cotangent of a value from. */
export function cotangentName(value: string): string {
  return `cotangent.${value}`;
}

/** One value of a model, alone. Result: `value.NAME`, the batch first, then the value's axes. */
export function valueProgram(model: OpenModel, { name, span }: ValueName): Program | undefined {
  const value = namedValue(model, name, span);
  if (value === undefined) return undefined;
  const { id, axes } = laidOut(model, value);
  const key = `value.${name}`;
  return programOf(model, key, [{ name: key, id }], new Map([[key, { kind: "value", name, axes }]]));
}

/**
 * What a cotangent of a value pulls back to: the input `cotangent.NAME` has the layout of the value, results are `gradient.NAME` of every
 * weight and float input that can move it (Griewank & Walther 2008, ch. 3). A value without a derivative is reported.
 */
export function pullbackProgram(model: OpenModel, { name, span }: ValueName): Program | undefined {
  const { session } = model;
  const { builder, report } = session;
  const value = namedValue(model, name, span);
  if (value === undefined) return undefined;
  const { id, axes } = laidOut(model, value);
  const type = builder.type(id);
  if (type.dtype !== "float") {
    report.add("wrong-kind", span, `${name} is no number that varies, so it has no gradient`);
    return undefined;
  }
  const order = type.axes.toSorted((a, b) => axes.indexOf(a.id) - axes.indexOf(b.id));
  const cotangent = builder.param(cotangentName(name), { dtype: "float", axes: order });
  session.roles.set(cotangent, { kind: "input", name: cotangentName(name) });
  const product = sumOver(builder, make.mul(builder, id, cotangent), type.axes);
  const sources = sourcesOf(model);
  const ids = sources.map((source) => source.id);
  if (!hasDerivative(session, product, ids, span)) return undefined;
  const results: Result[] = [];
  const roles = new Map<string, ResultRole>();
  gradients(builder, product, ids).forEach((gradient, place) => {
    const of = sources[place]?.name ?? "";
    results.push({ name: `gradient.${of}`, id: gradient });
    roles.set(`gradient.${of}`, { kind: "gradient", weight: of });
  });
  return programOf(model, `${cotangentName(name)}`, results, roles);
}

/** Trained weights and float inputs. */
function sourcesOf({ session }: OpenModel): readonly { readonly name: string; readonly id: string }[] {
  const weights = [...session.weights].filter(([, { spec }]) => spec.trained).map(([name, { id }]) => ({ name, id }));
  const inputs = [...session.inputs].filter(([, { spec }]) => spec.dtype === "float");
  return [...weights, ...inputs.map(([name, { value }]) => ({ name, id: value.id }))];
}

function programOf(
  { session, frame }: OpenModel,
  part: string,
  results: readonly Result[],
  roles: ReadonlyMap<string, ResultRole>,
): Program {
  return {
    name: `${frame.definition.name.text}.${part}`,
    graph: session.builder.finish(results),
    params: new Map(session.roles),
    results: roles,
    weights: [...session.weights.values()].map(({ spec }) => spec),
    inputs: inputSpecs(session),
    sizes: session.sizes,
  };
}
