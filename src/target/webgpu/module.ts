import { addSizes, constantSize, multiplySizes, type Size, sizeConstant, subtractSizes } from "../../ir/size.ts";
import type { DType } from "../../ir/type.ts";
import { boundNames, boundSize, numberOr, type SizeForm, type SizeOf } from "../../plan/bound-size.ts";
import type { Lifetime } from "../../plan/levels.ts";
import type { Cell, Place } from "../../plan/place.ts";
import { isRowMajor } from "../../plan/row-major.ts";
import type { Loop } from "../../plan/value.ts";
import type { Slot, StageCode, WebGpuProgram } from "./compile.ts";
import type { Item } from "./program.ts";

/** What running a program on a device needs to know of it: plain data and arithmetic, which can be written into a file. */
export interface GpuModule<S = SizeOf> {
  readonly name: string;
  /** The names of sizes that are bound. */
  readonly sizes: readonly string[];
  /** Threads of a group. */
  readonly threads: number;
  /** How many loops are around the innermost dispatch, at most. */
  readonly depth: number;
  /** Whether shaders say how long the arena is: a processor that asks for it at every read takes longer over that than over all else. */
  readonly sized?: boolean;
  /** The table that shaders read. Behind these, it has for each stage how many groups of threads there are up to its end. */
  readonly cells: readonly GpuCell<S>[];
  /** In which order memory that moves is placed; in that of the cells where not said. */
  readonly order?: readonly number[];
  readonly kernels: readonly GpuKernel<S>[];
  /** What runs before all else where a param in `fixed` has changed, or memory was laid out anew; nothing where left out. */
  readonly prepare?: readonly GpuItem<S>[];
  readonly fixed?: readonly string[];
  /** What runs, in order. */
  readonly items: readonly GpuItem<S>[];
  readonly params: readonly GpuSlot<S>[];
  readonly results: readonly GpuSlot<S>[];
}

/** An entry of the table: a size, where memory starts, or (`null`) nothing. */
export type GpuCell<S = SizeOf> = S | GpuMemorySpan<S> | null;

/** Memory that is needed from one position of the program to another, both included; without positions it is kept. */
export interface GpuMemorySpan<S = SizeOf> {
  readonly bytes: S;
  readonly first?: number;
  readonly last?: number;
}

/** A shader in parts: what several have in common is joined to it where it is compiled. */
export interface GpuKernel<S = SizeOf> {
  readonly label?: string;
  /** Extensions of WGSL that it needs. */
  readonly extensions?: readonly string[];
  /** Functions that it calls. */
  readonly library?: readonly string[];
  /** Arrays that the threads of a group share, with their types. */
  readonly shared?: readonly string[];
  /** Side by side: each has groups of threads of its own. */
  readonly stages: readonly GpuStage<S>[];
}

export interface GpuStage<S = SizeOf> {
  readonly name?: string;
  /** The equations that it computes. */
  readonly notes?: readonly string[];
  /** The body of its function. */
  readonly code: string;
  /** Cells of the table that it knows as `N0`, `N1`, ... */
  readonly cells?: readonly number[];
  /** How many groups of threads: the product over all of these of numbers, or of how many times `per` positions there are. */
  readonly groups: readonly GroupCount<S>[];
  /** The loop all of whose steps it runs, every group of threads for the rows that it owns: used only where that is chosen. */
  readonly whole?: number;
  /** Needed only where all steps of this loop run in one stage. */
  readonly only?: number;
  /** Of a step of `whole`: how many products of numbers it adds up, and how many barriers it has. */
  readonly products?: S;
  readonly barriers?: number;
  /** The kernels of a step, where the stage is not used. */
  readonly kernels?: readonly number[];
  /** The loops of whose steps it is a part, outermost first: not used where all steps of one of them run in one stage. */
  readonly around?: readonly number[];
}

export type GroupCount<S = SizeOf> = number | readonly [count: S, per: number];

/** What runs: the dispatch of a kernel, or for every step of some loops what runs in it. */
export type GpuItem<S = SizeOf> = number | GpuSteps<S>;

