import type { Axis } from "../ir/type.ts";
import { outputsOfAction, writesOf } from "./action-access.ts";
import { isAligned } from "./aligned.ts";
import type { Buffer } from "./place.ts";
import type { Action, Plan } from "./plan.ts";
import { type Leaf, type Split, splitAxes } from "./split.ts";
import { isOwn } from "./state.ts";
import { isInside } from "./steps.ts";
import type { Loop, Value } from "./value.ts";

export type LoopAction = Extract<Action, { readonly kind: "loop" }>;

/** A loop whose steps need no waiting, because all that they keep and compute is divided along one axis. */
export interface FreeLoop {
  readonly axis: Axis;
  readonly splits: ReadonlyMap<Leaf, Split>;
  /** What each thread has for itself. */
  readonly own: ReadonlySet<Buffer>;
}

/** The axis along which a loop can be divided from its start to its end: as a rule the batch, since a state belongs to its example. */
export function freeLoop(plan: Plan, action: LoopAction): FreeLoop | undefined {
  const [first, ...others] = action.carries.map((plan_) => plan_.carry.axes);
  const candidates = (first ?? firstAxes(action)).filter(({ id }) =>
    others.every((axes) => axes.some((axis) => axis.id === id)),
  );
  for (const axis of plan.order(candidates)) {
    const splits = new Map<Leaf, Split>();
    const own = new Set<Buffer>();
    if (divide({ plan, axis, loop: action.loop, splits, own }, action)) return { axis, splits, own };
  }
  return undefined;
}

function firstAxes({ body }: LoopAction): readonly Axis[] {
  const [output] = body.flatMap((action) => (action.kind === "loop" ? [] : outputsOfAction(action)));
  return output?.axes ?? [];
}

interface Division {
  readonly plan: Plan;
  readonly axis: Axis;
  /** The outermost loop that is divided. */
  readonly loop: Loop;
  readonly splits: Map<Leaf, Split>;
  readonly own: Set<Buffer>;
}

function divide(division: Division, { carries, body }: LoopAction): boolean {
  const carried = carries.every(({ carry, start }) => has(division, carry) && isSafe(division, start, true));
  return (
    carried &&
    body.every((action) => (action.kind === "loop" ? divide(division, action) : divideLeaf(division, action)))
  );
}

function has({ axis }: Division, value: Value): boolean {
  return value.axes.some(({ id, size }) => id === axis.id && size.text === axis.size.text);
}

function divideLeaf(division: Division, action: Leaf): boolean {
  const { plan, axis, splits } = division;
  const outputs = outputsOfAction(action);
  const values = action.kind === "products" ? action.terms.map(({ value }) => value) : outputs;
  if (action.kind === "pack" || !values.every((value) => isSafe(division, value, action.kind === "copy"))) return false;
  if (outputs.every((output) => has(division, output))) {
    if (!splitAxes(plan.order, action).some(({ id }) => id === axis.id)) return false;
    splits.set(action, { kind: "axis", axis });
    return true;
  }
  if (outputs.some((output) => has(division, output)) || !keepForEach(division, action)) return false;
  splits.set(action, { kind: "each" });
  return true;
}

/** A value of a step that is the same for all: each thread computes it for itself, or all leave the same numbers in the step's own entry. */
function keepForEach({ plan, loop, own }: Division, action: Leaf): boolean {
  const buffers = writesOf(plan, action);
  if (buffers.every((buffer) => isOwn(buffer.loop, loop))) {
    for (const buffer of buffers) own.add(buffer);
    return true;
  }
  const places =
    action.kind === "copy" ? [action.to] : outputsOfAction(action).map((output) => plan.places.get(output));
  return places.every((place) => place?.steps.some((step) => step.loop === loop) === true);
}

/** Whether of all that the loop's steps compute a value needs its own positions only; `copied` ones may lie in memory already. */
function isSafe({ plan, axis, loop }: Division, value: Value, copied: boolean): boolean {
  const matters = (leaf: Value): boolean => isInside(leaf, loop);
  if (copied && plan.stored.has(value)) return true;
  return isAligned(value, axis.id, plan.stored, matters);
}
