import type { SizeBinding } from "../ir/size.ts";
import { searched } from "../target/wasm/arrange.ts";
import { type Arrangement, isBuffer, isFixed, type MemoryLayout } from "../target/wasm/bind.ts";
import type { WasmProgram } from "../target/wasm/compile.ts";
import { type Instructions, instructionProbe } from "../target/wasm/instructions.ts";
import { type ModuleSlot, moduleOf, type WasmModule } from "../target/wasm/module.ts";
import { HintedError } from "./hinted-error.ts";
import { copyWalk, type Numbers } from "./strided.ts";
import { type Binding, createBindings, type OpenSlot, type PlacedSlot } from "./wasm-binding.ts";

/** A compiled program in this process: one instance, whose memory is laid out anew for each choice of sizes. */
export interface WasmRunner {
  /**
   * Lays out memory for sizes. Params of fixed size keep their values, and so do others whose shape stays as it was.
   * Throws where a size is missing or no whole number, and where there is not enough memory; then all stays as it was.
   */
  bind(sizes: SizeBinding): MemoryLayout;
  /** How much memory the program has, in bytes; it grows when sizes are bound only. */
  bytes(): number;
  /** Gives a param its value, row-major in the order of its axes. Booleans are 0 and 1. */
  write(param: string, values: Numbers): void;
  /** Runs once; results that a param takes back are its value from then on. */
  run(): void;
  /** A result of the last run, a copy, row-major in the order of its axes. */
  read(result: string): WasmArray;
  /** The present value of a param, a copy. */
  readParam(param: string): WasmArray;
  /** Ends other threads; where there were some, nothing can run afterwards. */
  dispose(): void;
}

export interface WasmArray {
  readonly shape: readonly number[];
  /** Integers and booleans are Int32Array. */
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

const PAGE = 65536;

/** The fastest instructions of this engine. */
export function usableInstructions(): Instructions {
  return WebAssembly.validate(instructionProbe("relaxed")) ? "relaxed" : "plain";
}

/** Starts a program. Throws where the engine lacks its instructions. */
export function createWasmRunner(program: WasmProgram): WasmRunner {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(program.module), { env: { memory } });
  return createRunner(moduleOf(program), memory, instance.exports, searched());
}

/** Runs a module that was instantiated with a memory of its own. */
export function createRunner(
  module: WasmModule,
  memory: WebAssembly.Memory,
  exports: WebAssembly.Exports,
  arrangement: Arrangement,
): WasmRunner {
  const { entry = "" } = module;
  const { [`prepare${entry}`]: prepare, [`run${entry}`]: run } = exports;
  if (typeof run !== "function" || typeof prepare !== "function") {
    throw new Error("internal: a compiled program lacks its functions");
  }
  const [params, results] = [slotsOf(module.params), slotsOf(module.results)];
  const fixed = new Set(module.fixed);
  // Whether what depends on fixed params alone must be computed anew.
  let stale = true;
  const bindings = createBindings(module, arrangement);
  let bound: { readonly binding: Binding; readonly views: Views } | undefined;

  const present = (): { readonly binding: Binding; readonly views: Views } => {
    if (bound === undefined) throw new Error(`${module.name}: bind sizes before writing, running or reading`);
    return bound;
  };
  const open = (slots: ReadonlyMap<string, PlacedSlot>, kind: string, name: string): OpenSlot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new Error(`${module.name} has no ${kind} ${name}`);
    return present().binding.open(slot);
  };
  const place = ({ slot, offset }: OpenSlot) => {
    const { cells, floats, integers } = present().views;
    return { view: isFloat(slot) ? floats : integers, start: (cells[slot.cell] ?? 0) / 4 + offset };
  };
  const readSlot = (opened: OpenSlot): WasmArray => {
    const { slot, shape, read, dense } = opened;
    const { view, start } = place(opened);
    if (dense) return { shape, data: view.slice(start, start + read.count) };
    const data = isFloat(slot) ? new Float32Array(read.count) : new Int32Array(read.count);
    copyWalk(read, view, start, data, 0);
    return { shape, data };
  };
  const write = (name: string, values: Numbers): void => {
    const opened = open(params, "param", name);
    const { shape, write: walk } = opened;
    if (values.length !== walk.count) {
      throw new Error(
        `${module.name}: %${name} has ${walk.count} numbers (${shape.join(" x ")}), ${values.length} are given`,
      );
    }
    if (fixed.has(name)) stale = true;
    const { view, start } = place(opened);
    copyWalk(walk, values, 0, view, start);
  };

  return {
    bind: (sizes) => {
      const binding = bindings(sizes);
      const { layout } = binding;
      const kept =
        bound === undefined
          ? []
          : movingValues(module, params, bound.binding, binding).map(
              (opened) => [opened.slot.name, readSlot(opened).data] as const,
            );
      provide(memory, layout.bytes, module.name, sizes);
      bound = { binding, views: viewsOf(memory, module) };
      for (const { address, cells } of layout.tables) bound.views.integers.set(cells, address / 4);
      stale = true;
      for (const [name, data] of kept) write(name, data);
      return layout;
    },
    bytes: () => memory.buffer.byteLength,
    write,
    dispose: () => undefined,
    run: () => {
      present();
      if (stale) prepare();
      stale = false;
      run();
    },
    read: (name) => readSlot(open(results, "result", name)),
    readParam: (name) => readSlot(open(params, "param", name)),
  };
}

