import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { addSizes, constantSize, type Size } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";
import { concat } from "../op/move.ts";
import { type ScanAttributes, scan } from "../op/region.ts";
import type { Draft } from "./draft.ts";

/** Values one after another along an axis of their own (`axis`; "" for a value that is one entry). */
export interface Part {
  readonly id: string;
  readonly axis: string;
}

/** Parts in the order in which they lie along `to`. */
export interface Pack {
  readonly parts: readonly Part[];
  readonly to: Axis;
}

/** The concatenations of a region, so that equal ones are made once and in one order. */
export interface Packs {
  /** Says that a node is there. */
  know(node: Node): void;
  /** How these parts lie already, in whatever order: here, or in the body of the loop that gives them. */
  find(parts: readonly Part[]): Pack | undefined;
  /** The parts put together in this order. */
  make(pack: Pack): string;
}

/** `definition` finds the loops that give parts, by default among the nodes of the draft so far. */
export function createPacks(draft: Draft, definition: Definition = draft.definition): Packs {
  const made = new Map<string, Pack & { readonly id: string }>();
  const find = (parts: readonly Part[]): Pack | undefined => made.get(setKey(parts)) ?? packedInside(parts, definition);
  return {
    know: (node) => {
      if (!isNode(node, concat)) return;
      const { axes, to } = node.attributes;
      const parts = node.inputs.map((id, index) => ({ id, axis: axes[index] ?? "" }));
      made.set(setKey(parts), { parts, to, id: node.outputs[0]?.id ?? "" });
    },
    find,
    make: ({ parts, to }) => {
      const before = made.get(setKey(parts));
      if (before?.to.id === to.id && before.parts.every((part, index) => isSamePart(part, parts[index])))
        return before.id;
      const axes = parts.map((part) => part.axis);
      const name = `${parts[0]?.id}.packed`;
      const id = draft.add(
        concat,
        parts.map((part) => part.id),
        { axes, to },
        name,
      );
      if (before === undefined) made.set(setKey(parts), { parts, to, id });
      return id;
    },
  };
}

/** Items in the order in which a pack has their parts. */
export function ordered<T>(items: readonly T[], part: (item: T) => Part, pack: Pack | undefined): readonly T[] {
  if (pack === undefined) return items;
  const left = [...items];
  return pack.parts.flatMap((wanted) => {
    const at = left.findIndex((item) => isSamePart(part(item), wanted));
    return at < 0 ? [] : left.splice(at, 1);
  });
}

function isSamePart(a: Part, b: Part | undefined): boolean {
  return a.id === b?.id && a.axis === b.axis;
}

/** The size of parts together. */
export function packedSize(parts: readonly Part[], type: (id: string) => Type): Size {
  return parts.reduce(
    (size, { id, axis }) => addSizes(size, type(id).axes.find((own) => own.id === axis)?.size ?? constantSize(1)),
    constantSize(0),
  );
}

function setKey(parts: readonly Part[]): string {
  return parts
    .map(({ id, axis }) => `${id} ${axis}`)
    .sort()
    .join(",");
}

type Definition = (id: string) => Node | undefined;

/** The loop whose ys all parts are, none of them along the loop's own axis. */
export function loopOf(parts: readonly Part[], definition: Definition): Node<ScanAttributes> | undefined {
  const maker = definition(parts[0]?.id ?? "");
  if (!isNode(maker, scan)) return undefined;
  const { carries, axis } = maker.attributes;
  const ys = new Set(maker.outputs.slice(carries).map((output) => output.id));
  return parts.every((part) => ys.has(part.id) && part.axis !== axis.id && part.axis !== "") ? maker : undefined;
}

function packedInside(parts: readonly Part[], definition: Definition): Pack | undefined {
  const maker = loopOf(parts, definition);
  if (maker === undefined) return undefined;
  const { body, carries } = maker.attributes;
  const outside = new Map<string, string>();
  body.results.slice(carries).forEach((result, index) => {
    outside.set(result.id, maker.outputs[carries + index]?.id ?? "");
  });
  for (const node of body.nodes) {
    if (!isNode(node, concat) || node.inputs.length !== parts.length) continue;
    const { axes, to } = node.attributes;
    const found = node.inputs.map((id, index) => ({ id: outside.get(id) ?? "", axis: axes[index] ?? "" }));
    if (setKey(found) === setKey(parts)) return { parts: found, to };
  }
  return undefined;
}