export interface GpuSteps<S = SizeOf> {
  /** They need nothing of one another, and step side by side. */
  readonly loops: readonly number[];
  readonly length: S;
  /** Before the first step's body. */
  readonly before: readonly GpuItem<S>[];
  readonly body: readonly GpuItem<S>[];
  /** In place of the last step's body, where that differs. */
  readonly last?: readonly GpuItem<S>[];
}

/** A param or result in memory: 32-bit floats, or 32-bit integers (booleans 0 and 1). */
export interface GpuSlot<S = SizeOf> {
  readonly name: string;
  /** Float where not said. */
  readonly dtype?: DType;
  readonly shape: readonly S[];
  /** In elements, by axis; row-major without gaps where not said. */
  readonly strides?: readonly S[];
  /** Where not said, behind the cell of the slot's own number. */
  readonly at?: GpuAddress<S>;
}

/** Where a value lies after a run: behind what a cell says, or at one of two places, by how many steps a loop has done. */
export type GpuAddress<S = SizeOf> =
  | { readonly cell: number; readonly offset?: S }
  | { readonly steps: S; readonly even: GpuAddress<S>; readonly odd: GpuAddress<S> }
  | { readonly steps: S; readonly none: GpuAddress<S>; readonly some: GpuAddress<S> };

/** A program as what runs it here needs it. */
export function gpuModuleOf(program: WebGpuProgram): GpuModule {
  return describeGpuModule(program, boundSize);
}

/** The same with every size that is no number as `form` makes it of the names that are bound. */
export function describeGpuModule<S>(program: WebGpuProgram, form: SizeForm<S>): GpuModule<S | number> {
  // The names are known when all sizes have been written once.
  const sizes: Size[] = [];
  describe(program, (size) => sizes.push(size));
  const names = boundNames(sizes);
  return { ...describe(program, numberOr(form, names)), sizes: names };
}

function describe<S>(program: WebGpuProgram, size: (of: Size) => S): Omit<GpuModule<S>, "sizes"> {
  const loops = numbersOf<Loop>();
  const slot = ({ name, dtype, axes, strides, place }: Slot, own: number): GpuSlot<S> => {
    const steps = axes.map((axis) => strides.get(axis.id) ?? constantSize(0));
    const at = addressOf(program, place, size);
    const isOwn = "cell" in at && at.cell === own && at.offset === undefined;
    return {
      name,
      ...(dtype !== "float" && { dtype }),
      shape: axes.map((axis) => size(axis.size)),
      ...(!isRowMajor(axes, steps) && { strides: steps.map(size) }),
      ...(!isOwn && { at }),
    };
  };
  const items = program.items.map((item) => itemOf(item, loops, size));
  return {
    name: program.name,
    threads: program.threads,
    depth: program.depth,
    ...(program.sized && { sized: true }),
    cells: program.cells.map((cell) => cellOf(cell, program.lifetimes, size)),
    kernels: program.kernels.map(({ label, extensions, library, shared, stages }) => ({
      label,
      ...(library.length > 0 && { library }),
      ...(shared.length > 0 && { shared }),
      ...(extensions.length > 0 && { extensions }),
      stages: stages.map((stage) => ({ ...stageOf(stage, loops, size), ...stepsOf(program, stage, loops, items) })),
    })),
    ...(program.prepare.length > 0 && {
      prepare: program.prepare.map((item) => itemOf(item, loops, size)),
      fixed: [...program.fixed],
    }),
    items,
    params: program.params.map(slot),
    results: program.results.map(slot),
  };
}

/** Numbers things in the order in which they are first asked for. */
function numbersOf<T>(): (thing: T) => number {
  const known = new Map<T, number>();
  return (thing) => {
    const number = known.get(thing) ?? known.size;
    known.set(thing, number);
    return number;
  };
}

