import type { Span } from "../base/span.ts";
import { constantSize, type Size } from "../ir/size.ts";
import type { Argument, Call, Expression } from "../syntax/tree.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asInteger } from "./static.ts";
import type { Sweep } from "./sweep.ts";
import type { VisibleAxis } from "./value.ts";

/** The named arguments, each once and known; positional ones are counted. */
export function readOptions(
  context: Context,
  call: Call,
  positional: number,
  names: readonly string[],
  usage: string,
): ReadonlyMap<string, Argument> | undefined {
  const options = new Map<string, Argument>();
  let wrong = call.args.filter((argument) => argument.name === undefined).length === positional ? undefined : call.span;
  for (const argument of call.args) {
    if (argument.name === undefined) continue;
    if (!names.includes(argument.name.text)) wrong = argument.span;
    options.set(argument.name.text, argument);
  }
  if (wrong === undefined) return options;
  context.session.report.add("wrong-arguments", wrong, "these arguments do not fit", { hint: `write ${usage}` });
  return undefined;
}

/** How each axis of positions is swept, as the options say; a mistake is reported. */
export function sweepsOf(
  context: Context,
  call: Call,
  options: ReadonlyMap<string, Argument>,
  kernels: readonly Size[],
  positions: readonly VisibleAxis[],
  pools: boolean,
): readonly Sweep[] | undefined {
  const strides = optionPerAxis(context, options.get("stride"), positions.length, 1);
  const dilations = optionPerAxis(context, options.get("dilation"), positions.length, 1);
  const pad = textOption(options.get("pad"));
  const pads =
    pad === undefined ? optionPerAxis(context, options.get("pad"), positions.length, 0) : positions.map(() => 0);
  if (strides === undefined || dilations === undefined || pads === undefined) return undefined;
  if (pad !== undefined && pad !== "same" && pad !== "causal") {
    context.session.report.add(
      "wrong-option",
      options.get("pad")?.span ?? call.span,
      `there is no padding named ${pad}`,
      {
        hint: 'write a number, "same" or "causal"',
      },
    );
    return undefined;
  }
  if ([...strides, ...dilations].some((value) => value < 1) || pads.some((value) => value < 0)) {
    context.session.report.add("wrong-option", call.span, "strides and dilations are 1 or more, padding 0 or more");
    return undefined;
  }
  return positions.map((axis, place) => ({
    kernel: kernels[place] ?? constantSize(1),
    stride: strides[place] ?? 1,
    dilation: dilations[place] ?? 1,
    pad: pad ?? pads[place] ?? 0,
    partial: pools && isTime(context, axis),
  }));
}

function isTime({ session }: Context, axis: VisibleAxis): boolean {
  return session.times.has(axis.axis.size.text) || session.axes.lengths(axis.axis.id).length !== undefined;
}

function optionPerAxis(
  context: Context,
  argument: Argument | undefined,
  count: number,
  fallback: number,
): readonly number[] | undefined {
  return argument === undefined
    ? Array.from({ length: count }, () => fallback)
    : perAxis(context, argument.value, count, argument.span);
}

/** One number for all axes, or a tuple with one for each. */
export function perAxis(
  context: Context,
  expression: Expression,
  count: number,
  span: Span,
): readonly number[] | undefined {
  const meaning = evaluate(context, expression);
  const items = meaning.kind === "list" ? meaning.items : Array.from({ length: count }, () => meaning);
  const numbers = items.map((item) => asInteger(context, item, span, "this option"));
  if (numbers.length === count && numbers.every((value) => value !== undefined))
    return numbers.flatMap((value) => value ?? []);
  if (numbers.length !== count) {
    context.session.report.add("wrong-option", span, `${numbers.length} numbers for ${count} axes`, {
      hint: "write one number for all of them, or one for each",
    });
  }
  return undefined;
}

/** A whole number, or what is usual. */
export function integerOption(context: Context, argument: Argument | undefined, fallback: number): number | undefined {
  return argument === undefined
    ? fallback
    : asInteger(context, evaluate(context, argument.value), argument.span, "this option");
}

/** An option that is a text. */
export function textOption(argument: Argument | undefined): string | undefined {
  return argument?.value.kind === "string" ? argument.value.value : undefined;
}
