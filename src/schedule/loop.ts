import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import type { SizeBinding } from "../ir/size.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import { shift } from "../op/window.ts";
import type { Alignment } from "./align.ts";
import { inputAxis, lagOf } from "./align.ts";
import { createDelays } from "./delays.ts";
import type { Emitter, Types } from "./emitter.ts";
import type { Frame, FrameParts } from "./frame.ts";
import { createFrame, dropAxis, insideName } from "./frame.ts";
import type { Group } from "./group.ts";
import type { Names } from "./names.ts";
import { findOutside } from "./outside.ts";
import type { Past } from "./past.ts";
import { createPast } from "./past.ts";
import { atPosition, disappears, findStarts } from "./position.ts";

/** A group of equations as one loop, whose body may hold further circles. */
export interface Loop {
  readonly axis: Axis;
  readonly reverse: boolean;
  readonly parts: FrameParts;
  /** The body, still an equation graph. */
  readonly nodes: readonly Node[];
  readonly ys: readonly Yielded[];
  /** What is computed once more behind the loop. */
  readonly again: readonly Node[];
}

/** What the body gives at every position. */
export interface Yielded {
  readonly inside: string;
  /** The value of the group that it is, which is its name behind the loop. */
  readonly id: string;
  /** What that value calls the axis of the loop. */
  readonly axis: string;
}

export interface LoopContext {
  readonly names: Names;
  readonly types: Types;
  readonly sizes: SizeBinding;
  /** The region that the loop stands in. */
  readonly before: Emitter;
}

/** Turns a group into a loop over the aligned axis. `wanted`: values of the group that others need. */
export function buildLoop(group: Group, alignment: Alignment, wanted: readonly string[], context: LoopContext): Loop {
  const { names, types, before } = context;
  const reverse = alignment.later.length > 0;
  const axis = loopAxis(group, alignment, names);
  const frame = createFrame(axis, reverse, before, names, types);
  const { ys, again } = findOutside(group, alignment.axisOf, wanted);
  const kept = new Set([...ys, ...again.flatMap((node) => node.outputs.map((output) => output.id))]);
  const nameOf = (id: string): string => (kept.has(id) ? names.fresh(insideName(id)) : id);
  const inside = fillBody(group, alignment, frame, context, nameOf);
  const given = ys.map((id) => ({ inside: inside(id), id, axis: alignment.ownAxis(group.definitions.get(id)) }));
  const parts = frame.finish();
  return { axis, reverse, parts, nodes: frame.body.take(), ys: given, again };
}

/** Puts every member's value for one position into the body and returns where to find it. */
function fillBody(
  group: Group,
  alignment: Alignment,
  frame: Frame,
  context: LoopContext,
  nameOf: (id: string) => string,
): (id: string) => string {
  const { ownAxis } = alignment;
  const starts = findStarts(group, alignment, frame.reverse);
  const plain = group.nodes.filter((node) => !starts.has(node) && !disappears(node, ownAxis(node)));
  const values = nameValues(plain, alignment, context, nameOf);
  const asked = new Set<string>();
  const inside = (id: string): string => {
    const known = values.get(id);
    if (known !== undefined) return known;
    const node = group.definitions.get(id);
    if (node === undefined || asked.has(id)) throw new Error(`internal: %${id} has no place in its loop`);
    asked.add(id);
    const value = read(node);
    values.set(id, value);
    return value;
  };
  const typeInside = (id: string): Type => {
    const node = group.definitions.get(id);
    const type = node?.outputs.find((output) => output.id === id)?.type;
    if (type === undefined) throw new Error(`internal: %${id} is no value of its loop`);
    return dropAxis(type, ownAxis(node));
  };
  const { names, sizes } = context;
  const past = createPast(frame, names, { inside, typeInside, nameOf });
  const delayed = createDelays({ frame, names, sizes, past, inside, typeInside, nameOf });
  const read = (node: Node): string => {
    const own = ownAxis(node);
    const start = starts.get(node);
    if (start !== undefined) {
      return past.ago(start.id, { otherwise: start.otherwise, axis: own, reverse: frame.reverse }, start.delay);
    }
    return readDiagonal(group, node, own, frame, past, nameOf) ?? delayed(node, own) ?? inside(node.inputs[0] ?? "");
  };

  // Carries with a start come first: a read that does not care how it starts shares them.
  for (const node of starts.keys()) for (const output of node.outputs) inside(output.id);
  for (const node of plain) {
    const own = ownAxis(node);
    const inputs = node.inputs.map((id, input) =>
      group.definitions.has(id) ? inside(id) : fromOutside(node, own, id, input, frame, context),
    );
    const outputs = node.outputs.map(({ id, type }) => ({ id: inside(id), type: dropAxis(type, own) }));
    frame.body.adopt({ ...atPosition(node, own, inputs, frame.lookupAxis), outputs, origin: node.origin });
  }
  return inside;
}

/** The body's names of values that stay what they are, for one position, with their types. */
function nameValues(
  nodes: readonly Node[],
  { ownAxis }: Alignment,
  { types }: LoopContext,
  nameOf: (id: string) => string,
): Map<string, string> {
  const values = new Map<string, string>();
  for (const node of nodes) {
    for (const { id, type } of node.outputs) {
      const name = nameOf(id);
      values.set(id, name);
      types.set(name, dropAxis(type, ownAxis(node)));
    }
  }
  return values;
}

/** `r[i-1, j-1]`: the shift along the other axis is made in the body, so that what several reads shift is carried once. */
function readDiagonal(
  group: Group,
  node: Node,
  own: string,
  frame: Frame,
  past: Past,
  nameOf: (id: string) => string,
): string | undefined {
  const inner = group.definitions.get(node.inputs[0] ?? "");
  if (!isNode(node, shift) || node.attributes.axis !== own) return undefined;
  if (!isNode(inner, shift) || inner.attributes.axis === own) return undefined;
  const start = { otherwise: undefined, axis: own, reverse: frame.reverse };
  const row = past.ago(inner.inputs[0] ?? "", start, Math.abs(node.attributes.offset));
  return frame.body.define(nameOf(node.outputs[0]?.id ?? ""), shift, [row], inner.attributes);
}

/** A value from outside as a member reads it at one position. */
function fromOutside(
  node: Node,
  own: string,
  id: string,
  input: number,
  frame: Frame,
  { before, sizes }: LoopContext,
): string {
  const from = inputAxis(node, own) ?? own;
  const type = before.type(id);
  if (!hasAxis(type, from)) return frame.whole(id);
  return lagOf(node, input, type, own, sizes) === "all" ? frame.lookup(id, from) : frame.entry(id, from);
}

/** The axis of the loop: what the members call it, unless one of them has another axis of that name. */
function loopAxis(group: Group, { axis, ownAxis }: Alignment, names: Names): Axis {
  const clashes = group.edges.some(
    ({ node, type }) =>
      ownAxis(node) !== axis.id &&
      (hasAxis(type, axis.id) || node.outputs.some((output) => hasAxis(output.type, axis.id))),
  );
  return clashes ? { id: names.fresh(`${axis.id}.loop`), size: axis.size } : axis;
}
