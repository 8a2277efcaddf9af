import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { definitionNames, findDefinition, isMissingAnyway } from "../check/modules.ts";
import type { Op } from "../ir/op.ts";
import type { Size } from "../ir/size.ts";
import type { NoAttributes } from "../op/elementwise.ts";
import * as make from "../op/make.ts";
import * as maps from "../op/map.ts";
import { OPS, opByName } from "../op/table.ts";
import type { Binary, Else, Expression, Member, Reference } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { freshen, hiddenIds } from "./align.ts";
import { BUILTINS, isBuiltin } from "./builtins.ts";
import { evaluateCall } from "./call.ts";
import { isEverywhere } from "./condition.ts";
import { demand } from "./equation.ts";
import type { Context, Slot } from "./frame.ts";
import { instanceMember, instanceMembers } from "./instance-member.ts";
import { METRIC_NAMES } from "./metrics.ts";
import { asTensor, elementwise, product, scalar } from "./operators.ts";
import { evaluateIndex } from "./read.ts";
import { mapRecord, otherwise, settle } from "./record.ts";
import { evaluateScan } from "./scan.ts";
import { stateField, stateNames } from "./stack-state.ts";
import { compareNumbers, knownNumber, numberMeaning, staticBinary } from "./static.ts";
import { BOTTOM, describe, INVALID, type Meaning, shownSize, type TensorValue } from "./value.ts";

/** What an expression means where it stands. Everything wrong is reported, and makes it invalid. */
export function evaluate(context: Context, expression: Expression): Meaning {
  const raw = evaluateRaw(context, expression);
  return raw.kind === "tensor" ? wholeRead(context, raw, expression) : raw;
}

/**
 * The same without making its visible axes fit beside the hidden ones: the object of an index expression, whose
 * subscripts may take just those axes.
 */
export function evaluateRaw(context: Context, expression: Expression): Meaning {
  switch (expression.kind) {
    case "number":
      return numberMeaning(expression.value, expression.span);
    case "string":
      return { kind: "text", value: expression.value };
    case "reference":
      return evaluateReference(context, expression);
    case "member":
      return evaluateMember(context, expression);
    case "call":
      return evaluateCall(context, expression);
    case "index":
      return evaluateIndex(context, expression);
    case "unary":
      return evaluateUnary(context, expression.operator, expression.operand, expression.span);
    case "binary":
      return evaluateBinary(context, expression);
    case "else":
      return evaluateElse(context, expression);
    case "list":
    case "tuple":
      return { kind: "list", items: expression.items.map((item) => evaluate(context, item)) };
    case "scan":
      return evaluateScan(context, expression);
    case "by":
      context.session.report.add("wrong-option", expression.span, "`by` chooses how a metric decodes an emission", {
        hint: "it stands in the arguments of a report's metric",
      });
      return INVALID;
    default:
      return expression satisfies never;
  }
}

/** A value named without subscripts is read whole: it must hold everywhere, and its axes stand beside the hidden ones. */
function wholeRead(context: Context, value: TensorValue, expression: Expression): TensorValue | typeof INVALID {
  const late = value.visible.find((axis) => axis.valid !== undefined && (axis.valid.low > 0 || axis.valid.high > 0));
  if (late?.valid !== undefined && expression.kind === "reference") {
    const { low, high } = late.valid;
    const axis = shownSize(late.axis.size.text);
    const ends = [
      low > 0 ? `the first ${low === 1 ? "position" : `${low} positions`}` : "",
      high > 0 ? `the last ${high === 1 ? "position" : `${high} positions`}` : "",
    ];
    const text = `has no value at ${ends.filter((end) => end !== "").join(" and ")} of ${axis}, and is read whole here`;
    context.session.report.add("late-start", expression.span, `${expression.name} ${text}`, {
      related: [{ span: value.from, message: `${expression.name} is defined here, with a read that falls outside` }],
      hint: "write an `else` behind that read, as in x[t-1] else 0, or read this by an index",
    });
    return INVALID;
  }
  return freshen(context, value, hiddenIds(context));
}

function evaluateReference(context: Context, { name, primed, span }: Reference): Meaning {
  const { session, frame } = context;
  const index = context.indices.get(name);
  if (index !== undefined && !primed) {
    return { ...scalar(make.iota(session.builder, index), span), vocabulary: undefined };
  }
  const slot = frame.names.get(primed ? `${name}'` : name);
  if (slot !== undefined) return readSlot(context, slot, span);
  if (primed) return reportPrime(context, name, span);
  const constant = constantNamed(context, name, span);
  if (constant !== undefined) return constant;
  const found = findDefinition(session.modules, frame.file, name);
  if (found !== undefined) return { kind: "definition", ...found, given: new Map() };
  if (isBuiltin(name) || isFunction(name)) return { kind: "builtin", name };
  return reportUnknown(context, name, span);
}

