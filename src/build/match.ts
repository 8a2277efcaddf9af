import type { Span } from "../base/span.ts";
import { equalSizes, isUnit, type Size } from "../ir/size.ts";
import * as make from "../op/make.ts";
import type { Typed } from "../syntax/tree.ts";
import { EQUAL_BY_ACCIDENT, realAxes } from "./align.ts";
import { inputNames } from "./apply.ts";
import { declaredAxes, vocabularyOf } from "./declared.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asTensor } from "./operators.ts";
import { settle } from "./record.ts";
import { asSize } from "./static.ts";
import {
  describe,
  EVERYWHERE,
  type InstanceValue,
  type Meaning,
  shapeText,
  shownSize,
  type TensorValue,
  type VisibleAxis,
  visibleAxis,
} from "./value.ts";

/** An argument beside its declaration. */
export interface BoundArgument {
  readonly name: string;
  readonly kind: "in" | "state";
  /** Its visible axes: those it is lifted over, then the declared ones. */
  readonly value: TensorValue;
  readonly leading: readonly VisibleAxis[];
  readonly span: Span;
}

export function bind(
  context: Context,
  inner: Context,
  sizes: Map<string, Size>,
  item: Typed,
  argument: { readonly meaning: Meaning; readonly span: Span },
  instance: InstanceValue,
): BoundArgument | undefined {
  const { meaning, span } = argument;
  const kind = "in" as const;
  if (meaning.kind === "bottom" && meaning.otherwise === undefined) {
    const value = zeroOf(inner, sizes, item);
    return value === undefined ? undefined : { name: item.name.text, kind, value, leading: [], span };
  }
  const tensor = asTensor(context, settle(context, meaning), span);
  if (tensor === undefined) return undefined;
  const matched = matchDeclared(context, inner, sizes, item, tensor, span, instance);
  return matched === undefined ? undefined : { name: item.name.text, kind, span, ...matched };
}

/** 0, false or the first token, of the declared type: what a recurrence is that is not known yet, and a state without a start. */
export function zeroOf(inner: Context, sizes: ReadonlyMap<string, Size>, item: Typed): TensorValue | undefined {
  const visible = declaredAxes(inner, sizes, item);
  const vocabulary = vocabularyOf(inner, item);
  if (visible === undefined || vocabulary === "invalid") return undefined;
  const { builder } = inner.session;
  const id =
    item.type.base === "bool"
      ? make.bool(builder, false)
      : vocabulary === undefined
        ? make.num(builder, 0)
        : make.int(builder, 0);
  return { kind: "tensor", id, visible, vocabulary, condition: EVERYWHERE, zeroOutside: [], from: item.span };
}

/** Matches declared axes with the argument's last ones; names that are no parameters are bound by it. */
export function matchDeclared(
  context: Context,
  inner: Context,
  sizes: Map<string, Size>,
  item: Typed,
  value: TensorValue,
  span: Span,
  instance: InstanceValue,
): { readonly value: TensorValue; readonly leading: readonly VisibleAxis[] } | undefined {
  const wanted = item.type.axes ?? [];
  const own: VisibleAxis[] = [];
  let at = value.visible.length - 1;
  for (let place = wanted.length - 1; place >= 0; place--) {
    const declared = wanted[place];
    if (declared === undefined) continue;
    const axis = value.visible[at];
    const size = expectedSize(inner, sizes, declared.size);
    if (size === "invalid") return undefined;
    const label = declared.label?.text;
    if (size === "free") {
      if (axis === undefined) return reportInput(context, inner, item, value, span, instance, sizes);
      if (declared.size.kind === "reference") sizes.set(declared.size.name, axis.axis.size);
      own.unshift({ ...axis, label });
      at--;
    } else if (isUnit(size)) {
      if (axis?.unit === true) at--;
      own.unshift(visibleAxis({ id: "1", size }, label, true));
    } else {
      if (axis === undefined || axis.unit || !equalSizes(axis.axis.size, size)) {
        return reportInput(context, inner, item, value, span, instance, sizes);
      }
      own.unshift({ ...axis, label });
      at--;
    }
  }
  const leading = realAxes(value.visible.slice(0, at + 1));
  const checked = checkTokens(context, inner, sizes, item, value, span, instance);
  return checked ? { value: { ...value, visible: [...leading, ...own] }, leading } : undefined;
}

/** "free": a name that the call binds. */
function expectedSize(
  inner: Context,
  sizes: ReadonlyMap<string, Size>,
  expression: Parameters<typeof evaluate>[1],
): Size | "free" | "invalid" {
  if (expression.kind === "reference") {
    const bound = sizes.get(expression.name);
    if (bound !== undefined) return bound;
    if (!inner.frame.names.has(expression.name)) return "free";
  }
  return asSize(inner, evaluate(inner, expression), expression.span) ?? "invalid";
}

