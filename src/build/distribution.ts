import type { Span } from "../base/span.ts";
import * as move from "../op/make_move.ts";
import type { Expression } from "../syntax/tree.ts";
import { inputNames, openFrame } from "./apply.ts";
import { demand } from "./equation.ts";
import { evaluate } from "./expression.ts";
import type { Context, Frame } from "./frame.ts";
import { givenParameters } from "./instance.ts";
import { asTensor } from "./operators.ts";
import { isThere } from "./there.ts";
import { describe, INVALID, type InstanceValue, type Meaning, type TensorValue, type VisibleAxis } from "./value.ts";

/** A distribution with its parameters bound: ask its frame for `log_prob`, `sample`, `best`, `divergence`. */
export interface OpenDistribution {
  readonly frame: Frame;
  readonly instance: InstanceValue;
  /** The axes over which it is lifted. */
  readonly leading: readonly VisibleAxis[];
}

export interface DistributionOptions {
  /** Its definition's parameters: the options of decoding. */
  readonly given?: ReadonlyMap<string, Meaning>;
  /** Further inputs by name: the value whose probability is asked for, another distribution's parameters. */
  readonly further?: ReadonlyMap<string, Meaning>;
  /** Axes that it is lifted over whether or not its parameters have them: those of what is drawn. */
  readonly over?: readonly VisibleAxis[];
}

/** A distribution's frame: `normal(mu, 1)`, `chain(scores)` of an instance, `bernoulli(logits: x)`. */
export function openDistribution(
  context: Context,
  dist: Expression,
  { given = new Map(), further = new Map(), over = [] }: DistributionOptions = {},
): OpenDistribution | undefined {
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
  widen(context, instance, inputs, over);
  for (const [name, meaning] of further) inputs.set(name, { meaning, span: dist.span });
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

/** One of its equations, the axes that it is lifted over in front; one that it lacks is reported. */
export function distributionSlot(
  context: Context,
  opened: OpenDistribution,
  name: "log_prob" | "sample" | "best" | "divergence",
  span: Span,
): TensorValue | undefined {
  const slot = opened.frame.names.get(name);
  if (slot === undefined) {
    reportLack(context, opened, name, span);
    return undefined;
  }
  const meaning = demand(context.session, slot);
  const value = meaning.kind === "tensor" ? meaning : asTensor(context, meaning, span);
  return value === undefined ? undefined : { ...value, visible: [...opened.leading, ...value.visible] };
}

function reportLack({ session }: Context, { instance }: OpenDistribution, name: string, span: Span): void {
  const { text, span: defined } = instance.definition.name;
  session.report.add(
    name === "log_prob" ? "no-probability" : "cannot-sample",
    span,
    name === "log_prob"
      ? `${text} gives no probability: it has no log_prob`
      : `${text} cannot be ${name === "best" ? "decoded by its best" : "sampled"}: it has no ${name}`,
    {
      related: [{ span: defined, message: `${text} is defined here` }],
      hint: `write an equation ${name} = ... in ${text}`,
    },
  );
}

/** Its inputs as the caller sees them, defaults included. */
export function distributionInputs(context: Context, opened: OpenDistribution): ReadonlyMap<string, TensorValue> {
  const values = new Map<string, TensorValue>();
  for (const name of inputNames(opened.instance.definition)) {
    const slot = opened.frame.names.get(name);
    const meaning = slot === undefined ? INVALID : demand(context.session, slot);
    if (meaning.kind === "tensor") values.set(name, { ...meaning, visible: [...opened.leading, ...meaning.visible] });
  }
  return values;
}

/** Where no parameter has the axes of what is drawn, the first gets them: each position draws by itself. */
function widen(
  context: Context,
  { definition }: InstanceValue,
  inputs: Map<string, { meaning: Meaning; span: Span }>,
  over: readonly VisibleAxis[],
): void {
  const axes = over.filter((axis) => !axis.unit);
  const rank = (name: string): number => {
    for (const item of definition.items) {
      const found = item.kind === "in" ? item.names.find((typed) => typed.name.text === name) : undefined;
      if (found !== undefined) return found.type.axes?.length ?? 0;
    }
    return 0;
  };
  const lifted = (name: string, { visible }: TensorValue): number =>
    visible.filter((axis) => !axis.unit).length - rank(name);
  const values = [...inputs].flatMap(([name, { meaning, span }]) => {
    const value = meaning.kind === "bottom" ? undefined : asTensor(context, meaning, span);
    return value === undefined ? [] : [{ name, value, span }];
  });
  if (axes.length === 0 || values.some(({ name, value }) => lifted(name, value) >= axes.length)) return;
  const first = values.find(({ name, value }) => lifted(name, value) <= 0);
  if (first === undefined) return;
  const id = move.expand(
    context.session.builder,
    first.value.id,
    axes.map((axis) => axis.axis),
  );
  inputs.set(first.name, {
    meaning: { ...first.value, id, visible: [...axes, ...first.value.visible] },
    span: first.span,
  });
}
