import { isNode } from "../ir/graph.ts";
import { addSizes, constantSize, type Size } from "../ir/size.ts";
import { concat } from "../op/move.ts";
import type { Reader } from "./readers.ts";
import type { Item, Value, ValueGraph } from "./value.ts";

/** A value that is computed where it lies in a concatenation, so that nothing is copied. */
export interface Part {
  readonly whole: Value;
  /** Its own axis, and the one that it is a run of. */
  readonly axis: string;
  readonly of: string;
  readonly start: Size;
}

/** The inputs of concatenations that some kernel computes with all their axes, each in one place only. */
export function findParts(
  graph: ValueGraph,
  needed: ReadonlySet<Value>,
  readers: ReadonlyMap<Value, readonly Reader[]>,
  fixed: ReadonlySet<Value>,
): ReadonlyMap<Value, Part> {
  const parts = new Map<Value, Part>();
  const visit = (whole: Value): void => {
    if (!needed.has(whole) || whole.definition.kind !== "node" || !isNode(whole.definition.node, concat)) return;
    const { node, inputs } = whole.definition;
    const { axes, to } = node.attributes;
    let start = constantSize(0);
    inputs.forEach((input, index) => {
      const axis = axes[index] ?? "";
      const part: Part = { whole, axis, of: to.id, start };
      start = addSizes(start, input.axes.find((own) => own.id === axis)?.size ?? constantSize(1));
      const free = !parts.has(input) && inputs.indexOf(input) === index && !isEnd(readers.get(input) ?? []);
      // What is kept does not lie in what is computed in every run.
      const alike = fixed.has(input) === fixed.has(whole);
      if (axis !== "" && free && alike && isPart(input, whole)) parts.set(input, part);
    });
  };
  const walk = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.kind === "value") visit(item.value);
      else walk(item.loop.body);
    }
  };
  walk(graph.items);
  return parts;
}

/** Whether it must lie elsewhere as well. */
function isEnd(readers: readonly Reader[]): boolean {
  return readers.some((reader) => reader.kind === "end" || reader.kind === "result");
}

function isPart(input: Value, whole: Value): boolean {
  if (input.definition.kind !== "node" || input.loop !== whole.loop || input.dtype !== whole.dtype) return false;
  const { form } = input.definition.node.op;
  return (form === "map" || form === "contract" || form === "reduce") && input.axes.length === whole.axes.length;
}