function cellOf<S>(cell: Cell, lifetimes: ReadonlyMap<object, Lifetime>, size: (of: Size) => S): GpuCell<S> {
  switch (cell.kind) {
    case "size":
      return size(cell.size);
    case "buffer": {
      const { buffer } = cell;
      const life = lifetimes.get(buffer);
      if (buffer.kept) return { bytes: size(buffer.bytes) };
      return life === undefined ? null : { bytes: size(buffer.bytes), first: life.first, last: life.last };
    }
    case "pointer":
      return null;
    case "part":
      throw new Error("internal: parts of sizes belong to threads of a processor");
    default:
      return cell satisfies never;
  }
}

function stageOf<S>(stage: StageCode, loops: (loop: Loop) => number, size: (of: Size) => S): GpuStage<S> {
  const { name, notes, code, groups, whole, only, products, barriers, around } = stage;
  return {
    ...{ name, notes, code },
    groups: groups.map(({ sizes, per }) => {
      const all = sizes.reduce(multiplySizes, constantSize(1));
      const known = sizeConstant(all);
      return known === undefined ? ([size(all), per] as const) : Math.ceil(known / per);
    }),
    ...(whole && { whole: loops(whole), products: size(products.reduce(addSizes, constantSize(0))), barriers }),
    ...(only && { only: loops(only) }),
    ...(around.length > 0 && { around: around.map(loops) }),
  };
}

/** The kernels of the steps of a loop that a stage runs as a whole. */
function stepsOf<S>(
  { kernels }: WebGpuProgram,
  { whole }: StageCode,
  loops: (loop: Loop) => number,
  items: readonly GpuItem<S>[],
): Pick<GpuStage<S>, "kernels"> {
  if (whole === undefined) return {};
  const all = kernelsOfLoop(items, loops(whole));
  return { kernels: all.filter((kernel) => kernels[kernel]?.stages.some(({ around }) => around.includes(whole))) };
}

/** The dispatches of a loop's step, and of those beside it; of loops inside, those of their own steps once. */
function kernelsOfLoop<S>(items: readonly GpuItem<S>[], loop: number): readonly number[] {
  return items.flatMap((item) => {
    if (typeof item === "number") return [];
    return item.loops.includes(loop) ? flatKernels(item.body) : kernelsOfLoop(item.body, loop);
  });
}

function flatKernels<S>(items: readonly GpuItem<S>[]): readonly number[] {
  return items.flatMap((item) => (typeof item === "number" ? [item] : flatKernels(item.body)));
}

function itemOf<S>(item: Item, loops: (loop: Loop) => number, size: (of: Size) => S): GpuItem<S> {
  if (item.kind === "dispatch") return item.kernel;
  const written = (items: readonly Item[]) => items.map((one) => itemOf(one, loops, size));
  const isSame = item.last.length === item.body.length && item.last.every((one, at) => one === item.body[at]);
  return {
    loops: item.loops.map(loops),
    length: size(item.length),
    before: written(item.before),
    body: written(item.body),
    ...(!isSame && { last: written(item.last) }),
  };
}

/** Where a place starts when all has run. */
function addressOf<S>({ pointers }: WebGpuProgram, place: Place, size: (of: Size) => S): GpuAddress<S> {
  const at = ({ cell, offset }: Pick<Place, "cell" | "offset">, further: Size): GpuAddress<S> => {
    const whole = offset === undefined ? further : addSizes(further, offset);
    const pointer = pointers.get(cell);
    if (pointer === undefined) return { cell, ...(whole.text !== "0" && { offset: size(whole) }) };
    const { loop, carry, role } = pointer;
    const start = at(carry.startPlace, whole);
    const steps = size(loop.axis.size);
    switch (carry.kind) {
      case "in place":
        return start;
      case "double": {
        const other = at({ cell: carry.otherCell }, whole);
        return role === "current" ? { steps, even: start, odd: other } : { steps, even: other, odd: start };
      }
      case "collected": {
        const last = loop.reverse ? constantSize(0) : subtractSizes(loop.axis.size, constantSize(1));
        const behind = carry.entry.steps.reduce((sum, { stride }) => addSizes(sum, multiplySizes(last, stride)), whole);
        return { steps, none: start, some: at(carry.entry, behind) };
      }
      default:
        return carry satisfies never;
    }
  };
  return at(place, constantSize(0));
}
