import { accessesOf } from "./access.ts";
import type { Buffer, Place } from "./place.ts";
import type { Plan } from "./plan.ts";
import type { Leaf } from "./split.ts";
import { endReads, outputsOf } from "./steps.ts";
import type { Value } from "./value.ts";

/** What an action computes. A copy computes what it copies, at another place. */
export function outputsOfAction(action: Leaf): readonly Value[] {
  switch (action.kind) {
    case "kernel":
      return outputsOf(action.kernel);
    case "products":
      return [action.output];
    case "copy":
      return [action.from];
    case "pack":
      return [];
    default:
      return action satisfies never;
  }
}

/** Memory that an action writes, but for scratch. */
export function writesOf(plan: Plan, action: Leaf): readonly Buffer[] {
  switch (action.kind) {
    case "kernel":
    case "products":
      return buffersOf(plan, outputsOfAction(action));
    case "copy":
      return action.to.buffers;
    case "pack":
      return [action.pack.buffer];
    default:
      return action satisfies never;
  }
}

export function readsOf(plan: Plan, action: Leaf): readonly Buffer[] {
  switch (action.kind) {
    case "kernel":
      return buffersOf(plan, [...action.kernel.reads.keys()]);
    case "products": {
      const packed = action.terms.flatMap(({ pack }) => (pack === undefined ? [] : [pack.buffer]));
      const read = action.terms.flatMap(({ value }) => accessesOf(value, plan.stored).map((access) => access.value));
      return [...buffersOf(plan, read), ...packed];
    }
    case "copy":
      return action.source?.buffers ?? buffersOf(plan, endReads(action.from, plan.stored));
    case "pack":
      return action.product.right.buffers;
    default:
      return action satisfies never;
  }
}

export function buffersOf(plan: Plan, values: readonly Value[]): readonly Buffer[] {
  return values.flatMap((value) => placeOf(plan, value).buffers);
}

function placeOf(plan: Plan, value: Value): Place {
  const place = plan.places.get(value);
  if (place === undefined) throw new Error(`internal: %${value.name} has no place`);
  return place;
}
