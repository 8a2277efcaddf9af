import type { Fix } from "../base/diagnostic.ts";
import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { equalSizes, isUnit } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import type { Expression, ParamDeclarator, ParamItem } from "../syntax/tree.ts";
import { descendants, printExpression } from "../syntax/walk.ts";
import { evaluate } from "./expression.ts";
import { type Context, type Frame, joinPath, type Session, type Tie } from "./frame.ts";
import type { Initial, WeightSpec } from "./program.ts";
import { asSize, knownNumber } from "./static.ts";
import { EVERYWHERE, INVALID, type Meaning, type TensorValue, type VisibleAxis, visibleAxis } from "./value.ts";

/** An `init` serves all names before it that have none. */
export function withInitials(
  item: ParamItem,
): readonly { readonly declarator: ParamDeclarator; readonly initial: Expression | undefined }[] {
  let initial: Expression | undefined;
  return [...item.declarators]
    .reverse()
    .map((declarator) => {
      initial = declarator.init ?? initial;
      return { declarator, initial };
    })
    .reverse();
}

/** `W`, or `W.i` and `W.f` of a family. */
export function familyMembers(declarator: ParamDeclarator): readonly { readonly key: string; readonly span: Span }[] {
  const { name, members } = declarator;
  if (members === undefined) return [{ key: name.text, span: name.span }];
  return members.map((member) => ({ key: `${name.text}.${member.text}`, span: member.span }));
}

/** The weight that a name means: the same for every application of its instance, and what an equation moved it to. */
export function weightValue(
  context: Context,
  declarator: ParamDeclarator,
  initial: Expression | undefined,
  key: string,
  span: Span,
): Meaning {
  const { session, frame } = context;
  const shape = declaredShape(context, declarator);
  if (shape === undefined) return INVALID;
  const path = joinPath(frame.path, key);
  const tie = session.ties.get(path);
  const axes = weightAxes(session, shape);
  const labels = (declarator.type.axes ?? []).map((axis) => axis.label?.text);
  const visible = axes.map((axis, place) => visibleAxis(axis, labels[place], isUnit(axis.size)));
  const value = (id: string, shown = visible): TensorValue => ({
    kind: "tensor",
    id,
    visible: shown,
    vocabulary: undefined,
    condition: EVERYWHERE,
    zeroOutside: [],
    from: declarator.span,
  });
  if (tie !== undefined) return tiedValue(context, path, value(""), span);
  const known = session.weights.get(path);
  if (known !== undefined) return value(session.moved.get(path) ?? known.id);
  const spec = specOf(context, path, shape, declarator, initial, span);
  const type = { dtype: "float" as const, axes: axes.filter((axis) => !isUnit(axis.size)) };
  const id = session.builder.param(path, type);
  session.weights.set(path, { spec, id, owner: frame.path, made: madeAt(frame) ?? span });
  session.roles.set(id, { kind: "weight", name: path });
  return value(id);
}

/** The `use` of the model through which a frame's weights came to be; undefined for the model's own. */
function madeAt(frame: Frame): Span | undefined {
  let at = frame;
  if (at.caller?.frame.caller === undefined) return undefined;
  for (let next = at.caller?.frame; next?.caller?.frame.caller !== undefined; next = next.caller?.frame) at = next;
  return at.made;
}

function weightAxes(session: Session, shape: WeightSpec["shape"]): readonly Axis[] {
  const taken = new Set<string>();
  return shape.map((size) => {
    if (isUnit(size)) return { id: "1", size };
    const axis = session.axes.fresh(size, taken);
    taken.add(axis.id);
    return axis;
  });
}

/** `tie head.W = emb.W`: the other name's weight, perhaps transposed; the shapes must agree. */
function tiedValue(context: Context, path: string, declared: TensorValue, span: Span): Meaning {
  const { session } = context;
  const tie = session.ties.get(path);
  if (tie !== undefined && !session.weights.has(tie.weight)) tie.find();
  const target = tie === undefined ? undefined : session.weights.get(tie.weight);
  if (tie === undefined || target === undefined) return INVALID;
  const own = weightAxes(session, target.spec.shape).map((axis) => visibleAxis(axis, undefined, isUnit(axis.size)));
  const [row, column] = own.slice(-2);
  const shown = tie.transposed && row !== undefined && column !== undefined ? [...own.slice(0, -2), column, row] : own;
  const fits =
    shown.length === declared.visible.length &&
    shown.every((axis, place) => {
      const other = declared.visible[place];
      return other !== undefined && equalSizes(axis.axis.size, other.axis.size);
    });
  if (!fits) {
    const text = (axes: typeof shown): string => `[${axes.map((axis) => axis.axis.size.text).join(", ")}]`;
    session.report.add(
      "shape-mismatch",
      tie.span,
      `${path} is ${text([...declared.visible])}, and ${tie.weight}${tie.transposed ? ".T" : ""} is ${text(shown)}`,
      {
        related: [
          { span: madeAt(context.frame) ?? span, message: `${path} is made here` },
          { span: target.made, message: `${tie.weight} is made here` },
        ],
        ...tieHint(context, tie, shown, declared),
      },
    );
    return INVALID;
  }
  return {
    ...declared,
    id: session.moved.get(tie.weight) ?? target.id,
    visible: shown.map((axis, place) => ({ ...axis, label: declared.visible[place]?.label })),
  };
}

