import { accessesOf } from "./access.ts";
import { type FitsOneKernel, type JoinedAction, joinProducts } from "./joined.ts";
import type { Buffer, Place } from "./place.ts";
import type { Action, Plan } from "./plan.ts";
import { outputsOf } from "./steps.ts";
import type { Loop, Value } from "./value.ts";

/** Actions that need nothing of one another: they may run side by side. */
export type Level = readonly Member[];

export type Member =
  | { readonly kind: "action"; readonly action: Exclude<Action, LoopAction> | JoinedAction }
  | {
      readonly kind: "loop";
      readonly action: LoopAction;
      /** The body as one group of threads does it for its own rows, and as all groups do it together. */
      readonly body: readonly Level[];
      readonly steps: readonly Level[];
    };

export type LoopAction = Extract<Action, { readonly kind: "loop" }>;

export interface LevelPlan {
  /** What is done once for fixed params. */
  readonly prepare: readonly Level[];
  readonly levels: readonly Level[];
  /** When buffers are alive, for whoever runs a level's actions side by side; both ends included. */
  readonly lifetimes: ReadonlyMap<Buffer, Lifetime>;
}

export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

/**
 * The actions of a plan in as few levels as what they read and write allows, each as early as it can be. What a loop starts with is put
 * in place by actions of their own, before it. A loop's steps share what is alive in them, so that steps of different rows may be at
 * different actions at the same time.
 */
export function planLevels(plan: Plan, fits: FitsOneKernel): LevelPlan {
  const levels = levelsOf(plan, plan.actions, fits);
  return { prepare: levelsOf(plan, plan.prepare, fits), levels, lifetimes: lifetimesOf(plan, levels) };
}

function levelsOf(plan: Plan, given: readonly Action[], fits: FitsOneKernel | undefined): readonly Level[] {
  const all = given.flatMap(withStarts);
  const actions = fits === undefined ? all : joinProducts(plan, all, fits);
  const levels: Member[][] = [];
  const cells = new Map<number, { readonly readers: Use[]; readonly writers: Use[] }>();
  const usesOf = (cell: number): { readonly readers: Use[]; readonly writers: Use[] } => {
    const found = cells.get(cell) ?? { readers: [], writers: [] };
    cells.set(cell, found);
    return found;
  };
  for (const action of actions) {
    const { reads, writes } = touchesOf(plan, action);
    const before = [
      ...[...reads].flatMap((cell) => usesOf(cell).writers),
      ...[...writes].flatMap(([cell, whole]) => {
        const { readers, writers } = usesOf(cell);
        return [...readers, ...writers.filter((writer) => whole === undefined || writer.whole !== whole)];
      }),
    ];
    const level = Math.max(-1, ...before.map((use) => use.level)) + 1;
    for (const cell of reads) usesOf(cell).readers.push({ level, whole: undefined });
    for (const [cell, whole] of writes) usesOf(cell).writers.push({ level, whole });
    levels[level] ??= [];
    levels[level].push(
      action.kind === "loop"
        ? {
            ...{ kind: "loop", action },
            body: levelsOf(plan, action.body, undefined),
            steps: levelsOf(plan, action.body, fits),
          }
        : { kind: "action", action },
    );
  }
  return levels;
}

interface Use {
  readonly level: number;
  /** The concatenation of which a part is written: other parts lie elsewhere in the same memory. */
  readonly whole: Value | undefined;
}

function withStarts(action: Action): readonly Action[] {
  if (action.kind !== "loop") return [action];
  const { first, carries } = action;
  const starts = carries.map(
    ({ start, startPlace }): Action => ({
      first,
      last: first,
      kind: "copy",
      from: start,
      source: undefined,
      to: startPlace,
    }),
  );
  return [...starts, action];
}

/** The cells through which a level writes. */
export function writtenCells(plan: Plan, level: Level): readonly number[] {
  return level.flatMap(({ action }) => [...touchesOf(plan, action).writes.keys()]);
}

interface Touches {
  readonly reads: Set<number>;
  readonly writes: Map<number, Value | undefined>;
  readonly buffers: Set<Buffer>;
}

/** The cells through which an action reads and writes, and the memory behind them. */
function touchesOf(plan: Plan, action: Action | JoinedAction): Touches {
  const touches: Touches = { reads: new Set(), writes: new Map(), buffers: new Set() };
  collect(plan, action, touches);
  return touches;
}

