import { sizeNames } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as maps from "../op/map.ts";
import { random } from "../op/source.ts";
import type { Drawn, Expression } from "../syntax/tree.ts";
import { inputNames, openFrame } from "./apply.ts";
import { axisOfSize, vocabularyOf } from "./declared.ts";
import { demand } from "./equation.ts";
import { evaluate } from "./expression.ts";
import { type Context, joinPath } from "./frame.ts";
import { givenParameters } from "./instance.ts";
import { asTensor, scalar } from "./operators.ts";
import { rangesOf } from "./range.ts";
import { asSize, knownNumber } from "./static.ts";
import { isThere } from "./there.ts";
import {
  describe,
  INVALID,
  type InstanceValue,
  type Meaning,
  type TensorValue,
  type VisibleAxis,
  visibleAxis,
} from "./value.ts";

/** `noise e[t in T]: [Z] ~ normal(0, 1)`: fresh numbers for every example, index and position. */
export function drawn(context: Context, draw: Drawn): Meaning {
  const indices = rangesOf(context, draw.indices, [draw.dist], undefined);
  if (indices === undefined) return INVALID;
  const front = indices.map(({ axis }) => visibleAxis(axis));
  const taken = new Set([...context.hidden, ...indices.map(({ axis }) => axis)].map((axis) => axis.id));
  const own: VisibleAxis[] = [];
  for (const axis of draw.type.axes ?? []) {
    const size = asSize(context, evaluate(context, axis.size), axis.span);
    if (size === undefined) return INVALID;
    own.push(axisOfSize(context, size, taken, axis.label?.text));
  }
  const real = own.filter((axis) => !axis.unit).map((axis) => axis.axis);
  const inner: Context = {
    ...context,
    hidden: [...context.hidden, ...indices.map(({ axis }) => axis), ...real],
    indices: new Map([...context.indices, ...indices.map(({ name, axis }) => [name, axis] as const)]),
  };
  const value = sampleOf(inner, draw.dist, joinPath(context.frame.path, draw.name.text), draw);
  if (value.kind !== "tensor") return value;
  const vocabulary = draw.type.base === "tok" ? vocabularyOf(context, draw) : undefined;
  if (vocabulary === "invalid") return INVALID;
  return {
    ...value,
    visible: [...front, ...own, ...value.visible],
    vocabulary: vocabulary ?? value.vocabulary,
    from: draw.span,
  };
}

/** One draw from a distribution, all of whose axes are hidden. */
function sampleOf(context: Context, dist: Expression, stream: string, draw: Drawn): Meaning {
  const name =
    dist.kind === "reference"
      ? dist.name
      : dist.kind === "call" && dist.callee.kind === "reference"
        ? dist.callee.name
        : "";
  const args = dist.kind === "call" ? dist.args : [];
  if (name === "gaussian" || name === "uniform")
    return primitive(
      context,
      name,
      args.map((argument) => argument.value),
      stream,
    );
  const opened = openDistribution(context, dist);
  if (opened === undefined) return INVALID;
  const slot = opened.frame.names.get("sample");
  if (slot === undefined) {
    context.session.report.add(
      "cannot-sample",
      dist.span,
      `${opened.instance.definition.name.text} cannot be drawn from`,
      {
        related: [{ span: opened.instance.definition.name.span, message: "it has no equation for sample" }],
        hint: `write an equation sample = ... in ${opened.instance.definition.name.text}`,
      },
    );
    return INVALID;
  }
  const value = demand(context.session, slot);
  return value.kind === "tensor" ? value : (asTensor(context, value, draw.span) ?? INVALID);
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

function seedOf({ session }: Context): string {
  for (const [id, role] of session.roles) if (role.kind === "seed") return id;
  const id = session.builder.param("seed", { dtype: "int", axes: [] });
  session.roles.set(id, { kind: "seed" });
  return id;
}

/** A distribution's frame: `normal(mu, 1)`, `chain(scores)` of an instance, `bernoulli(logits: x)`. */
export function openDistribution(
  context: Context,
  dist: Expression,
  given: ReadonlyMap<string, Meaning> = new Map(),
  of?: { readonly value: TensorValue; readonly name: string },
):
  | { readonly frame: Context["frame"]; readonly instance: InstanceValue; readonly leading: readonly VisibleAxis[] }
  | undefined {
  const callee = evaluate(context, dist.kind === "call" ? dist.callee : dist);
  const args = dist.kind === "call" ? dist.args : [];
  if (callee.kind === "invalid") return undefined;
  const instance = distributionInstance(context, callee, given, dist);
  if (instance === undefined) return undefined;
  const names = inputNames(instance.definition);
  const inputs = new Map<string, { meaning: Meaning; span: typeof dist.span }>();
  let place = 0;
  for (const argument of args) {
    const name = argument.name?.text ?? names[place++];
    if (name === undefined || !names.includes(name)) {
      context.session.report.add(
        "wrong-arguments",
        argument.span,
        `${instance.definition.name.text} takes no ${name ?? "further argument"}`,
        {
          hint: `it takes ${names.join(", ")}`,
        },
      );
      return undefined;
    }
    const meaning = evaluate(context, argument.value);
    if (meaning.kind === "tensor" && !isThere(context, meaning, argument.span)) return undefined;
    inputs.set(name, { meaning, span: argument.span });
  }
  if ([...inputs.values()].some(({ meaning }) => meaning.kind === "invalid")) return undefined;
  if (of !== undefined) inputs.set(of.name, { meaning: of.value, span: dist.span });
  const opened = openFrame(context, instance, { inputs, state: undefined }, dist.span);
  return opened === undefined ? undefined : { ...opened, instance };
}

function distributionInstance(
  context: Context,
  callee: Meaning,
  given: ReadonlyMap<string, Meaning>,
  dist: Expression,
): InstanceValue | undefined {
  if (callee.kind === "instance" && callee.definition.definitionKind === "dist") {
    return { ...callee, parameters: new Map([...callee.parameters, ...given]) };
  }
  if (callee.kind === "definition" && callee.definition.definitionKind === "dist") {
    const parameters = givenParameters(context, callee, []);
    return {
      kind: "instance",
      definition: callee.definition,
      file: callee.file,
      parameters: new Map([...(parameters ?? []), ...given]),
      path: "",
      blocks: undefined,
      declared: dist.span,
    };
  }
  context.session.report.add("wrong-kind", dist.span, `a distribution is needed here, this is ${describe(callee)}`, {
    hint: "write normal(mean, deviation), categorical(logits) or bernoulli(logits: x)",
  });
  return undefined;
}
