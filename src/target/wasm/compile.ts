import type { Graph } from "../../ir/graph.ts";
import { constantSize, type Size } from "../../ir/size.ts";
import type { Axis, DType } from "../../ir/type.ts";
import type { Cell, Place } from "../../plan/place.ts";
import { type Plan, type PlanOptions, planGraph } from "../../plan/plan.ts";
import { type Portion, portionsOf } from "../../plan/portion.ts";
import { type Sharing, shareWork } from "../../plan/share.ts";
import type { Value } from "../../plan/value.ts";
import { type Context, MOST_SEGMENTS, TABLE } from "./context.ts";
import { createModule } from "./encode-module.ts";
import type { Instructions } from "./instructions.ts";
import { TWO_OVER_PI } from "./math-scalar.ts";
import { SEGMENT_BYTES } from "./product-tile.ts";
import { actionsFunction } from "./program.ts";
import { createThreads, followFunction, leadFunction, TABLES } from "./threads.ts";

/** A graph as WebAssembly: a module, what its memory holds, and where params and results lie in it. */
export interface WasmProgram {
  readonly name: string;
  readonly module: Uint8Array<ArrayBuffer>;
  /** What stands behind the names of its functions in the module: nothing where the module is its own. */
  readonly entry: string;
  /** The table at the start of memory, cell by cell; what each holds is known when sizes are bound. */
  readonly cells: readonly Cell[];
  /** Where the table starts, in bytes. */
  readonly table: number;
  readonly params: readonly Slot[];
  readonly results: readonly Slot[];
  /** By result name, the param over which it is written: after a run the param has the result's value. */
  readonly feedback: ReadonlyMap<string, string>;
  /** Params that keep their values from run to run: `prepare` computes what depends on them alone, after each time that one is written. */
  readonly fixed: ReadonlySet<string>;
  /** How its code divides among threads; undefined for one thread, whose memory is its own. */
  readonly sharing?: Sharing | undefined;
  /** The same program for several threads: `run` in the first, `follow` in the others, `prepare` in the first alone. */
  readonly threaded: () => WasmProgram;
  /** What its parts take, and how they divide among threads. */
  readonly portions: () => readonly Portion[];
}

/** A param or result in memory: 32-bit floats, or 32-bit integers (booleans 0 and 1). */
export interface Slot {
  readonly name: string;
  readonly dtype: DType;
  /** In the order of the graph's type. */
  readonly axes: readonly Axis[];
  /** In elements, by axis. */
  readonly strides: ReadonlyMap<string, Size>;
  /** The cell with its address, read after a run. */
  readonly cell: number;
  /** Elements behind that address. */
  readonly offset: Size;
}

export interface CompileOptions extends PlanOptions {
  /** What the engine that runs it must have; relaxed SIMD where nothing is said. */
  readonly instructions?: Instructions;
  /** Whether the code is to be short rather than fast: two fifths to half of the bytes, and steps that take a little longer. */
  readonly compact?: boolean;
  /** Whether functions have names, which profilers show; they have where nothing is said. */
  readonly names?: boolean;
  /** Called with the plan, before code is made of it. */
  readonly planned?: (plan: Plan) => void;
}

/** A scheduled graph with the sizes that are fixed in its code; the others (batch, lengths) are bound later, as often as wanted. */
export interface WasmSource {
  readonly graph: Graph;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Compiles a scheduled graph. `feedback` names the param that takes a result back, by result name. */
export function compileWasm(
  source: WasmSource,
  feedback: ReadonlyMap<string, string> = new Map(),
  options: CompileOptions = {},
): WasmProgram {
  const [program] = compileTogether([{ source, feedback }], options);
  if (program === undefined) throw new Error("internal: nothing was compiled");
  return program;
}

/**
 * Compiles several graphs into one module, in which they share what code they can; each runs in an instance of its own. With one graph the
 * module's functions are `prepare` and `run`, with more each has its number behind these names.
 */
export function compileTogether(
  parts: readonly { readonly source: WasmSource; readonly feedback: ReadonlyMap<string, string> }[],
  { instructions = "relaxed", planned, names = true, compact = false, ...options }: CompileOptions = {},
): readonly WasmProgram[] {
  const opened = parts.map(({ source: { graph, sizes }, feedback }, at) => {
    const plan = planGraph(graph, sizes, feedback, options);
    planned?.(plan);
    return {
      name: graph.name,
      plan,
      feedback,
      segments: reserveSegments(plan),
      entry: parts.length === 1 ? "" : String(at),
    };
  });
  const module = createModule({ compact });
  module.data(0, CONSTANTS);
  const alike: Context["alike"] = new Map();
  for (const { plan, segments, entry } of opened) {
    const context: Context = { module, plan, relaxed: instructions === "relaxed", compact, alike, segments };
    module.export(`prepare${entry}`, actionsFunction(context, "prepare", plan.prepare));
    module.export(`run${entry}`, actionsFunction(context, "run", plan.actions));
  }
  const bytes = module.finish({ names });
  return opened.map(({ name, plan, feedback, segments, entry }) => {
    const program: WasmProgram = {
      name,
      module: bytes,
      entry,
      // Code may need cells of its own, so they are complete only behind it.
      cells: plan.cells.all,
      table: TABLE,
      feedback,
      threaded: () => {
        const sharing = shareWork(plan);
        const threaded = writeThreaded(plan, segments, sharing, instructions);
        return { ...program, module: threaded, entry: "", table: TABLES, sharing };
      },
      portions: () => portionsOf(plan, shareWork(plan)),
      fixed: new Set(plan.graph.params.filter((param) => plan.fixed.has(param)).map((param) => param.name)),
      params: plan.graph.params.map((param) => slot(param.name, param, plan.places.get(param))),
      results: plan.results.map(({ name, value, place }) => slot(name, value, place)),
    };
    return program;
  });
}

function slot(name: string, { dtype, axes }: Value, place: Place | undefined): Slot {
  if (place === undefined) throw new Error(`internal: ${name} has no place`);
  return { name, dtype, axes, strides: place.strides, cell: place.cell, offset: place.offset ?? constantSize(0) };
}

/** Cells side by side for as many products as tiles add up at once. */
function reserveSegments({ cells }: Plan): number {
  const [first = 0] = Array.from({ length: (MOST_SEGMENTS * SEGMENT_BYTES) / 4 }, () => cells.pointer());
  return first;
}

function writeThreaded(
  plan: Plan,
  segments: number,
  sharing: Sharing,
  instructions: Instructions,
): Uint8Array<ArrayBuffer> {
  const module = createModule({ shared: true });
  const threads = createThreads(module, sharing);
  const context: Context = {
    ...{ module, plan, relaxed: instructions === "relaxed", compact: false },
    ...{ alike: new Map(), segments, threads },
  };
  module.data(0, CONSTANTS);
  module.export("prepare", actionsFunction(context, "prepare", plan.prepare));
  const actions = actionsFunction(context, "actions", plan.actions);
  module.export("run", leadFunction(module, threads, actions));
  module.export("follow", followFunction(module, threads, actions));
  return module.finish();
}

/** What the mathematical functions read from the start of memory. */
const CONSTANTS = [...new Uint8Array(Uint32Array.from(TWO_OVER_PI).buffer)];
