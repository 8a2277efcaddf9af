import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import * as sums from "../op/make_sum.ts";
import type { EmitItem, Expression, IndexExpression } from "../syntax/tree.ts";
import { conditionMask } from "./condition.ts";
import { distributionInputs, distributionSlot, openDistribution } from "./distribution.ts";
import { evaluate } from "./expression.ts";
import { type Context, knownSlot } from "./frame.ts";
import type { OpenModel } from "./model.ts";
import { movingOnce } from "./move-params.ts";
import { type NamedAxis, rangesOf } from "./range.ts";
import { type Meaning, type TensorValue, type VisibleAxis, visibleAxis } from "./value.ts";

/** An emission at its indices: `emit ids[t+1] ~ categorical(head(y[t]))`. */
export interface Emission {
  readonly item: EmitItem;
  /** Where its distribution's expressions stand: the indices are hidden axes. */
  readonly context: Context;
  readonly indices: readonly NamedAxis[];
  /** The value at the indices. */
  readonly value: TensorValue;
}

/** Gives the emission's indices their axes and reads its value there. */
export function openEmission(model: OpenModel, item: EmitItem): Emission | undefined {
  return withinEmission(model.context, item, () => openAtIndices(model, item));
}

/** What belongs to no equation while `run` works belongs to the emission. */
function withinEmission<T>({ session }: Context, { span, name }: EmitItem, run: () => T): T {
  return session.builder.within({ span, name: name.text }, run);
}

function openAtIndices(model: OpenModel, item: EmitItem): Emission | undefined {
  const { context: base } = model;
  const { span } = item.name;
  const reference: Expression = { kind: "reference", span, name: item.name.text, primed: false };
  const read: IndexExpression = {
    kind: "index",
    span,
    object: reference,
    subscripts: item.indices.map((index) => ({ kind: "at", span: index.span, value: offsetIndex(index) })),
  };
  const indices = rangesOf(base, item.indices, [read, item.dist], undefined);
  if (indices === undefined) return undefined;
  const context: Context = {
    ...base,
    hidden: [...base.hidden, ...indices.map(({ axis }) => axis)],
    indices: new Map(indices.map(({ name, axis }) => [name, axis])),
  };
  const value = evaluate(ofData(context, item), item.indices.length === 0 ? reference : read);
  return value.kind === "tensor" ? { item, context, indices, value } : undefined;
}

/** The likelihood is that of the data, whatever the model reads. */
function ofData(context: Context, { name }: EmitItem): Context {
  const { session, frame } = context;
  const input = session.forced.has(name.text) ? session.inputs.get(name.text) : undefined;
  if (input === undefined) return context;
  const names = new Map([...frame.names, [name.text, knownSlot(name.text, name.span, "in", input.value)] as const]);
  return { ...context, frame: { ...frame, names } };
}

function offsetIndex(index: EmitItem["indices"][number]): Expression {
  const { span, offset } = index;
  const name: Expression = { kind: "reference", span, name: index.name.text, primed: false };
  if (offset === 0) return name;
  const number: Expression = { kind: "number", span, value: Math.abs(offset), text: String(Math.abs(offset)) };
  return { kind: "binary", span, operator: offset > 0 ? "+" : "-", operatorSpan: span, left: name, right: number };
}

/** One of the distribution's equations; `log_prob` reads the emission's value, `sample` and `best` do not. */
export function distributionValue(
  emission: Emission,
  name: "log_prob" | "sample" | "best",
  parameters: ReadonlyMap<string, Meaning> = new Map(),
): TensorValue | undefined {
  return withinEmission(emission.context, emission.item, () => equationValue(emission, name, parameters));
}

function equationValue(
  emission: Emission,
  name: "log_prob" | "sample" | "best",
  parameters: ReadonlyMap<string, Meaning>,
): TensorValue | undefined {
  const { context, item } = emission;
  const further = name === "log_prob" ? new Map([[ofName(emission), emission.value]]) : undefined;
  const opened = movingOnce(context.session, item, () =>
    openDistribution(context, item.dist, { given: parameters, ...(further && { further }) }),
  );
  return opened === undefined ? undefined : distributionSlot(context, opened, name, item.dist.span);
}

function ofName({ context, item }: Emission): string {
  const callee = evaluate(context, item.dist.kind === "call" ? item.dist.callee : item.dist);
  const definition = callee.kind === "definition" || callee.kind === "instance" ? callee.definition : undefined;
  for (const candidate of definition?.items ?? []) {
    if (candidate.kind === "of") return candidate.names[0]?.name.text ?? "y";
  }
  return "y";
}