/** Every function of the language that is no definition. */
export function functionNames(): readonly string[] {
  return [...Object.keys(BUILTINS), ...OPS.map(({ name }) => name).filter(isFunction)];
}

/** Elementwise ops that are written as functions; the others are operators, or how the compiler writes `else` and `where`. */
function isFunction(name: string): boolean {
  return opByName(name)?.scalar !== undefined && !NO_FUNCTIONS.has(name);
}

const NO_FUNCTIONS: ReadonlySet<string> = new Set([
  ...["add", "sub", "mul", "div", "mod", "pow", "neg", "eq", "ne", "lt", "le", "gt", "ge", "and", "or", "not"],
  ...["orelse", "select", "to_float", "to_int"],
]);

function readSlot(context: Context, slot: Slot, span: Span): Meaning {
  if (slot.kind === "family") {
    context.session.report.add("wrong-kind", span, `${slot.name} is a family of weights, not one`, {
      related: [{ span: slot.span, message: "declared here" }],
      hint: `write ${familyMembers(context, slot.name).join(" or ")}`,
    });
    return INVALID;
  }
  return demand(context.session, slot);
}

function constantNamed(context: Context, name: string, span: Span): Meaning | undefined {
  switch (name) {
    case "pi":
      return { kind: "number", value: Math.PI };
    case "inf":
      return { kind: "number", value: Number.POSITIVE_INFINITY };
    case "training":
      return scalar(trainingFlag(context), span);
    case "BOS":
    case "EOS":
      return { kind: "special", name, from: span };
    default:
      return undefined;
  }
}

/** bool []: whether this is a training step. */
export function trainingFlag({ session }: Pick<Context, "session">): string {
  for (const [id, role] of session.roles) if (role.kind === "training") return id;
  const id = session.builder.param("training", { dtype: "bool", axes: [] });
  session.roles.set(id, { kind: "training" });
  return id;
}

/** `W.i` and `W.f` of the family `W`. */
function familyMembers(context: Context, name: string): readonly string[] {
  return [...context.frame.names.keys()].filter((key) => key.startsWith(`${name}.`));
}

function reportPrime(context: Context, name: string, span: Span): Meaning {
  const known = context.frame.names.get(name);
  if (known?.kind === "state") return INVALID; // Its lack of a next value is reported where it is declared.
  context.session.report.add("not-a-state", span, `${name} has no next value ${name}'`, {
    related: known === undefined ? [] : [{ span: known.span, message: `${name} is given here, and is no state` }],
    hint:
      known === undefined
        ? `a prime reads the next value of a state: declare state ${name}: [...]`
        : `read ${name} without the prime`,
    fix: known === undefined ? undefined : { title: `write ${name}`, edits: [{ span, text: name }] },
  });
  return INVALID;
}

function reportUnknown(context: Context, name: string, span: Span): Meaning {
  const { session, frame } = context;
  if (isMissingAnyway(session.modules, frame.file, name)) return INVALID;
  const names = [
    ...context.indices.keys(),
    ...frame.names.keys(),
    ...definitionNames(session.modules, frame.file),
    ...Object.keys(BUILTINS),
    ...OPS.map((op) => op.name).filter(isFunction),
    ...(session.metrics === undefined ? [] : METRIC_NAMES),
    "pi",
    "inf",
    "training",
  ];
  const near = nearest(name, names);
  session.report.add(
    "unknown-name",
    span,
    `there is nothing named ${name} here`,
    near === undefined ? { hint: `define it in ${frame.definition.name.text}, or import it` } : meant(near, span),
  );
  return INVALID;
}

