import type { Graph } from "../../ir/graph.ts";
import type { Size } from "../../ir/size.ts";
import type { Axis, DType } from "../../ir/type.ts";
import type { Level, Lifetime } from "../../plan/levels.ts";
import { planLevels } from "../../plan/levels.ts";
import type { Buffer, Cell, Place } from "../../plan/place.ts";
import { type Plan, planGraph } from "../../plan/plan.ts";
import type { Loop, Value } from "../../plan/value.ts";
import type { Pointer } from "./context.ts";
import { libraryCode } from "./math.ts";
import { fitsTiles } from "./parts-products.ts";
import { type DraftKernel, draftLevels, type Item, type Stage } from "./program.ts";
import { inlined } from "./wgsl/inline.ts";
import { readStatements } from "./wgsl/read.ts";
import { writeStatements } from "./wgsl/write.ts";

/** A graph as shaders: what each dispatch runs, what memory holds, and where params and results lie in it. */
export interface WebGpuProgram {
  readonly name: string;
  /** Threads of a group. */
  readonly threads: number;
  /** See `GpuModule`. */
  readonly sized: boolean;
  readonly kernels: readonly KernelCode[];
  /** What runs before all else where a param in `fixed` has changed, or memory was laid out anew. */
  readonly prepare: readonly Item[];
  readonly fixed: ReadonlySet<string>;
  /** What runs, in order. */
  readonly items: readonly Item[];
  /** The table that shaders read sizes and addresses from; what each cell holds is known when sizes are bound. */
  readonly cells: readonly Cell[];
  readonly pointers: ReadonlyMap<number, Pointer>;
  readonly lifetimes: ReadonlyMap<Buffer, Lifetime>;
  /** How many loops are around the innermost dispatch, at most. */
  readonly depth: number;
  readonly params: readonly Slot[];
  readonly results: readonly Slot[];
  /** By result name, the param over which it is written: after a run the param has the result's value. */
  readonly feedback: ReadonlyMap<string, string>;
}

/** A shader in parts. */
export interface KernelCode {
  readonly label: string;
  /** Extensions of WGSL that it needs. */
  readonly extensions: readonly string[];
  /** The functions that its stages call, and the arrays that the threads of a group share, as WGSL. */
  readonly library: readonly string[];
  readonly shared: readonly string[];
  readonly stages: readonly StageCode[];
}

export interface StageCode extends Stage {
  readonly name: string;
  /** The equations that it computes. */
  readonly notes: readonly string[];
  /** The body of its function. */
  readonly code: string;
}

/** A param or result in memory: 32-bit floats, or 32-bit integers (booleans 0 and 1). */
export interface Slot {
  readonly name: string;
  readonly dtype: DType;
  /** In the order of the graph's type. */
  readonly axes: readonly Axis[];
  /** In elements, by axis. */
  readonly strides: ReadonlyMap<string, Size>;
  readonly place: Place;
}

/** What suits a device. */
export interface Tuning {
  /** Threads of a group: a power of two, from 64 on where they work together. */
  readonly threads: number;
  /** Numbers that they may share, for tiles of products: from 1024 on, or 0 for no tiles. */
  readonly shared: number;
  /** Whether several threads join the terms of one result: a graphics card has threads to spare, a processor has none. */
  readonly together: boolean;
  /** Whether threads that run in step, whose numbers follow one another, hand each other numbers without shared memory. */
  readonly subgroups: boolean;
}

/** Within what every device gives. */
export const USUAL_TUNING: Tuning = { threads: 256, shared: 4096, together: true, subgroups: false };

export interface CompileOptions {
  readonly tuning?: Tuning;
  /** See `PlanOptions`. */
  readonly fuse?: boolean;
  /** Called with the plan before code is made of it. */
  readonly planned?: (plan: Plan) => void;
}

/**
 * Compiles a scheduled graph. `known` gives the sizes that are fixed in the code; the others (batch, lengths) are bound later, as often as
 * wanted. `feedback` names the param that takes a result back, by result name.
 */
export function compileWebGpu(
  source: { readonly graph: Graph; readonly sizes: ReadonlyMap<string, number> },
  feedback: ReadonlyMap<string, string> = new Map(),
  { tuning = USUAL_TUNING, fuse = true, planned }: CompileOptions = {},
): WebGpuProgram {
  const { graph, sizes } = source;
  const plan = planGraph(graph, sizes, feedback, { pack: false, fuse });
  planned?.(plan);
  const { lifetimes, ...levels } = planLevels(plan, fitsTiles(tuning.shared));
  const pointers = pointersOf([...levels.prepare, ...levels.levels]);
  const { kernels, prepare, items, depth } = draftLevels({ plan, pointers, ...tuning }, levels);
  return {
    ...{ name: graph.name, threads: tuning.threads, sized: !tuning.together },
    ...{ prepare, items, depth, pointers, lifetimes, feedback },
    fixed: new Set(plan.graph.params.flatMap((param) => (plan.fixed.has(param) ? [param.name] : []))),
    kernels: kernels.map(kernelCode),
    cells: plan.cells.all,
    params: plan.graph.params.map((param) => slot(param.name, param, plan.places.get(param))),
    results: plan.results.map(({ name, value, place }) => slot(name, value, place)),
  };
}

function kernelCode({ label, stages, functions, scope }: DraftKernel): KernelCode {
  return {
    label,
    extensions: [...scope.extensions],
    library: libraryCode(scope.functions),
    shared: [...scope.shared].map(([name, { type, count }]) => `${name}: array<${type}, ${count}>`),
    stages: stages.map((stage, at) => {
      const { name = "", notes = [], lines = [] } = functions[at] ?? {};
      return { ...stage, name, notes, code: bodyText(lines.join("\n")) };
    }),
  };
}

/** A function's body in which numbers that have no name of their own stand where they are used, if that is once. */
function bodyText(text: string): string {
  return writeStatements(
    inlined(readStatements(text), (name) => /^t(_\d+)?$/.test(name)),
    { step: "  ", space: " " },
    "  ",
  );
}

function slot(name: string, { dtype, axes }: Value, place: Place | undefined): Slot {
  if (place === undefined) throw new Error(`internal: ${name} has no place`);
  return { name, dtype, axes, strides: place.strides, place };
}

/** The carries of all loops by the cells through which code finds them. */
function pointersOf(levels: readonly Level[]): ReadonlyMap<number, Pointer> {
  const found = new Map<number, Pointer>();
  const walk = (all: readonly Level[]): void => {
    for (const member of all.flat()) {
      if (member.kind !== "loop") continue;
      const { loop }: { readonly loop: Loop } = member.action;
      for (const carry of member.action.carries) {
        found.set(carry.current.cell, { loop, carry, role: "current" });
        if (carry.kind === "double") found.set(carry.nextCell, { loop, carry, role: "next" });
      }
      walk(member.steps);
    }
  };
  walk(levels);
  return found;
}