/** What the distribution is given, by input name, over the emission's indices: `logits`, `mu`, `sigma`. */
export function distributionParameters(emission: Emission): ReadonlyMap<string, TensorValue> {
  return withinEmission(emission.context, emission.item, () => parameterValues(emission));
}

function parameterValues({ context, item, indices }: Emission): ReadonlyMap<string, TensorValue> {
  const opened = movingOnce(context.session, item, () => openDistribution(context, item.dist));
  if (opened === undefined) return new Map();
  const front = indices.map(({ axis }) => visibleAxis(axis));
  const values = distributionInputs(context, opened);
  return new Map([...values].map(([name, value]) => [name, { ...value, visible: [...front, ...value.visible] }]));
}

/** What is counted: an emission, or another value over the axes of a context. */
interface Counted {
  readonly context: Context;
  readonly item?: EmitItem;
}

/** A sum over all that counts, and how many positions of the batch count. Both are float []. */
export interface Total {
  readonly sum: string;
  readonly count: string;
}

/**
 * Sums over all that counts. A likelihood is of a whole position, so positions are counted: the batch itself and `time` axes,
 * not an example's fixed axes. An error is of one entry, so all entries are.
 */
export function total(counted: Counted, value: TensorValue, numerator: string, by: "positions" | "entries"): Total {
  const { context } = counted;
  const { builder, axes, times } = context.session;
  const own = value.visible.filter((axis) => !axis.unit).map((axis) => axis.axis);
  const all = [...context.hidden, ...own];
  const positions = by === "entries" ? all : all.filter((axis, place) => place === 0 || times.has(axis.size.text));
  const fixed = all.filter((axis) => !positions.includes(axis));
  const mask = countingMask(counted, value, all, axes);
  const zero = make.num(builder, 0);
  const sum = sums.sumOver(builder, mask === undefined ? numerator : make.select(builder, mask, numerator, zero), all);
  if (mask === undefined) return { sum, count: make.countOf(builder, positions) };
  const counts = sums.reduceOver(builder, "any", mask, fixed);
  return { sum, count: sums.sumOver(builder, make.toFloat(builder, counts), positions) };
}

/** bool [B], where some examples have no value of the emission. */
function present({ session, hidden }: Context, { name }: EmitItem): readonly string[] {
  if (!session.absent.has(name.text)) return [];
  for (const [id, role] of session.roles) if (role.kind === "present" && role.emission === name.text) return [id];
  const id = session.builder.param(`${name.text}.present`, { dtype: "bool", axes: hidden.slice(0, 1) });
  session.roles.set(id, { kind: "present", emission: name.text });
  return [id];
}

/** Where a position counts: in an example that has a value, inside it, and where the emission's reads hold. */
export function countingMask(
  { context, item }: Counted,
  value: TensorValue,
  all: readonly Axis[],
  axes: Context["session"]["axes"],
): string | undefined {
  const { builder } = context.session;
  const inside = [
    ...(item === undefined ? [] : present(context, item)),
    ...all.flatMap((axis) => axes.inside(axis) ?? []),
  ];
  const holds = conditionMask(context, value.condition);
  const masks = holds === undefined ? inside : [...inside, holds];
  return masks.reduce<string | undefined>(
    (both, mask) => (both === undefined ? mask : make.and(builder, both, mask)),
    undefined,
  );
}

/** Σ -log p over what counts. */
export function negativeLogLikelihood(emission: Emission): Total | undefined {
  const value = distributionValue(emission, "log_prob");
  if (value === undefined) return undefined;
  return withinEmission(emission.context, emission.item, () => {
    const negative = make.neg(emission.context.session.builder, value.id);
    return total(emission, value, negative, "positions");
  });
}

/** What the emission's distribution thinks best beside the data: per position, aligned. */
export function bestAndTruth(emission: Emission): { readonly best: TensorValue; readonly truth: string } | undefined {
  const best = distributionValue(emission, "best");
  if (best === undefined) return undefined;
  const condition = emission.value.condition;
  const renamed = alignedTruth(emission, best.visible);
  return renamed === undefined ? undefined : { best: { ...best, condition }, truth: renamed };
}

function alignedTruth(emission: Emission, visible: readonly VisibleAxis[]): string | undefined {
  const { builder } = emission.context.session;
  const own = emission.value.visible.filter((axis) => !axis.unit);
  const wanted = visible.filter((axis) => !axis.unit);
  if (own.length !== wanted.length) return undefined;
  return move.rename(
    builder,
    emission.value.id,
    own.map((axis) => axis.axis.id),
    wanted.map((axis) => axis.axis),
  );
}
