import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import type { Expression, Member } from "../syntax/tree.ts";
import { demand } from "./equation.ts";
import { evaluateRaw } from "./expression.ts";
import type { Context, Slot } from "./frame.ts";
import { instanceMember, instanceMembers } from "./instance-member.ts";
import { settle } from "./record.ts";
import { stateField, stateNames } from "./stack-state.ts";
import { BOTTOM, describe, INVALID, type Meaning, type TensorValue } from "./value.ts";

/** `s.h`, `W.i`, `l1.W`, `std.Linear`, `x.T`. */
export function evaluateMember(context: Context, expression: Member): Meaning {
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

/** `W.i` and `W.f` of the family `W`. */
export function familyMembers(context: Context, name: string): readonly string[] {
  return [...context.frame.names.keys()].filter((key) => key.startsWith(`${name}.`));
}