function evaluateMember(context: Context, expression: Member): Meaning {
  const { session, frame } = context;
  const { object, names } = expression;
  const name = names[0];
  if (name === undefined) return INVALID;
  if (object.kind === "reference" && object.name === "std" && !frame.names.has("std")) {
    const found = session.modules.library.get(name.text);
    if (found !== undefined) return { kind: "definition", ...found, given: new Map() };
    return reportMember(context, "the library", name.text, [...session.modules.library.keys()], name.span);
  }
  const family = familySlot(context, expression);
  if (family !== undefined) return demand(session, family);
  const weight = memberOfInstance(context, expression);
  if (weight !== undefined) return weight;
  if (object.kind === "reference" && frame.names.get(object.name)?.kind === "family") {
    const members = familyMembers(context, object.name).map((key) => key.slice(object.name.length + 1));
    return reportMember(context, `the family ${object.name}`, name.text, members, name.span);
  }
  const value = evaluateRaw(context, object);
  switch (value.kind) {
    case "invalid":
    case "bottom":
      return value.kind === "bottom" ? BOTTOM : value;
    case "record": {
      const settled = settle(context, value);
      if (settled.kind !== "record") return settled;
      const field = stateField(context, settled, name.text, name.span);
      return field ?? reportMember(context, describe(value), name.text, stateNames(value), name.span);
    }
    case "tensor":
      if (name.text === "T") return transposed(context, value, expression.span);
      session.report.add("unknown-member", name.span, `${describe(value)} is an array: it has no part ${name.text}`, {
        related: [{ span: value.from, message: "it comes from here" }],
        hint: "a position is read with brackets, as in x[0]; .T swaps the last two axes",
      });
      return INVALID;
    case "several":
      session.report.add(
        "unknown-member",
        name.span,
        `these are ${value.items.length} values, which have no part ${name.text}`,
        {
          hint: "name each of them, as in y, s = ...",
        },
      );
      return INVALID;
    default:
      return reportMember(context, describe(value), name.text, [], name.span);
  }
}

/** `W.i` of a weight family, or `l1.W` and `l1.W.i`, weights of an instance. */
function familySlot(context: Context, expression: Member): Slot | undefined {
  const path = dottedPath(expression);
  return path === undefined ? undefined : context.frame.names.get(path);
}

/** `l1.W` and `enc.f.W.i`: a weight or part of an instance; undefined where the expression is something else. */
function memberOfInstance(context: Context, expression: Member): Meaning | undefined {
  const [head = "", ...names] = (dottedPath(expression) ?? "").split(".");
  const slot = context.frame.names.get(head);
  const instance = slot?.kind === "instance" ? demand(context.session, slot) : undefined;
  if (instance?.kind !== "instance" || names.length === 0) return undefined;
  const found = instanceMember(context, instance, names, expression.span);
  const name = expression.names[0];
  if (found !== undefined || expression.object.kind !== "reference" || name === undefined) return found;
  const known = instanceMembers(context, instance, expression.span);
  return known.includes(name.text) ? undefined : reportMember(context, describe(instance), name.text, known, name.span);
}

/** `a.b.c` as text, where the expression is nothing else. */
export function dottedPath(expression: Expression): string | undefined {
  if (expression.kind === "reference") return expression.primed ? undefined : expression.name;
  if (expression.kind !== "member" || expression.names.length !== 1) return undefined;
  const object = dottedPath(expression.object);
  return object === undefined ? undefined : `${object}.${expression.names[0]?.text}`;
}

function reportMember(context: Context, of: string, name: string, known: readonly string[], span: Span): Meaning {
  const near = nearest(name, known);
  const few = known.length > 0 && known.length <= 12 ? `it has ${known.join(", ")}` : undefined;
  context.session.report.add(
    "unknown-member",
    span,
    `${of} has no ${name}`,
    near === undefined ? { hint: few } : meant(near, span),
  );
  return INVALID;
}

function transposed(context: Context, value: TensorValue, span: Span): Meaning {
  const [row, column] = value.visible.slice(-2);
  if (row === undefined || column === undefined) {
    context.session.report.add("rank", span, `.T swaps the last two axes, and ${describe(value)} has fewer`, {
      related: [{ span: value.from, message: "its shape comes from here" }],
    });
    return INVALID;
  }
  return { ...value, visible: [...value.visible.slice(0, -2), column, row] };
}

function evaluateUnary(context: Context, operator: "-" | "not", operand: Expression, span: Span): Meaning {
  const value = evaluate(context, operand);
  const known = knownNumber(context, value);
  if (operator === "-") {
    if (value.kind === "size" || (value.kind === "number" && known !== undefined)) {
      const negative = staticBinary(context, "-", numberMeaning(0, span), value, span);
      if (negative !== undefined) return negative;
    }
    return elementwise(context, maps.neg, [value], [operand.span], span);
  }
  return elementwise(context, maps.not, [value], [operand.span], span);
}

function evaluateBinary(context: Context, expression: Binary): Meaning {
  const { operator, span } = expression;
  const left = evaluate(context, expression.left);
  const right = evaluate(context, expression.right);
  if (left.kind === "invalid" || right.kind === "invalid") return INVALID;
  const spans: [Span, Span] = [expression.left.span, expression.right.span];
  if (operator === "@") return product(context, left, right, spans, span);
  const fixed = staticBinary(context, operator, left, right, span);
  if (fixed !== undefined) return fixed;
  const [a, b] = [knownNumber(context, left), knownNumber(context, right)];
  const truth = a === undefined || b === undefined ? undefined : compareNumbers(operator, a, b);
  if (truth !== undefined) return scalar(make.bool(context.session.builder, truth), span);
  return elementwise(context, operatorOp(operator), [left, right], spans, span);
}