/** By name, each with its cell. */
function slotsOf(slots: readonly ModuleSlot[]): ReadonlyMap<string, PlacedSlot> {
  return new Map(slots.map((slot, cell) => [slot.name, { cell, ...slot }]));
}

function isFloat({ dtype = "float" }: ModuleSlot): boolean {
  return dtype === "float";
}

/** Lets memory grow to so many bytes. Throws, with nothing changed, where there is not so much. */
function provide(memory: WebAssembly.Memory, bytes: number, name: string, sizes: SizeBinding): void {
  const missing = Math.ceil(bytes / PAGE) - memory.buffer.byteLength / PAGE;
  if (missing <= 0) return;
  const bound = [...sizes].map(([size, value]) => `${size} = ${value}`).join(", ");
  const hint = "smaller batches or shorter sequences take less";
  const needs = `${name} needs ${(bytes / 2 ** 30).toFixed(2)} GiB of memory for ${bound}`;
  if (bytes > MOST_BYTES) throw new HintedError(`${needs}; WebAssembly has 4 GiB at most`, hint);
  try {
    memory.grow(missing);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new HintedError(`${needs}, which this machine does not give`, hint);
  }
}

/** What WebAssembly can address. */
export const MOST_BYTES = 65536 * PAGE;

/** Params whose memory moves when sizes change, but whose shape stays; as they lie before. */
function movingValues(
  { cells }: WasmModule,
  params: ReadonlyMap<string, PlacedSlot>,
  before: Binding,
  after: Binding,
): readonly OpenSlot[] {
  return [...params.values()].flatMap((slot) => {
    const cell = cells[slot.cell];
    if (!isBuffer(cell) || isFixed(cell)) return [];
    const [old, next] = [before.open(slot), after.open(slot)];
    return old.shape.every((size, axis) => size === next.shape[axis]) ? [old] : [];
  });
}

/** All memory, as what lies in it; it moves when memory grows. */
interface Views {
  /** The table: where values lie, which a run may change. Addresses go up to 4 GiB. */
  readonly cells: Uint32Array<ArrayBuffer>;
  readonly floats: Float32Array<ArrayBuffer>;
  readonly integers: Int32Array<ArrayBuffer>;
}

function viewsOf({ buffer }: WebAssembly.Memory, { table, cells }: WasmModule): Views {
  return {
    cells: new Uint32Array(buffer, table, cells.length),
    floats: new Float32Array(buffer),
    integers: new Int32Array(buffer),
  };
}
