import { addSizes, constantSize, multiplySizes, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { outputsOfAction } from "./action-access.ts";
import type { Action, Plan } from "./plan.ts";
import type { Sharing } from "./share.ts";
import type { Leaf } from "./split.ts";
import type { Value } from "./value.ts";

/** What a part of a program takes, in multiply-adds or what takes as long, and how it can be divided among threads. */
export interface Portion {
  readonly work: Size;
  /** The positions that are divided; undefined where one thread does all, or each does. */
  readonly along: Size | undefined;
  /** How often all threads wait for all. */
  readonly waits: Size;
}

export function portionsOf(plan: Plan, sharing: Sharing): readonly Portion[] {
  const visit = (action: Action, times: Size): readonly Portion[] => {
    const waits = sharing.barriers.has(action) ? times : NONE;
    if (action.kind === "loop") {
      const inside = multiplySizes(times, action.loop.axis.size);
      const wait: Portion = { work: NONE, along: undefined, waits };
      return [wait, ...action.body.flatMap((each) => visit(each, inside))];
    }
    const split = sharing.splits.get(action);
    const along = split?.kind === "axis" ? split.axis.size : undefined;
    return [{ work: multiplySizes(times, workOf(action)), along, waits }];
  };
  return plan.actions.flatMap((action) => visit(action, ONCE));
}

const NONE = constantSize(0);
const ONCE = constantSize(1);

/** About what a number of an elementwise kernel takes. */
const ELEMENT = constantSize(8);

function workOf(action: Leaf): Size {
  switch (action.kind) {
    case "products":
      return action.terms.map(({ value }) => count(operandAxes(value))).reduce(addSizes);
    case "kernel":
    case "copy":
      return outputsOfAction(action)
        .map((output) => multiplySizes(count(operandAxes(output)), ELEMENT))
        .reduce(addSizes);
    case "pack":
      return multiplySizes(action.product.n.size, action.product.k.size);
    default:
      return action satisfies never;
  }
}

/** All axes that a kernel walks: those of the result, and those that it sums over. */
function operandAxes({ axes, definition }: Value): readonly Axis[] {
  const read = definition.kind === "node" ? definition.inputs.flatMap((input) => input.axes) : [];
  const isKept =
    definition.kind === "node" && definition.node.op.form !== "contract" && definition.node.op.form !== "reduce";
  return [...new Map([...axes, ...(isKept ? [] : read)].map((axis) => [axis.id, axis])).values()];
}

function count(axes: readonly Axis[]): Size {
  return axes.reduce((product, { size }) => multiplySizes(product, size), ONCE);
}