/** `.T` helps where the swapped axes fit. */
function tieHint(
  context: Context,
  { span, transposed }: Tie,
  shown: readonly VisibleAxis[],
  declared: TensorValue,
): { readonly hint: string; readonly fix?: Fix } {
  const swapped = [...shown.slice(0, -2), ...shown.slice(-2).toReversed()];
  const fits =
    shown.length === declared.visible.length &&
    shown.length >= 2 &&
    swapped.every((axis, place) => axis.axis.size.text === declared.visible[place]?.axis.size.text);
  if (!fits) return { hint: "tied weights are one array: their declared sizes must be the same, by name" };
  if (transposed) return { hint: "leave the .T out" };
  const end = { ...span, start: span.end };
  const text = context.session.modules.all.get(span.file)?.text.slice(span.start, span.end) ?? "";
  const hint = "write .T behind the right side to tie it transposed";
  return /[\w]$/.test(text)
    ? { hint, fix: { title: "tie it transposed", edits: [{ span: end, text: ".T" }] } }
    : { hint };
}

function declaredShape(context: Context, declarator: ParamDeclarator): WeightSpec["shape"] | undefined {
  const shape = [];
  for (const axis of declarator.type.axes ?? []) {
    const size = asSize(context, evaluate(context, axis.size), axis.span);
    if (size === undefined) return undefined;
    if (context.session.axes.lengths(size.text).length !== undefined || context.session.times.has(size.text)) {
      context.session.report.add(
        "wrong-kind",
        axis.span,
        `a weight cannot have ${size.text} entries: it differs by example`,
        {
          hint: "give it a fixed size, and read a part of it: p[:T]",
        },
      );
      return undefined;
    }
    shape.push(size);
  }
  if (declarator.type.base !== "float") {
    context.session.report.add("wrong-kind", declarator.type.span, "a weight holds numbers, not tokens or truths", {
      hint: "write its shape alone, as in [V, D]",
    });
    return undefined;
  }
  return shape;
}

function specOf(
  context: Context,
  name: string,
  shape: WeightSpec["shape"],
  declarator: ParamDeclarator,
  initial: Expression | undefined,
  span: Span,
): WeightSpec {
  const fallback: Initial = shape.length > 1 ? { kind: "glorot" } : { kind: "constant", value: 0 };
  const chosen = initial === undefined ? fallback : initialOf(context, initial, shape.length);
  const { definition, path } = context.frame;
  const key = path === "" ? name : name.slice(path.length + 1);
  return {
    name,
    shape,
    initial: chosen ?? fallback,
    trained: !isMoved(definition.items, key),
    span: declarator.members === undefined ? declarator.span : span,
    doc: undefined,
  };
}

function isMoved(items: Context["frame"]["definition"]["items"], key: string): boolean {
  return items.some(
    (item) => item.kind === "equation" && item.targets.some((target) => target.primed && target.name.text === key),
  );
}

function initialOf(context: Context, expression: Expression, rank: number): Initial | undefined {
  const named = expression.kind === "reference" ? expression.name : undefined;
  if (named === "glorot" || named === "he") return { kind: named };
  if (named === "orthogonal") {
    if (rank >= 2) return { kind: "orthogonal" };
    context.session.report.add(
      "wrong-option",
      expression.span,
      "orthogonal is for a matrix, and this weight has one axis or none",
      {
        hint: "write a number, normal(sigma) or uniform(low, high)",
      },
    );
    return undefined;
  }
  if (expression.kind === "call" && expression.callee.kind === "reference") {
    const numbers = expression.args.map((argument) => knownNumber(context, evaluate(context, argument.value)));
    const [a, b] = numbers;
    if (expression.callee.name === "normal" && a !== undefined && numbers.length === 1)
      return { kind: "normal", sigma: a };
    if (expression.callee.name === "uniform" && a !== undefined && b !== undefined) {
      return { kind: "uniform", low: a, high: b };
    }
  }
  const looksNamed = named !== undefined && !context.frame.names.has(named);
  const meaning = looksNamed || expression.kind === "call" ? undefined : evaluate(context, expression);
  const value = meaning === undefined ? undefined : knownNumber(context, meaning);
  if (value !== undefined) return { kind: "constant", value };
  if (meaning?.kind !== "invalid") reportInitial(context, expression);
  return undefined;
}

const INITIALS = {
  glorot: "glorot",
  he: "he",
  orthogonal: "orthogonal",
  normal: "normal(sigma)",
  uniform: "uniform(low, high)",
};

/** A name that is a size whose number is said where the definition is used. */
function isUnknownSize(context: Context, expression: Expression): boolean {
  if (expression.kind !== "reference" || context.frame.names.get(expression.name)?.kind !== "parameter") return false;
  const meaning = evaluate(context, expression);
  return meaning.kind === "size" && knownNumber(context, meaning) === undefined;
}

function reportInitial(context: Context, expression: Expression): void {
  const callee = expression.kind === "call" ? expression.callee : expression;
  const name = callee.kind === "reference" ? callee.name : "";
  const usage = Object.entries(INITIALS).find(([known]) => known === name)?.[1];
  const near = nearest(name, Object.keys(INITIALS));
  const known = `write a number, ${Object.values(INITIALS).join(", ")}`;
  const unknown = [...descendants(expression)].find((part) => isUnknownSize(context, part));
  if (unknown !== undefined) {
    const text = printExpression(unknown);
    context.session.report.add("unknown-size", expression.span, `the number ${text} must be known here`, {
      hint: `give it a default, as in ${text} = 3, or a value where it is used`,
    });
  } else if (usage !== undefined) {
    context.session.report.add("wrong-option", expression.span, `${name} is written ${usage}, with known numbers`, {
      hint: known,
    });
  } else if (near !== undefined) {
    context.session.report.add(
      "wrong-option",
      callee.span,
      `there is no initial value named ${name}`,
      meant(near, callee.span),
    );
  } else context.session.report.add("wrong-option", expression.span, "this is no initial value", { hint: known });
}
