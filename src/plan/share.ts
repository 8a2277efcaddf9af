import { readsOf, writesOf } from "./action-access.ts";
import type { Buffer, CarryPlan } from "./place.ts";
import type { Action, Plan } from "./plan.ts";
import { freeLoop, type LoopAction } from "./share-loop.ts";
import { chooseSplit, type Leaf, longestOf, type Split } from "./split.ts";

/** How several threads run a plan together, each the whole list of actions, with a part of each. */
export interface Sharing {
  readonly splits: ReadonlyMap<Leaf | CarryPlan, Split>;
  /** Actions before which all wait for all. */
  readonly barriers: ReadonlySet<Action>;
  /** Runs of positions without a barrier: memory that is used in one of them is not used anew there. */
  readonly regions: readonly Region[];
  /** Memory that each thread has for itself. */
  readonly own: ReadonlySet<Buffer>;
}

export interface Region {
  readonly first: number;
  readonly last: number;
}

/** Divides a plan's actions. The numbers do not depend on how many threads there will be, so neither do the results. */
export function shareWork(plan: Plan): Sharing {
  const draft: Draft = { plan, splits: new Map(), barriers: new Set(), regions: [], own: new Set() };
  shareActions(draft, plan.actions);
  return draft;
}

interface Draft {
  readonly plan: Plan;
  readonly splits: Map<Leaf | CarryPlan, Split>;
  readonly barriers: Set<Action>;
  readonly regions: Region[];
  readonly own: Set<Buffer>;
}

/** Actions that run one after another between two barriers. */
interface Run {
  readonly actions: Action[];
  readonly reads: Set<Buffer>;
  readonly writes: Set<Buffer>;
}

function shareActions(draft: Draft, actions: readonly Action[]): void {
  const { plan, splits, barriers, own } = draft;
  let run: Run | undefined;
  const close = (): void => {
    if (run !== undefined) draft.regions.push(regionOf(run.actions));
    run = undefined;
  };
  for (const action of actions) {
    if (action.kind === "loop") {
      close();
      barriers.add(action);
      shareLoop(draft, action);
      continue;
    }
    const split = chooseSplit(plan.order, action);
    splits.set(action, split);
    if (action.kind === "products") for (const scratch of scratchOf(action)) own.add(scratch);
    const [reads, writes] = [readsOf(plan, action), writesOf(plan, action)];
    if (run !== undefined && conflicts(run, reads, writes)) close();
    if (run === undefined) {
      barriers.add(action);
      run = { actions: [], reads: new Set(), writes: new Set() };
    }
    run.actions.push(action);
    for (const buffer of reads) run.reads.add(buffer);
    for (const buffer of writes) run.writes.add(buffer);
  }
  close();
}

function conflicts(run: Run, reads: readonly Buffer[], writes: readonly Buffer[]): boolean {
  return (
    reads.some((buffer) => run.writes.has(buffer)) ||
    writes.some((buffer) => run.writes.has(buffer) || run.reads.has(buffer))
  );
}

function regionOf(actions: readonly Region[]): Region {
  return {
    first: Math.min(...actions.map((action) => action.first)),
    last: Math.max(...actions.map((action) => action.last)),
  };
}

function shareLoop(draft: Draft, action: LoopAction): void {
  const { plan, splits, own, regions } = draft;
  const free = freeLoop(plan, action);
  if (free === undefined) {
    for (const carry of action.carries) splits.set(carry, longestOf(plan.order(carry.carry.axes)));
    shareActions(draft, action.body);
    return;
  }
  for (const [leaf, split] of free.splits) splits.set(leaf, split);
  for (const buffer of free.own) own.add(buffer);
  regions.push(regionOf([action]));
  const inside = (loop: LoopAction): void => {
    for (const carry of loop.carries) splits.set(carry, { kind: "axis", axis: free.axis });
    for (const each of loop.body) {
      if (each.kind === "loop") inside(each);
      else if (each.kind === "products") for (const scratch of scratchOf(each)) own.add(scratch);
    }
  };
  inside(action);
}

/** What is packed part by part is packed anew by every thread. */
function scratchOf({ terms }: Extract<Action, { readonly kind: "products" }>): readonly Buffer[] {
  return terms.flatMap(({ pack }) => (pack?.made !== "when needed" ? [] : [pack.buffer]));
}