function operatorOp(operator: Exclude<Binary["operator"], "@">): Op<NoAttributes> {
  const table = {
    "+": maps.add,
    "-": maps.sub,
    "*": maps.mul,
    "/": maps.div,
    "%": maps.mod,
    "**": maps.pow,
    "==": maps.eq,
    "!=": maps.ne,
    "<": maps.lt,
    "<=": maps.le,
    ">": maps.gt,
    ">=": maps.ge,
    and: maps.and,
    or: maps.or,
  } as const;
  return table[operator];
}

function evaluateElse(context: Context, expression: Else): Meaning {
  const value = evaluate(context, expression.value);
  const instead = evaluate(context, expression.otherwise);
  if (value.kind === "invalid" || instead.kind === "invalid") return INVALID;
  if (value.kind === "bottom") return bottomElse(context, instead, expression.otherwise.span);
  if (value.kind === "record") {
    if (instead.kind === "bottom") return BOTTOM;
    if (instead.kind !== "record") return reportElse(context, value, instead, expression);
    return mapRecord(value, (field) => {
      const name = [...value.fields].find(([, candidate]) => candidate === field)?.[0] ?? "";
      const start = instead.fields.get(name);
      return start === undefined ? INVALID : otherwise(context, field, start);
    });
  }
  if (value.kind !== "tensor") return reportElse(context, value, instead, expression);
  if (isEverywhere(value.condition)) {
    reportNeedlessElse(context, expression);
  }
  const start = instead.kind === "special" ? specialToken(context, value, instead.name, expression) : instead;
  const tensor = start.kind === "bottom" ? undefined : asTensor(context, start, expression.otherwise.span);
  if (start.kind === "bottom") return value;
  return tensor === undefined ? INVALID : otherwise(context, value, tensor);
}

function reportNeedlessElse({ session }: Context, { span, value, otherwise: instead }: Else): void {
  const at = { ...span, start: value.span.end };
  const text = session.modules.all.get(span.file)?.text.slice(at.start, at.end) ?? "";
  session.report.add(
    "needless-else",
    instead.span,
    `${printExpression(value)} always holds, so this else is never taken`,
    {
      hint: "leave the else out",
      severity: "warning",
      fix: /^\s*else\b[^()]*$/.test(text) ? { title: "leave it out", edits: [{ span: at, text: "" }] } : undefined,
    },
  );
}

function bottomElse(context: Context, instead: Meaning, span: Span): Meaning {
  if (instead.kind === "special" || instead.kind === "bottom") return BOTTOM;
  if (instead.kind === "record") return instead;
  const value = asTensor(context, instead, span);
  if (value === undefined) return INVALID;
  return value.visible.length === 0 ? { kind: "bottom", otherwise: value } : value;
}

function specialToken(context: Context, value: TensorValue, name: "BOS" | "EOS", expression: Else): Meaning {
  const { vocabulary } = value;
  const { span } = expression.otherwise;
  if (vocabulary === undefined) {
    context.session.report.add(
      "wrong-kind",
      span,
      `${name} is a token, and ${printExpression(expression.value)} holds numbers`,
      {
        related: [{ span: value.from, message: "they come from here" }],
        hint: "write a number, or declare the input as tokens, as in tok(V)[T]",
      },
    );
    return INVALID;
  }
  return { ...scalar(tokenNumber(context, vocabulary, name), span), vocabulary };
}

/** int []: the special tokens that a model names are the last of its vocabularies. */
export function tokenNumber(context: Context, vocabulary: Size, name: "BOS" | "EOS"): string {
  const { builder, specials, specialVocabularies } = context.session;
  specialVocabularies.add(vocabulary.text);
  const back = specials.length - specials.indexOf(name);
  return make.sub(builder, make.sizeInt(builder, vocabulary), make.int(builder, back));
}

function reportElse(context: Context, value: Meaning, instead: Meaning, expression: Else): Meaning {
  const wanted =
    value.kind === "record"
      ? "write a state, as in l1.state(), or leave the else out: a state has a start of its own"
      : undefined;
  const message =
    value.kind === "record" || instead.kind === "record"
      ? `${describe(instead)} cannot stand for ${describe(value)}`
      : `${describe(value)} always holds: an else follows a read`;
  context.session.report.add("wrong-kind", expression.span, message, { hint: wanted });
  return INVALID;
}
