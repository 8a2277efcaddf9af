import { countText } from "../base/meant.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import * as maps from "../op/map.ts";
import { argmax, argmin } from "../op/reduce.ts";
import type { Argument, Call } from "../syntax/tree.ts";
import { concat } from "./concat.ts";
import { convolution, pooling } from "./convolution.ts";
import { derivative } from "./differential.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { diagonal, eye, oneHot } from "./matrices.ts";
import { elementwise } from "./operators.ts";
import {
  logSumExpOf,
  meanOf,
  type ReductionOptions,
  reduced,
  reduction,
  reductionOperand,
  reductionResult,
  softmaxOf,
  varianceOf,
  withTensor,
} from "./reduce.ts";
import { reshaped } from "./reshape.ts";
import { sharedVocabulary } from "./shared-vocabulary.ts";
import { numberMeaning } from "./static.ts";
import { BOTTOM, describe, INVALID, type Meaning, shapeText } from "./value.ts";

/** A function of the language that is neither an elementwise op nor written in the language. */
interface Builtin {
  /** How many arguments it takes, fewest and most. */
  readonly arity: readonly [number, number];
  /** How it is called, for messages. */
  readonly usage: string;
  /** It reads named arguments itself. */
  readonly named?: boolean;
  readonly apply: (context: Context, call: Call) => Meaning;
}

export const BUILTINS: Readonly<Record<string, Builtin>> = {
  sum: { arity: [1, 1], usage: "sum[S](x)", apply: simple("sum", true) },
  prod: { arity: [1, 1], usage: "prod[S](x)", apply: simple("prod", true) },
  any: { arity: [1, 1], usage: "any[S](x)", apply: simple("any", true) },
  all: { arity: [1, 1], usage: "all[S](x)", apply: simple("all", true) },
  max: { arity: [1, 16], usage: "max[S](x) or max(a, b)", apply: extreme("max") },
  min: { arity: [1, 16], usage: "min[S](x) or min(a, b)", apply: extreme("min") },
  mean: {
    arity: [1, 1],
    usage: "mean[S](x)",
    apply: (context, call) => over(context, call, (found) => meanOf(context, found)),
  },
  var: {
    arity: [1, 1],
    usage: "var[S](x)",
    apply: (context, call) => over(context, call, (found) => varianceOf(context, found)),
  },
  logsumexp: {
    arity: [1, 1],
    usage: "logsumexp[S](x)",
    apply: (context, call) => over(context, call, (found) => logSumExpOf(context, found)),
  },
  softmax: {
    arity: [1, 1],
    usage: "softmax[S](x)",
    apply: (context, call) =>
      over(context, call, (found) => softmaxOf(context, found), { keep: true, zeroOutside: true }),
  },
  log_softmax: {
    arity: [1, 1],
    usage: "log_softmax[S](x)",
    apply: (context, call) =>
      over(context, call, (found) => make.sub(context.session.builder, found.value.id, logSumExpOf(context, found)), {
        keep: true,
      }),
  },
  norm: {
    arity: [1, 1],
    usage: "norm[S](x)",
    apply: (context, call) =>
      over(context, call, (found) => {
        const { builder } = context.session;
        const square = make.mul(builder, found.value.id, found.value.id);
        return make.map(
          builder,
          maps.sqrt,
          reduced(context, "sum", { ...found, value: { ...found.value, id: square } }),
        );
      }),
  },
  argmax: { arity: [1, 1], usage: "argmax[K](x)", apply: position("argmax") },
  argmin: { arity: [1, 1], usage: "argmin[K](x)", apply: position("argmin") },
  where: { arity: [3, 3], usage: "where(condition, a, b)", apply: where },
  concat: { arity: [1, 64], usage: "concat(a, b) or concat[T](a, b)", apply: concat },
  reshape: {
    arity: [2, 2],
    usage: "reshape(x, [A, B])",
    apply: (context, call) => withTensor(context, call, (value) => reshaped(context, call, value)),
  },
  one_hot: { arity: [1, 2], usage: "one_hot(token)", apply: oneHot },
  eye: { arity: [1, 1], usage: "eye(D)", apply: eye },
  diag: { arity: [1, 1], usage: "diag(A)", apply: diagonal },
  conv: { arity: [2, 6], usage: "conv(W, x, stride: 1, pad: 0)", named: true, apply: convolution },
  pool: { arity: [2, 5], usage: "pool(x, 2, stride: 2)", named: true, apply: pooling },
  grad: { arity: [2, 2], usage: "grad(y, x)", apply: derivative },
  len: { arity: [1, 1], usage: "len(list)", apply: len },
};

export function isBuiltin(name: string): boolean {
  return Object.hasOwn(BUILTINS, name);
}

