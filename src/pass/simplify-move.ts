import { isNode } from "../ir/graph.ts";
import { equalSizes } from "../ir/size.ts";
import { type Axis, hasAxis, unionAxes } from "../ir/type.ts";
import { expand, type RenameAttributes, rename, reshape } from "../op/move.ts";
import { iota } from "../op/source.ts";
import { type Call, callNode, type Rule, type Simplifier } from "./simplify-rule.ts";

/* Rules of ops that give axes other names or repeat. */

const expandRule: Rule = (call, { draft, make }) => {
  const [x = ""] = call.inputs;
  const own = draft.type(x);
  const missing = call.type.axes.filter((axis) => !hasAxis(own, axis.id));
  if (missing.length === 0) return x;
  const node = draft.definition(x);
  if (!isNode(node, expand)) return undefined;
  return make(expand, node.inputs, { axes: unionAxes(node.attributes.axes, missing) });
};

const renameRule: Rule = (call, simplifier) => {
  const { draft, make } = simplifier;
  const [x = ""] = call.inputs;
  const attributes = renameOf(call, simplifier);
  const changed = attributes.from.filter((id, at) => !isSame(draft.type(x).axes, id, attributes.to[at]));
  if (changed.length === 0) return x;
  const node = draft.definition(x);
  if (isNode(node, iota)) return make(iota, [], { axis: renamed(node.attributes.axis, attributes) });
  if (isNode(node, rename)) {
    const source = node.inputs[0] ?? "";
    const final = draft.type(source).axes.map((axis) => renamed(renamed(axis, node.attributes), attributes));
    return make(rename, [source], pairs(draft.type(source).axes, final));
  }
  if (isNode(node, expand)) {
    const source = node.inputs[0] ?? "";
    const own = draft.type(source).axes;
    const inner = pairs(
      own,
      own.map((axis) => renamed(axis, attributes)),
    );
    const value = inner.from.length === 0 ? source : make(rename, [source], inner);
    return make(expand, [value], { axes: node.attributes.axes.map((axis) => renamed(axis, attributes)) });
  }
  if (changed.length === attributes.from.length) return undefined;
  return make(
    rename,
    [x],
    pairs(
      draft.type(x).axes,
      draft.type(x).axes.map((axis) => renamed(axis, attributes)),
    ),
  );
};

function renameOf(call: Call, { draft }: Simplifier): RenameAttributes {
  const [x = ""] = call.inputs;
  const node = callNode(call);
  if (!isNode(node, rename)) throw new Error(`internal: ${call.op.name} of %${draft.resolve(x)} is no rename`);
  return node.attributes;
}

function isSame(axes: readonly Axis[], id: string, to: Axis | undefined): boolean {
  const own = axes.find((axis) => axis.id === id);
  return own !== undefined && to !== undefined && own.id === to.id && equalSizes(own.size, to.size);
}

function renamed(axis: Axis, { from, to }: RenameAttributes): Axis {
  return to[from.indexOf(axis.id)] ?? axis;
}

/** The attributes that rename some axes, in order, to others; axes that stay are left out. */
function pairs(axes: readonly Axis[], final: readonly Axis[]): RenameAttributes {
  const changed = axes.flatMap((axis, at) => {
    const to = final[at];
    return to === undefined || (to.id === axis.id && equalSizes(to.size, axis.size)) ? [] : [{ from: axis.id, to }];
  });
  return { from: changed.map((pair) => pair.from), to: changed.map((pair) => pair.to) };
}

/** Laid out whole, what may be read before a position is just a renaming; that it may not be read further was the scheduler's business. */
const partRule: Rule = (call, { make }) => {
  const { axis, to } = call.attributes;
  return typeof axis === "string" && isAxis(to) ? make(rename, call.inputs, { from: [axis], to: [to] }) : undefined;
};

function isAxis(value: Call["attributes"][string]): value is Axis {
  return typeof value === "object" && "id" in value;
}

const gatherRule: Rule = (call, { draft, make }) => {
  const [x = "", index = ""] = call.inputs;
  const { axis } = call.attributes;
  const node = draft.definition(x);
  const repeated = isNode(node, expand) ? node.attributes.axes.find((own) => own.id === axis) : undefined;
  if (isNode(node, expand) && repeated !== undefined && !hasAxis(draft.type(node.inputs[0] ?? ""), repeated.id)) {
    // All entries are the same one.
    return make(expand, node.inputs, { axes: call.type.axes });
  }
  const at = draft.definition(index);
  const own = draft.type(x).axes.find((candidate) => candidate.id === axis);
  if (!isNode(at, iota) || own === undefined || !equalSizes(own.size, at.attributes.axis.size)) return undefined;
  const to = at.attributes.axis;
  if (to.id === own.id) return x;
  return hasAxis(draft.type(x), to.id) ? undefined : make(rename, [x], { from: [own.id], to: [to] });
};

const reshapeRule: Rule = (call, { draft, make }) => {
  const [x = ""] = call.inputs;
  const node = callNode(call);
  if (!isNode(node, reshape)) return undefined;
  const { from, to } = node.attributes;
  const own = draft.type(x).axes;
  if (from.length === 1 && to.length === 1) return make(rename, [x], { from, to });
  const inner = draft.definition(x);
  if (!isNode(inner, reshape) || !isSameList(inner.attributes.to, from)) {
    const same = from.length === to.length && from.every((id, at) => isSame(own, id, to[at]));
    return same ? x : undefined;
  }
  return make(reshape, inner.inputs, { from: inner.attributes.from, to });
};

function isSameList(axes: readonly Axis[], ids: readonly string[]): boolean {
  return axes.length === ids.length && axes.every((axis, at) => axis.id === ids[at]);
}

export const MOVE_RULES: Readonly<Record<string, Rule>> = {
  expand: expandRule,
  rename: renameRule,
  prefix: partRule,
  suffix: partRule,
  gather: gatherRule,
  reshape: reshapeRule,
};
