import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { definitionNames, findDefinition, isMissingAnyway } from "../check/modules.ts";
import type { Op } from "../ir/op.ts";
import type { NoAttributes } from "../op/elementwise.ts";
import * as make from "../op/make.ts";
import * as maps from "../op/map.ts";
import { OPS, opByName } from "../op/table.ts";
import type { Binary, Expression, Reference } from "../syntax/tree.ts";
import { freshen, hiddenIds } from "./align.ts";
import { BUILTINS, isBuiltin } from "./builtins.ts";
import { evaluateCall } from "./call.ts";
import { evaluateElse } from "./else.ts";
import { demand } from "./equation.ts";
import type { Context, Slot } from "./frame.ts";
import { evaluateMember, familyMembers } from "./member.ts";
import { METRIC_NAMES } from "./metrics.ts";
import { elementwise, product, scalar } from "./operators.ts";
import { evaluateIndex } from "./read.ts";
import { evaluateScan } from "./scan.ts";
import { compareNumbers, knownNumber, numberMeaning, staticBinary } from "./static.ts";
import { INVALID, type Meaning, shownSize, type TensorValue } from "./value.ts";

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
    case "true":
    case "false":
      return scalar(make.bool(context.session.builder, name === "true"), span);
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
    "true",
    "false",
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