function collect(plan: Plan, action: Action | JoinedAction, touches: Touches): void {
  const write = (place: Place, whole?: Value): void => {
    touches.writes.set(place.cell, whole);
    for (const buffer of place.buffers) touches.buffers.add(buffer);
  };
  const read = (place: Place): void => {
    touches.reads.add(place.cell);
    for (const buffer of place.buffers) touches.buffers.add(buffer);
  };
  const readAll = (values: Iterable<Value>): void => {
    for (const value of values) {
      const place = plan.places.get(value);
      if (place !== undefined) read(place);
    }
  };
  switch (action.kind) {
    case "kernel":
      readAll(action.kernel.reads.keys());
      for (const output of outputsOf(action.kernel)) write(placeOf(plan, output), wholeOf(plan, output));
      return;
    case "products":
      readAll(accessesOf(action.output, plan.stored).map(({ value }) => value));
      write(placeOf(plan, action.output), wholeOf(plan, action.output));
      return;
    case "joined": {
      const sums = new Set(action.sums.map(({ products }) => products.output));
      for (const sum of sums) {
        readAll(accessesOf(sum, plan.stored).map(({ value }) => value));
        if (action.kept.has(sum)) write(placeOf(plan, sum), wholeOf(plan, sum));
      }
      readAll([...action.map.reads.keys()].filter((value) => !sums.has(value)));
      for (const output of action.map.outputs) write(placeOf(plan, output), wholeOf(plan, output));
      return;
    }
    case "pack":
      read(action.product.right);
      touches.buffers.add(action.pack.buffer);
      touches.writes.set(action.pack.buffer.cell, undefined);
      return;
    case "copy":
      if (action.source !== undefined) read(action.source);
      else readAll(plan.stored.has(action.from) ? [action.from] : leaves(plan, action.from));
      write(action.to);
      return;
    case "loop":
      for (const inner of action.body.flatMap(withStarts)) collect(plan, inner, touches);
      for (const carry of action.carries) {
        write(carry.current);
        read(carry.startPlace);
        if (carry.kind === "double") write(carry.target);
        if (carry.kind === "collected") write(carry.entry);
        readAll(plan.stored.has(carry.next) ? [carry.next] : leaves(plan, carry.next));
      }
      return;
    default:
      action satisfies never;
  }
}

function leaves(plan: Plan, value: Value): readonly Value[] {
  return accessesOf(value, plan.stored).map((access) => access.value);
}

function placeOf(plan: Plan, value: Value): Place {
  const place = plan.places.get(value);
  if (place === undefined) throw new Error(`internal: %${value.name} has no place`);
  return place;
}

/** The concatenation that a value is a part of; a concatenation itself fills in its other parts. */
function wholeOf(plan: Plan, value: Value): Value | undefined {
  const part = plan.parts.get(value);
  if (part !== undefined) return part.whole;
  return [...plan.parts.values()].find(({ whole }) => whole === value)?.whole;
}

function lifetimesOf(plan: Plan, levels: readonly Level[]): ReadonlyMap<Buffer, Lifetime> {
  const found = new Map<Buffer, Lifetime>();
  const extend = (buffer: Buffer, at: number): void => {
    const { first, last } = found.get(buffer) ?? { first: at, last: at };
    found.set(buffer, { first: Math.min(first, at), last: Math.max(last, at) });
  };
  levels.forEach((level, at) => {
    for (const { action } of level) for (const buffer of touchesOf(plan, action).buffers) extend(buffer, at);
  });
  for (const { place } of plan.results) for (const buffer of place.buffers) extend(buffer, levels.length);
  return found;
}

/**
 * The axis by whose positions a loop's work can be shared out, so that nobody needs another's: everything that its steps write has it,
 * and whatever of that they read, they read at the same position of it. The batch, where a step works on each example by itself.
 */
export function ownedAxis(plan: Plan, { loop, body }: LoopAction): string | undefined {
  const [first] = loop.carries;
  const candidates = (first?.axes ?? []).map(({ id }) => id);
  return candidates.find((axis) => body.every((action) => isOwned(plan, loop, action, axis)) && endsOwned(axis));

  function endsOwned(axis: string): boolean {
    return [...loop.carries, ...loop.collected].every(
      (value) => !plan.places.has(value) || value.axes.some(({ id }) => id === axis),
    );
  }
}

function isOwned(plan: Plan, loop: Loop, action: Action, axis: string): boolean {
  const has = (value: Value): boolean => value.axes.some(({ id }) => id === axis);
  const reads = (value: Value): boolean =>
    has(value) &&
    accessesOf(value, plan.stored, axis).every((access) => access.pointwise || !isWrittenIn(access.value, loop));
  switch (action.kind) {
    case "kernel":
      return outputsOf(action.kernel).every(reads);
    case "products":
      return reads(action.output);
    case "pack":
      return false;
    case "copy":
      return has(action.from) && (plan.stored.has(action.from) || reads(action.from));
    case "loop":
      return (
        action.body.every((inner) => isOwned(plan, loop, inner, axis)) &&
        action.carries.every(({ start }) => has(start) && (plan.stored.has(start) || reads(start)))
      );
    default:
      return action satisfies never;
  }
}

function isWrittenIn({ loop: own }: Value, loop: Loop): boolean {
  for (let at = own; at !== undefined; at = at.outer) if (at === loop) return true;
  return false;
}
