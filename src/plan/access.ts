import { isNode } from "../ir/graph.ts";
import { contract } from "../op/contract.ts";
import { concat, put, scatter } from "../op/move.ts";
import { argmax, argmin, reduce } from "../op/reduce.ts";
import { collect, collectSuffix, unwindow } from "../op/window.ts";
import type { Value } from "./value.ts";

/** A value in memory that a kernel reads to compute another. */
export interface Access {
  readonly value: Value;
  /** Whether each position of the kernel reads the same position of the value only. */
  readonly pointwise: boolean;
}

/** Whether a value must lie in memory: it is given, a loop's, or its kernel is more than one expression for each position. */
export function isAlwaysStored(value: Value): boolean {
  const { definition } = value;
  if (definition.kind === "entry") return false;
  if (definition.kind !== "node") return true;
  const { node } = definition;
  if (isNode(node, scatter)) return node.attributes.sum.length > 0;
  return [contract, reduce, argmax, argmin, put, concat, collect, collectSuffix, unwindow].some(
    (op) => op.name === node.op.name,
  );
}

/**
 * What the kernel that computes a value reads, where `stored` says what lies in memory; the value itself need not. With `along`,
 * positions count as the same where they are along that axis, whatever they are along others.
 */
export function accessesOf(value: Value, stored: ReadonlySet<Value>, along?: string): readonly Access[] {
  const found = new Map<Value, boolean>();
  const seen = new Map<Value, boolean>();
  const visit = (at: Value, pointwise: boolean): void => {
    if (stored.has(at)) {
      found.set(at, pointwise && found.get(at) !== false);
      return;
    }
    // A value seen pointwise before may be reached otherwise as well; the other way round nothing is new.
    const before = seen.get(at);
    if (before === false || before === pointwise) return;
    seen.set(at, pointwise);
    inside(at, pointwise);
  };
  const inside = (at: Value, pointwise: boolean): void => {
    const { definition } = at;
    if (definition.kind === "entry")
      visit(definition.of, along !== undefined && pointwise && definition.loop.axis.id !== along);
    if (definition.kind !== "node") return;
    const { node, inputs } = definition;
    inputs.forEach((input, index) => {
      const ids = along === undefined ? input.axes.map(({ id }) => id) : [along];
      const same = ids.every(
        (id) => node.op.reads(node, index, id, input).kind === "same" && at.axes.some((axis) => axis.id === id),
      );
      visit(input, pointwise && same);
    });
  };
  inside(value, true);
  return [...found].map(([leaf, pointwise]) => ({ value: leaf, pointwise }));
}
