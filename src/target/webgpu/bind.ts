import { aligned, lowerBound, planArena, type Span } from "../../plan/arena.ts";
import { numberOf, type Sizes, sizesOf } from "../../plan/bound-size.ts";
import type { LoopFacts } from "./cost.ts";
import type { GpuAddress, GpuItem, GpuModule, GpuSlot, GpuStage } from "./module.ts";

/** What a program does for one choice of sizes. */
export interface Bound {
  /** Of the arena, in bytes. */
  readonly bytes: number;
  /** What is alive at the worst moment: no arena is smaller. */
  readonly lowerBound: number;
  /** The table's cells, in order. */
  readonly table: Int32Array<ArrayBuffer>;
  readonly prepare: readonly Dispatch[];
  readonly dispatches: readonly Dispatch[];
  /** What `steps` of a dispatch says, entry by entry: how many steps the loops around it have done. The first is that of no loop. */
  readonly steps: readonly (readonly number[])[];
  readonly params: ReadonlyMap<string, BoundSlot>;
  readonly results: ReadonlyMap<string, BoundSlot>;
}

export interface Dispatch {
  readonly kernel: number;
  /** How many groups of threads, along x and y. */
  readonly groups: readonly [number, number];
  /** Which entry of `steps` it reads. */
  readonly step: number;
}

