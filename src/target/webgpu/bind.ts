import { stridesOf } from "../../ir/tensor.ts";
import type { DType } from "../../ir/type.ts";
import { type Arena, aligned, placeInOrder, type Span } from "../../plan/arena.ts";
import { numberOf, type Sizes, sizesOf } from "../../plan/bound-size.ts";
import type { LoopFacts } from "./cost.ts";
import type { GpuAddress, GpuCell, GpuItem, GpuMemorySpan, GpuModule, GpuSlot, GpuStage } from "./module.ts";
import { tableLength } from "./shader-text.ts";

/** What a program does for one choice of sizes. */
export interface Bound {
  /** Of the arena, in bytes. */
  readonly bytes: number;
  /** What moves when sizes change: how much it takes in all, and when each piece is needed. */
  readonly moving: { readonly bytes: number; readonly spans: readonly Span[] };
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
  readonly slot: { readonly name: string; readonly dtype: DType };
  readonly start: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

export interface BindOptions {
  /** Whether all steps of a loop run in one stage, where they can. */
  readonly whole: (facts: LoopFacts) => boolean;
  /** How many groups of threads one dimension of a dispatch may have. */
  readonly maxGroups: number;
  /** How memory is laid out; in the module's order where not said. */
  readonly place?: (spans: readonly Span[]) => Arena;
}

/** Throws where a size's name is not bound or a size is no whole number. */
export function bindProgram(module: GpuModule, binding: ReadonlyMap<string, number>, options: BindOptions): Bound {
  const sizes = sizesOf(module, binding);
  const table = new Int32Array(tableLength(module));
  const { order } = module;
  const { place = (spans: readonly Span[]) => placeInOrder(spans, order ?? [...spans.keys()]) } = options;
  const laidOut = layOut(module, sizes, table, place);
  const whole = chooseWhole(module, sizes, options);
  let cell = module.cells.length;
  const totals = module.kernels.map(({ stages }) => {
    let end = 0;
    for (const stage of stages) {
      end += isUsed(stage, whole) ? groupCount(stage, sizes) : 0;
      table[cell++] = end;
    }
    return end;
  });
  const slots = (all: readonly GpuSlot[]): ReadonlyMap<string, BoundSlot> =>
    new Map(all.map((slot, at) => [slot.name, boundSlot(slot, at, sizes, table)]));
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
  place: (spans: readonly Span[]) => Arena,
): Pick<Bound, "bytes" | "moving"> {
  const spans: Span[] = [];
  const moved: number[] = [];
  let end = 0;
  cells.forEach((entry, cell) => {
    if (entry === null) return;
    if (typeof entry !== "object") {
      table[cell] = numberOf(entry, sizes);
      return;
    }
    const { first = 0, last = Number.MAX_SAFE_INTEGER } = entry;
    const bytes = numberOf(entry.bytes, sizes);
    if (isMoving(entry)) {
      spans.push({ bytes, first, last });
      moved.push(cell);
    } else {
      table[cell] = end / 4;
      end += aligned(bytes);
    }
  });
  const { offsets, bytes } = place(spans);
  moved.forEach((cell, index) => {
    table[cell] = (end + (offsets[index] ?? 0)) / 4;
  });
  return { bytes: Math.max(end + bytes, 4), moving: { bytes, spans } };
}

/** Whether memory lies elsewhere where sizes are others. */
export function isMoving(cell: GpuCell): cell is GpuMemorySpan {
  return typeof cell === "object" && cell !== null && (cell.first !== undefined || typeof cell.bytes !== "number");
}

function groupCount({ groups }: GpuStage, sizes: Sizes): number {
  return groups.reduce(
    (all: number, group) => all * (typeof group === "number" ? group : Math.ceil(numberOf(group[0], sizes) / group[1])),
    1,
  );
}

function isUsed({ only, around = [] }: GpuStage, whole: ReadonlySet<number>): boolean {
  return (only === undefined || whole.has(only)) && !around.some((loop) => whole.has(loop));
}

/** The loops all of whose steps run in one stage. */
function chooseWhole({ kernels }: GpuModule, sizes: Sizes, { whole }: BindOptions): ReadonlySet<number> {
  const candidates = kernels
    .flatMap(({ stages }) => stages)
    .flatMap((stage) => {
      if (stage.whole === undefined) return [];
      const steps = (stage.kernels ?? []).map((kernel) => kernels[kernel]?.stages ?? []);
      return [{ loop: stage.whole, steps, facts: factsOf(stage, stage.whole, steps, sizes) }];
    });
  const alone = new Set(candidates.flatMap(({ loop, facts }) => (whole(facts) ? [loop] : [])));
  // Where others step anyway, whose dispatches cost nothing more.
  const chosen = candidates.filter(({ loop, steps, facts }) => {
    const own = steps.filter((stages) => !stages.some((stage) => isBeside(stage, loop, alone)));
    return alone.has(loop) && (own.length === steps.length || whole({ ...facts, dispatches: own.length }));
  });
  return new Set(chosen.map(({ loop }) => loop));
}

/** Whether a stage belongs to the steps of other loops, all of which step. */
function isBeside({ around = [] }: GpuStage, loop: number, whole: ReadonlySet<number>): boolean {
  return !around.includes(loop) && !around.some((other) => whole.has(other));
}

function factsOf(stage: GpuStage, loop: number, steps: readonly (readonly GpuStage[])[], sizes: Sizes): LoopFacts {
  const widths = steps.map((stages) =>
    stages.reduce((sum, each) => sum + (each.around?.includes(loop) ? groupCount(each, sizes) : 0), 0),
  );
  return {
    groups: groupCount(stage, sizes),
    products: numberOf(stage.products ?? 0, sizes),
    barriers: stage.barriers ?? 0,
    dispatches: steps.length,
    width: Math.max(1, ...widths),
  };
}

function dispatchesOf(
  { items, prepare = [] }: GpuModule,
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

function boundSlot(slot: GpuSlot, cell: number, sizes: Sizes, table: Int32Array): BoundSlot {
  const { name, dtype = "float", at = { cell } } = slot;
  const shape = slot.shape.map((size) => numberOf(size, sizes));
  return {
    slot: { name, dtype },
    start: startOf(at, sizes, table),
    shape,
    strides: slot.strides?.map((size) => numberOf(size, sizes)) ?? stridesOf(shape),
  };
}

function startOf(at: GpuAddress, sizes: Sizes, table: Int32Array): number {
  if ("cell" in at) return (table[at.cell] ?? 0) + numberOf(at.offset ?? 0, sizes);
  const steps = numberOf(at.steps, sizes);
  if ("even" in at) return startOf(steps % 2 === 0 ? at.even : at.odd, sizes, table);
  return startOf(steps === 0 ? at.none : at.some, sizes, table);
}
