import { sizeNames } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as maps from "../op/map.ts";
import { random } from "../op/source.ts";
import type { Drawn, Expression } from "../syntax/tree.ts";
import { axisOfSize, vocabularyOf } from "./declared.ts";
import { distributionSlot, openDistribution } from "./distribution.ts";
import { evaluate } from "./expression.ts";
import { type Context, joinPath } from "./frame.ts";
import { scalar } from "./operators.ts";
import { rangesOf } from "./range.ts";
import { asSize, knownNumber } from "./static.ts";
import { INVALID, type Meaning, shapeText, type TensorValue, type VisibleAxis, visibleAxis } from "./value.ts";

/** `noise e[t in T]: [Z] ~ normal(0, 1)`: fresh numbers for every example, index and position. */
export function drawn(context: Context, draw: Drawn): Meaning {
  const place = placeOf(context, draw);
  return place === undefined ? INVALID : drawnFrom(place, draw, draw.dist);
}

/** Where a draw stands: its indices are hidden axes of its distribution's parameters, its declared axes visible ones. */
export interface DrawPlace {
  readonly context: Context;
  readonly indices: readonly VisibleAxis[];
  readonly own: readonly VisibleAxis[];
}

export function placeOf(context: Context, draw: Drawn): DrawPlace | undefined {
  const ranges = rangesOf(
    context,
    draw.indices,
    draw.prior === undefined ? [draw.dist] : [draw.dist, draw.prior],
    undefined,
  );
  if (ranges === undefined) return undefined;
  const taken = new Set([...context.hidden, ...ranges.map(({ axis }) => axis)].map((axis) => axis.id));
  const own: VisibleAxis[] = [];
  for (const axis of draw.type.axes ?? []) {
    const size = asSize(context, evaluate(context, axis.size), axis.span);
    if (size === undefined) return undefined;
    own.push(axisOfSize(context, size, taken, axis.label?.text));
  }
  const inner: Context = {
    ...context,
    hidden: [...context.hidden, ...ranges.map(({ axis }) => axis)],
    indices: new Map([...context.indices, ...ranges.map(({ name, axis }) => [name, axis] as const)]),
  };
  return { context: inner, indices: ranges.map(({ axis }) => visibleAxis(axis)), own };
}

/** A draw from a distribution, its indices visible again. */
export function drawnFrom(place: DrawPlace, draw: Drawn, dist: Expression): Meaning {
  const value = sampleOf(place, dist, draw);
  if (value === undefined) return INVALID;
  const vocabulary = draw.type.base === "tok" ? vocabularyOf(place.context, draw) : undefined;
  if (vocabulary === "invalid") return INVALID;
  return {
    ...value,
    visible: [...place.indices, ...value.visible],
    vocabulary: vocabulary ?? value.vocabulary,
    from: draw.span,
  };
}

function sampleOf(place: DrawPlace, dist: Expression, draw: Drawn): TensorValue | undefined {
  const { context, own } = place;
  const callee = dist.kind === "call" ? dist.callee : dist;
  const name = callee.kind === "reference" ? callee.name : "";
  const args = dist.kind === "call" ? dist.args : [];
  if (name === "gaussian" || name === "uniform") {
    const hidden = [...context.hidden, ...own.filter((axis) => !axis.unit).map((axis) => axis.axis)];
    const stream = joinPath(context.frame.path, draw.name.text);
    const bounds = args.map((argument) => argument.value);
    const value = primitive({ ...context, hidden }, name, bounds, stream);
    return value.kind === "tensor" ? { ...value, visible: own } : undefined;
  }
  const opened = openDistribution(context, dist, { over: own });
  const value = opened === undefined ? undefined : distributionSlot(context, opened, "sample", dist.span);
  if (value === undefined || fitsDeclared(place, value)) return value;
  const { report } = context.session;
  report.add(
    "shape-mismatch",
    draw.span,
    `${draw.name.text} is declared ${shapeText(own)}, its distribution gives ${shapeText(value.visible)}`,
    {
      related: [{ span: dist.span, message: "its shape comes from here" }],
      hint: `declare it ${shapeText(value.visible)}, or give each position one number for each parameter`,
    },
  );
  return undefined;
}

function fitsDeclared({ own }: DrawPlace, { visible }: TensorValue): boolean {
  const sizes = (axes: readonly VisibleAxis[]): string =>
    axes
      .filter((axis) => !axis.unit)
      .map(({ axis }) => axis.size.text)
      .join();
  return sizes(own) === sizes(visible);
}

/** `gaussian`, `uniform`, `uniform(low, high)`, and `uniform(V)` for tokens below V. */
function primitive(
  context: Context,
  kind: "gaussian" | "uniform",
  bounds: readonly Expression[],
  stream: string,
): Meaning {
  const { session } = context;
  const base = session.builder.add(random, [seedOf(context)], {
    distribution: kind,
    stream: streamName(context, stream),
    axes: variableFirst(context),
  });
  if (bounds.length === 0) return scalar(base, context.frame.definition.span);
  const values = bounds.map((bound) => evaluate(context, bound));
  const [low, high] = values;
  if (values.length === 1 && low?.kind === "size") return tokens(context, base, low, bounds[0] as Expression);
  const [a, b] = values.map((value) => knownNumber(context, value));
  if (a === undefined || b === undefined || high === undefined) {
    session.report.add(
      "wrong-option",
      bounds[0]?.span ?? context.frame.definition.span,
      "uniform takes a vocabulary's size, or two numbers",
      {
        hint: "write uniform(0, 1)",
      },
    );
    return INVALID;
  }
  const scaled = make.mul(session.builder, base, make.num(session.builder, b - a));
  return scalar(make.add(session.builder, scaled, make.num(session.builder, a)), context.frame.definition.span);
}

/**
 * A number depends on its row-major position, so axes that are padded vary slowest: a longer batch, or a generation of more
 * positions, then changes no number that was there before.
 */
function variableFirst({ session, hidden }: Context): readonly Axis[] {
  const varies = (axis: Axis): boolean => [...sizeNames(axis.size)].some((name) => session.times.has(name));
  return [...hidden.filter(varies), ...hidden.filter((axis) => !varies(axis))];
}

function tokens(context: Context, base: string, count: Meaning, at: Expression): Meaning {
  const size = asSize(context, count, at.span);
  if (size === undefined) return INVALID;
  const { builder } = context.session;
  const scaled = make.mul(builder, base, make.sizeNumber(builder, size));
  return { ...scalar(make.toInt(builder, make.map(builder, maps.floor, scaled)), at.span), vocabulary: size };
}

/** Every use of a stream has numbers of its own. */
function streamName({ session }: Context, stream: string): string {
  const count = session.streams.get(stream) ?? 0;
  session.streams.set(stream, count + 1);
  return count === 0 ? stream : `${stream}#${count}`;
}

/** int []: the seed of this call. */
export function seedOf({ session }: Context): string {
  for (const [id, role] of session.roles) if (role.kind === "seed") return id;
  const id = session.builder.param("seed", { dtype: "int", axes: [] });
  session.roles.set(id, { kind: "seed" });
  return id;
}