/** Where an array lies: in entries of 4 bytes from the start of the arena. */
export interface BoundSlot {
  readonly slot: GpuSlot;
  readonly start: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export interface BindOptions {
  /** Whether all steps of a loop run in one stage, where they can. */
  readonly whole: (facts: LoopFacts) => boolean;
  /** How many groups of threads one dimension of a dispatch may have. */
  readonly maxGroups: number;
}

/** Throws where a size's name is not bound or a size is no whole number. */
export function bindProgram(module: GpuModule, binding: ReadonlyMap<string, number>, options: BindOptions): Bound {
  const sizes = sizesOf(module, binding);
  const table = new Int32Array(module.cells.length);
  const laidOut = layOut(module, sizes, table);
  const whole = chooseWhole(module, sizes, options);
  const totals = module.kernels.map(({ stages }) => {
    let end = 0;
    for (const stage of stages) {
      end += isUsed(stage, whole) ? groupCount(stage, sizes) : 0;
      table[stage.end] = end;
    }
    return end;
  });
  const slots = (all: readonly GpuSlot[]): ReadonlyMap<string, BoundSlot> =>
    new Map(all.map((slot) => [slot.name, boundSlot(slot, sizes, table)]));
  return {
    ...{ ...laidOut, table },
    ...dispatchesOf(module, sizes, { totals, whole, maxGroups: options.maxGroups }),
    params: slots(module.params),
    results: slots(module.results),
  };
}

/** Fills in sizes and addresses: first what is kept and of one size always (weights), whose place is the same for every choice of sizes. */
function layOut(
  { cells }: GpuModule,
  sizes: Sizes,
  table: Int32Array,
): { readonly bytes: number; readonly lowerBound: number } {
  const moving: { readonly cell: number; readonly span: Span }[] = [];
  let end = 0;
  cells.forEach((entry, cell) => {
    if (typeof entry === "number" || typeof entry === "function") table[cell] = numberOf(entry, sizes);
    else if (entry !== null) {
      const bytes = numberOf(entry.bytes, sizes);
      const { first = 0, last = Number.MAX_SAFE_INTEGER } = entry;
      if (entry.first !== undefined || typeof entry.bytes !== "number")
        moving.push({ cell, span: { bytes, first, last } });
      else {
        table[cell] = end / 4;
        end += aligned(bytes);
      }
    }
  });
  const spans = moving.map(({ span }) => span);
  const arena = planArena(spans);
  moving.forEach(({ cell }, index) => {
    table[cell] = (end + (arena.offsets[index] ?? 0)) / 4;
  });
  return { bytes: Math.max(end + arena.bytes, 4), lowerBound: end + lowerBound(spans) };
}

function groupCount({ groups }: GpuStage, sizes: Sizes): number {
  return groups.reduce((all, [count, per]) => all * Math.ceil(numberOf(count, sizes) / per), 1);
}

function isUsed({ only, around = [] }: GpuStage, whole: ReadonlySet<number>): boolean {
  return (only === undefined || whole.has(only)) && !around.some((loop) => whole.has(loop));
}

function chooseWhole(module: GpuModule, sizes: Sizes, { whole }: BindOptions): ReadonlySet<number> {
  const facts = new Map<number, LoopFacts>();
  for (const stage of module.kernels.flatMap(({ stages }) => stages))
    if (stage.whole !== undefined) facts.set(stage.whole, factsOf(module, stage, stage.whole, sizes));
  const alone = new Set([...facts].flatMap(([loop, fact]) => (whole(fact) ? [loop] : [])));
  // Where others step anyway, whose dispatches cost nothing more.
  return new Set(
    [...alone].filter((loop) => {
      const fact = facts.get(loop);
      const own = kernelsOf(module, loop).filter((stages) => !stages.some((stage) => isBeside(stage, loop, alone)));
      return fact !== undefined && (own.length === fact.dispatches || whole({ ...fact, dispatches: own.length }));
    }),
  );
}

/** Whether a stage belongs to the steps of other loops, all of which step. */
function isBeside({ around = [] }: GpuStage, loop: number, whole: ReadonlySet<number>): boolean {
  return !around.includes(loop) && !around.some((other) => whole.has(other));
}

function factsOf(module: GpuModule, stage: GpuStage, loop: number, sizes: Sizes): LoopFacts {
  const kernels = kernelsOf(module, loop);
  const widths = kernels.map((stages) =>
    stages.reduce((sum, each) => sum + (isStepOf(each, loop) ? groupCount(each, sizes) : 0), 0),
  );
  return {
    groups: groupCount(stage, sizes),
    products: numberOf(stage.products ?? 0, sizes),
    barriers: stage.barriers ?? 0,
    dispatches: kernels.length,
    width: Math.max(1, ...widths),
  };
}

function isStepOf({ around = [] }: GpuStage, loop: number): boolean {
  return around.includes(loop);
}

/** What runs in each dispatch of a loop's step; of loops inside, those of their own steps count once. */
function kernelsOf({ items, kernels }: GpuModule, loop: number): readonly (readonly GpuStage[])[] {
  return dispatchesOfLoop(items, loop)
    .map((kernel) => kernels[kernel]?.stages ?? [])
    .filter((stages) => stages.some((stage) => isStepOf(stage, loop)));
}

/** The dispatches of the steps of a loop, and of those beside it. */
function dispatchesOfLoop(items: readonly GpuItem[], loop: number): readonly number[] {
  return items.flatMap((item) => {
    if (typeof item === "number") return [];
    return item.loops.includes(loop) ? flatDispatches(item.body) : dispatchesOfLoop(item.body, loop);
  });
}

function flatDispatches(items: readonly GpuItem[]): readonly number[] {
  return items.flatMap((item) => (typeof item === "number" ? [item] : flatDispatches(item.body)));
}

function dispatchesOf(
  { items, prepare }: GpuModule,
  sizes: Sizes,
  {
    totals,
    whole,
    maxGroups,
  }: { readonly totals: readonly number[]; readonly whole: ReadonlySet<number>; readonly maxGroups: number },
): Pick<Bound, "prepare" | "dispatches" | "steps"> {
  const steps: (readonly number[])[] = [[]];
  const walk = (all: readonly GpuItem[], done: readonly number[], step: number, dispatches: Dispatch[]): void => {
    for (const item of all) {
      if (typeof item === "number") {
        const total = totals[item] ?? 0;
        if (total === 0) continue;
        const width = Math.min(total, maxGroups);
        dispatches.push({ kernel: item, groups: [width, Math.ceil(total / width)], step });
        continue;
      }
      const { loops, before, body, last = body } = item;
      if (loops.every((loop) => whole.has(loop))) continue;
      const length = numberOf(item.length, sizes);
      const at = (place: number, inner: readonly GpuItem[]): void => {
        walk(inner, [...done, place], steps.push([...done, place]) - 1, dispatches);
      };
      if (length > 0) at(0, before);
      for (let place = 0; place < length; place++) at(place, place === length - 1 ? last : body);
    }
  };
  const [first, all]: readonly [Dispatch[], Dispatch[]] = [[], []];
  walk(prepare, [], 0, first);
  walk(items, [], 0, all);
  return { prepare: first, dispatches: all, steps };
}

function boundSlot(slot: GpuSlot, sizes: Sizes, table: Int32Array): BoundSlot {
  return {
    slot,
    start: startOf(slot.at, sizes, table),
    shape: slot.shape.map((size) => numberOf(size, sizes)),
    strides: slot.strides.map((size) => numberOf(size, sizes)),
  };
}

function startOf(at: GpuAddress, sizes: Sizes, table: Int32Array): number {
  if ("cell" in at) return (table[at.cell] ?? 0) + numberOf(at.offset ?? 0, sizes);
  const steps = numberOf(at.steps, sizes);
  if ("even" in at) return startOf(steps % 2 === 0 ? at.even : at.odd, sizes, table);
  return startOf(steps === 0 ? at.none : at.some, sizes, table);
}
