import type { JoinedAction } from "../../plan/joined.ts";
import type { Action, Plan } from "../../plan/plan.ts";
import type { Kernel as KernelStep } from "../../plan/steps.ts";
import type { Value } from "../../plan/value.ts";
import { evaluate } from "./evaluate.ts";
import { loadFrom, storeTo } from "./memory.ts";
import type { Part } from "./part.ts";
import { argPart, concatParts, mergePart, putPart, scatterPart } from "./parts-indexed.ts";
import { joinedPart, rowsPart, sumPart, tilePart } from "./parts-products.ts";
import { reducePart } from "./parts-reduce.ts";
import { byStride, storedAxes } from "./place-of.ts";
import { writeMap } from "./write-map.ts";

/**
 * What an action does, part by part: parts of one action do not need one another. `shared` is how many
 * numbers threads of a group may share; `owned` is the axis of the rows that one group does all of it for.
 */
export function partsOf(
  plan: Plan,
  action: Exclude<Action, { readonly kind: "loop" }> | JoinedAction,
  shared: number,
  owned?: string,
): readonly Part[] {
  switch (action.kind) {
    case "joined":
      return [joinedPart(plan, action, shared)];
    case "kernel":
      return kernelParts(plan, action.kernel);
    case "products":
      return [
        (owned === undefined ? tilePart(plan, action, shared) : rowsPart(plan, action, owned)) ?? sumPart(plan, action),
      ];
    case "copy":
      return [copyPart(action)];
    case "pack":
      throw new Error("internal: nothing is packed for a graphics card");
    default:
      return action satisfies never;
  }
}

function kernelParts(plan: Plan, step: KernelStep): readonly Part[] {
  switch (step.kind) {
    case "map":
      return [mapPart(plan, step.outputs)];
    case "contract":
      throw new Error("internal: a contraction is planned as products");
    case "reduce":
      return [reducePart(plan, step.output, [step.output])];
    case "arg":
      return [argPart(plan, step.output)];
    case "scatter":
      return [scatterPart(plan, step.output)];
    case "put":
      return [putPart(plan, step.output)];
    case "concat":
      return concatParts(plan, step.output);
    case "merge":
      return [mergePart(plan, step.output)];
    default:
      return step satisfies never;
  }
}

/** Elementwise values over the same axes. */
function mapPart(plan: Plan, outputs: readonly Value[]): Part {
  const [first] = outputs;
  if (first === undefined) throw new Error("internal: a kernel has no output");
  return {
    kind: "each",
    label: outputs.map((output) => output.name).join(" "),
    axes: storedAxes(plan, first),
    body: (kernel, positions) => {
      writeMap(kernel, plan, outputs, positions, new Map());
    },
  };
}

/** Computes a value, or reads it at `source`, into a place. */
function copyPart({ from, source, to }: Extract<Action, { readonly kind: "copy" }>): Part {
  return {
    kind: "each",
    label: `copy ${from.name}`,
    axes: byStride(from.axes, to),
    body: (kernel, positions) => {
      const value =
        source === undefined
          ? evaluate(kernel, from, positions)
          : loadFrom(kernel, source, positions, from.dtype, from.name);
      storeTo(kernel, to, positions, value);
    },
  };
}
