import { type Size, type SizeBinding, sizeConstant } from "../../ir/size.ts";
import { sizeValue } from "../../ir/tensor.ts";
import { aligned, planArena, type Span } from "../../plan/arena.ts";
import type { Buffer, Place } from "../../plan/place.ts";
import type { Loop } from "../../plan/value.ts";
import type { Slot, WebGpuProgram } from "./compile.ts";
import type { LoopFacts } from "./cost.ts";
import type { Item, Stage } from "./program.ts";

/** What a program does for one choice of sizes. */
export interface Bound {
  /** Of the arena, in bytes. */
  readonly bytes: number;
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
  readonly slot: Slot;
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
export function bindProgram(program: WebGpuProgram, sizes: SizeBinding, options: BindOptions): Bound {
  const table = new Int32Array(program.cells.length);
  const bytes = layOut(program, sizes, table);
  const whole = chooseWhole(program, sizes, options);
  const totals = program.kernels.map(({ stages }) => {
    let end = 0;
    for (const stage of stages) {
      end += isUsed(stage, whole) ? groupCount(stage, sizes) : 0;
      table[stage.end] = end;
    }
    return end;
  });
  const slots = (all: readonly Slot[]): ReadonlyMap<string, BoundSlot> =>
    new Map(all.map((slot) => [slot.name, boundSlot(program, slot, sizes, table)]));
  return {
    ...{ bytes, table },
    ...dispatchesOf(program, sizes, { totals, whole, maxGroups: options.maxGroups }),
    params: slots(program.params),
    results: slots(program.results),
  };
}

/** Fills in sizes and addresses: first what is kept and of one size always (weights), whose place is the same for every choice of sizes. */
function layOut(program: WebGpuProgram, sizes: SizeBinding, table: Int32Array): number {
  const buffers: Buffer[] = [];
  program.cells.forEach((cell, index) => {
    if (cell.kind === "size") table[index] = sizeValue(cell.size, sizes);
    else if (cell.kind === "buffer") buffers.push(cell.buffer);
  });
  let end = 0;
  const isFixed = (buffer: Buffer): boolean => buffer.kept && sizeConstant(buffer.bytes) !== undefined;
  for (const buffer of buffers.filter(isFixed)) {
    table[buffer.cell] = end / 4;
    end += aligned(sizeValue(buffer.bytes, sizes));
  }
  const moving = buffers.filter((buffer) => !isFixed(buffer) && (buffer.kept || program.lifetimes.has(buffer)));
  const arena = planArena(moving.map((buffer) => spanOf(program, buffer, sizes)));
  moving.forEach((buffer, index) => {
    table[buffer.cell] = (end + (arena.offsets[index] ?? 0)) / 4;
  });
  return Math.max(end + arena.bytes, 4);
}

function spanOf({ lifetimes }: WebGpuProgram, buffer: Buffer, sizes: SizeBinding): Span {
  const bytes = sizeValue(buffer.bytes, sizes);
  const life = lifetimes.get(buffer);
  if (buffer.kept || life === undefined) return { bytes, first: 0, last: Number.MAX_SAFE_INTEGER };
  return { bytes, ...life };
}

function groupCount({ groups }: Stage, sizes: SizeBinding): number {
  return groups.reduce((all, { sizes: factors, per }) => {
    const count = factors.reduce((product, size) => product * sizeValue(size, sizes), 1);
    return all * Math.ceil(count / per);
  }, 1);
}

function isUsed({ only, around }: Stage, whole: ReadonlySet<Loop>): boolean {
  return (only === undefined || whole.has(only)) && !around.some((loop) => whole.has(loop));
}

function chooseWhole(program: WebGpuProgram, sizes: SizeBinding, { whole }: BindOptions): ReadonlySet<Loop> {
  const facts = new Map<Loop, LoopFacts>();
  for (const stage of program.kernels.flatMap(({ stages }) => stages))
    if (stage.whole !== undefined) facts.set(stage.whole, factsOf(program, stage, stage.whole, sizes));
  const alone = new Set([...facts].flatMap(([loop, fact]) => (whole(fact) ? [loop] : [])));
  // Where others step anyway, whose dispatches cost nothing more.
  return new Set(
    [...alone].filter((loop) => {
      const fact = facts.get(loop);
      const own = kernelsOf(program, loop).filter((stages) => !stages.some((stage) => isBeside(stage, loop, alone)));
      return fact !== undefined && (own.length === fact.dispatches || whole({ ...fact, dispatches: own.length }));
    }),
  );
}

/** Whether a stage belongs to the steps of other loops, all of which step. */
function isBeside({ around }: Stage, loop: Loop, whole: ReadonlySet<Loop>): boolean {
  return !around.includes(loop) && !around.some((other) => whole.has(other));
}

function factsOf(program: WebGpuProgram, stage: Stage, loop: Loop, sizes: SizeBinding): LoopFacts {
  const kernels = kernelsOf(program, loop);
  const widths = kernels.map((stages) =>
    stages.reduce((sum, each) => sum + (each.around.includes(loop) ? groupCount(each, sizes) : 0), 0),
  );
  return {
    groups: groupCount(stage, sizes),
    products: stage.products.reduce((sum, size) => sum + sizeValue(size, sizes), 0),
    barriers: stage.barriers,
    dispatches: kernels.length,
    width: Math.max(1, ...widths),
  };
}

/** What runs in each dispatch of a loop's step; of loops inside, those of their own steps count once. */
function kernelsOf({ items, kernels }: WebGpuProgram, loop: Loop): readonly (readonly Stage[])[] {
  return dispatchesOfLoop(items, loop)
    .map(({ kernel }) => kernels[kernel]?.stages ?? [])
    .filter((stages) => stages.some(({ around }) => around.includes(loop)));
}

/** The dispatches of the steps of a loop, and of those beside it. */
function dispatchesOfLoop(items: readonly Item[], loop: Loop): readonly Extract<Item, { readonly kind: "dispatch" }>[] {
  return items.flatMap((item) => {
    if (item.kind === "dispatch") return [];
    return item.loops.includes(loop) ? flatDispatches(item.body) : dispatchesOfLoop(item.body, loop);
  });
}

function flatDispatches(items: readonly Item[]): readonly Extract<Item, { readonly kind: "dispatch" }>[] {
  return items.flatMap((item) => (item.kind === "dispatch" ? [item] : flatDispatches(item.body)));
}

function dispatchesOf(
  { items, prepare }: WebGpuProgram,
  sizes: SizeBinding,
  {
    totals,
    whole,
    maxGroups,
  }: { readonly totals: readonly number[]; readonly whole: ReadonlySet<Loop>; readonly maxGroups: number },
): Pick<Bound, "prepare" | "dispatches" | "steps"> {
  const steps: (readonly number[])[] = [[]];
  const walk = (all: readonly Item[], done: readonly number[], step: number, dispatches: Dispatch[]): void => {
    for (const item of all) {
      if (item.kind === "dispatch") {
        const total = totals[item.kernel] ?? 0;
        if (total === 0) continue;
        const width = Math.min(total, maxGroups);
        dispatches.push({ kernel: item.kernel, groups: [width, Math.ceil(total / width)], step });
        continue;
      }
      if (item.loops.every((loop) => whole.has(loop))) continue;
      const length = sizeValue(item.length, sizes);
      const at = (place: number, body: readonly Item[]): void => {
        walk(body, [...done, place], steps.push([...done, place]) - 1, dispatches);
      };
      if (length > 0) at(0, item.before);
      for (let place = 0; place < length; place++) at(place, place === length - 1 ? item.last : item.body);
    }
  };
  const [first, all]: readonly [Dispatch[], Dispatch[]] = [[], []];
  walk(prepare, [], 0, first);
  walk(items, [], 0, all);
  return { prepare: first, dispatches: all, steps };
}

function boundSlot(program: WebGpuProgram, slot: Slot, sizes: SizeBinding, table: Int32Array): BoundSlot {
  return {
    slot,
    start: startOf(program, slot.place, sizes, table),
    shape: slot.axes.map((axis) => sizeValue(axis.size, sizes)),
    strides: slot.axes.map((axis) => {
      const stride = slot.place.strides.get(axis.id);
      return stride === undefined ? 0 : sizeValue(stride, sizes);
    }),
  };
}

/** Where a place starts when all has run, `last` being the entry of a loop that has just been left. */
function startOf(program: WebGpuProgram, place: Place, sizes: SizeBinding, table: Int32Array, last?: number): number {
  const number = (size: Size): number => sizeValue(size, sizes);
  const further = place.steps.reduce((sum, { stride }) => sum + (last ?? 0) * number(stride), 0);
  return (
    cellStart(program, place.cell, sizes, table) + (place.offset === undefined ? 0 : number(place.offset)) + further
  );
}

function cellStart(program: WebGpuProgram, cell: number, sizes: SizeBinding, table: Int32Array): number {
  const pointer = program.pointers.get(cell);
  if (pointer === undefined) return table[cell] ?? 0;
  const { loop, carry, role } = pointer;
  const length = sizeValue(loop.axis.size, sizes);
  const start = startOf(program, carry.startPlace, sizes, table);
  switch (carry.kind) {
    case "in place":
      return start;
    case "double":
      return (length % 2 === 0) === (role === "current") ? start : (table[carry.otherCell] ?? 0);
    case "collected":
      return length === 0 ? start : startOf(program, carry.entry, sizes, table, loop.reverse ? 0 : length - 1);
    default:
      return carry satisfies never;
  }
}