/** Applies a builtin function; wrong arguments are reported. */
export function applyBuiltin(context: Context, name: string, call: Call): Meaning {
  const builtin = Object.hasOwn(BUILTINS, name) ? BUILTINS[name] : undefined;
  if (builtin === undefined) return INVALID;
  const named = builtin.named ? undefined : call.args.find((argument) => argument.name !== undefined);
  const [fewest, most] = builtin.arity;
  if (named !== undefined || call.args.length < fewest || call.args.length > most) {
    context.session.report.add(
      "wrong-arguments",
      named?.span ?? call.span,
      named === undefined ? countText(name, builtin.arity, call.args) : `${name} takes no named arguments`,
      { hint: `write ${builtin.usage}` },
    );
    return INVALID;
  }
  return builtin.apply(context, call);
}

type Found = Parameters<typeof meanOf>[1];

function over(context: Context, call: Call, result: (found: Found) => string, options: ReductionOptions = {}): Meaning {
  const value = reductionOperand(context, call);
  if (value.kind !== "tensor") return value;
  const found = reduction(context, call, value);
  return found === undefined ? INVALID : reductionResult(context, found, result(found), call.span, options);
}

function simple(kind: "sum" | "prod" | "any" | "all", emptyIsZero: boolean): Builtin["apply"] {
  return (context, call) => {
    const value = reductionOperand(context, call);
    if (value.kind !== "tensor") return value;
    const found = reduction(context, call, value);
    if (found === undefined) return INVALID;
    return reductionResult(context, found, reduced(context, kind, found), call.span, { emptyIsZero });
  };
}

/** `max(x)` over an axis; `max(a, b)` elementwise. */
function extreme(kind: "max" | "min"): Builtin["apply"] {
  return (context, call) => {
    if (call.args.length === 1) return over(context, call, (found) => reduced(context, kind, found));
    const op = kind === "max" ? maps.maximum : maps.minimum;
    const values = call.args.map((argument) => evaluate(context, argument.value));
    const spans = call.args.map((argument) => argument.span);
    return values.reduce((best, value, index) =>
      elementwise(context, op, [best, value], [spans[index - 1] ?? call.span, spans[index] ?? call.span], call.span),
    );
  };
}

/** Tokens below the axis's size. */
function position(kind: "argmax" | "argmin"): Builtin["apply"] {
  return (context, call) => {
    const value = reductionOperand(context, call);
    if (value.kind !== "tensor") return value;
    const found = reduction(context, call, value);
    if (found === undefined) return INVALID;
    const axis = found.axes[0];
    if (axis === undefined || found.axes.length > 1) {
      context.session.report.add("rank", call.span, `${kind} looks along one axis of ${shapeText(value.visible)}`);
      return INVALID;
    }
    const { builder, axes } = context.session;
    const inside = axes.inside(axis);
    const least = make.num(builder, kind === "argmax" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    const masked = inside === undefined ? value.id : make.select(builder, inside, value.id, least);
    const op = kind === "argmax" ? argmax : argmin;
    const id = builder.add(op, [move.expand(builder, masked, [axis])], { axis: axis.id });
    const result = reductionResult(context, found, id, call.span);
    return result.kind === "tensor" ? { ...result, vocabulary: axis.size } : result;
  };
}

function where(context: Context, call: Call): Meaning {
  const values = call.args.map((argument) => evaluate(context, argument.value));
  const [condition] = values;
  if (condition?.kind === "tensor" && context.session.builder.type(condition.id).dtype !== "bool") {
    context.session.report.add(
      "wrong-kind",
      call.args[0]?.span ?? call.span,
      "the first argument of where is a condition",
      {
        hint: "write a comparison, as in where(x > 0, a, b)",
      },
    );
    return INVALID;
  }
  if (condition?.kind === "bottom") return BOTTOM;
  const vocabulary = sharedVocabulary(values.slice(1));
  const known = values.filter((value) => value.kind !== "bottom");
  if (known.length < values.length) return known.length === 2 ? (known[1] ?? BOTTOM) : BOTTOM;
  const spans = call.args.map((argument) => argument.span);
  const result = elementwise(context, maps.select, values, spans, call.span);
  return result.kind === "tensor" ? { ...result, vocabulary } : result;
}

function len(context: Context, call: Call): Meaning {
  const argument = call.args[0] as Argument;
  const value = evaluate(context, argument.value);
  if (value.kind === "list") return numberMeaning(value.items.length, call.span);
  if (value.kind !== "invalid") {
    context.session.report.add(
      "wrong-kind",
      argument.span,
      `len counts the items of a list, this is ${describe(value)}`,
      {
        hint: "an axis's name is its size",
      },
    );
  }
  return INVALID;
}