function checkTokens(
  context: Context,
  inner: Context,
  sizes: Map<string, Size>,
  item: Typed,
  value: TensorValue,
  span: Span,
  instance: InstanceValue,
): boolean {
  const { report } = context.session;
  const name = instanceName(instance);
  const { vocabulary } = item.type;
  const drawn =
    instance.definition.definitionKind === "dist" && !inputNames(instance.definition).includes(item.name.text);
  if (vocabulary === undefined) {
    if (drawn && item.type.base === "float" && context.session.builder.type(value.id).dtype === "bool") {
      report.add("wrong-kind", span, `${name} is a distribution of numbers, and this is true or false`, {
        related: [{ span: value.from, message: "it is declared here" }],
        hint: "declare it as a number, [], which is 1 or 0",
      });
      return false;
    }
    if (value.vocabulary === undefined || item.type.base !== "float") return true;
    const text = drawn
      ? `${name} is a distribution of numbers, and this is ${describe(value)}`
      : `${name} takes numbers for ${item.name.text}, these are tokens`;
    report.add("wrong-kind", span, text, {
      related: [{ span: value.from, message: `${describe(value)} comes from here` }],
      hint: drawn
        ? "tokens are drawn from categorical(logits); a number is declared []"
        : "embed them, or write one_hot(...)",
    });
    return false;
  }
  if (context.session.builder.type(value.id).dtype !== "int") {
    const related =
      value.from.start === span.start
        ? []
        : [{ span: value.from, message: drawn ? "it is declared here" : "they come from here" }];
    const text = drawn
      ? `${name} is a distribution of tokens, and this is ${describe(value)}, of numbers`
      : `${name} takes tokens for ${item.name.text}, and was given numbers`;
    report.add("wrong-kind", span, text, {
      related: [...related, ...(drawn ? [] : [{ span: item.span, message: `${item.name.text} is declared here` }])],
      hint: drawn ? "declare it as tokens, as in emit y: tok(K) ~ ..." : "declare the input as tokens, as in tok(V)[T]",
    });
    return false;
  }
  const size = expectedSize(inner, sizes, vocabulary);
  if (size === "invalid") return false;
  if (size === "free") {
    if (vocabulary.kind === "reference" && value.vocabulary !== undefined) sizes.set(vocabulary.name, value.vocabulary);
    return true;
  }
  if (value.vocabulary === undefined || equalSizes(value.vocabulary, size)) return true;
  const below = shownSize(size.text);
  report.add(
    "token-size",
    span,
    `${name} ${drawn ? "draws" : "takes"} tokens below ${below}, and ${drawn ? "this is" : "was given"} ${describe(value)}`,
    {
      related: [{ span: value.from, message: `${describe(value)} comes from here` }],
      hint: drawn
        ? `emit tok(${below}), or give logits of size ${shownSize(value.vocabulary.text)}`
        : "each vocabulary has a table of its own",
    },
  );
  return false;
}

function reportInput(
  context: Context,
  inner: Context,
  item: Typed,
  value: TensorValue,
  span: Span,
  instance: InstanceValue,
  sizes: ReadonlyMap<string, Size>,
): undefined {
  const name = instanceName(instance);
  const wanted = (item.type.axes ?? []).map((axis) => {
    const size = expectedSize(inner, sizes, axis.size);
    const text = typeof size === "string" ? (axis.size.kind === "reference" ? axis.size.name : "?") : size.text;
    return axis.label === undefined ? text : `${axis.label.text}: ${text}`;
  });
  context.session.report.add(
    "shape-mismatch",
    span,
    `${name} takes ${item.name.text}: [${wanted.join(", ")}], and was given ${shapeText(value.visible)}`,
    {
      related: [
        { span: value.from, message: `${shapeText(value.visible)} comes from here` },
        { span: instance.declared, message: `${name} is made here` },
      ],
      hint: inputHint(context, instance, value, wanted),
    },
  );
  return undefined;
}

function inputHint(
  { session }: Context,
  { path }: InstanceValue,
  value: TensorValue,
  wanted: readonly string[],
): string | undefined {
  if (/\.\d+$/.test(path))
    return "the blocks of a stack feed one another: what a block gives must have the shape of what it takes";
  if (value.visible.length < wanted.length) {
    return `${wanted.length === 1 ? "one axis is" : `${wanted.length} axes are`} needed, there ${value.visible.length === 1 ? "is one" : `are ${value.visible.length}`}`;
  }
  const last = value.visible.slice(-wanted.length).map(({ axis }) => session.sizes.get(axis.size.text));
  const equal = wanted.every((text, place) => last[place] !== undefined && last[place] === session.sizes.get(text));
  return equal ? EQUAL_BY_ACCIDENT : "change the size where it is made, or give it another value";
}

/** `l1`, or the definition's own name where it was called on the spot. */
export function instanceName({ path, definition }: InstanceValue): string {
  return path === "" ? definition.name.text : path;
}

export function reportMissing(context: Context, instance: InstanceValue, item: Typed, span: Span): void {
  context.session.report.add(
    "wrong-arguments",
    span,
    `${instanceName(instance)} is not given its input ${item.name.text}`,
    {
      related: [{ span: item.span, message: `${item.name.text} is declared here` }],
      hint: `write ${instanceName(instance)}(${inputNames(instance.definition).join(", ")})`,
    },
  );
}
