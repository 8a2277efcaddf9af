import type { SizeBinding } from "../ir/size.ts";
import { isBuffer, isFixed, layOutMemory, type MemoryLayout, numberOf, slotShape } from "../target/wasm/bind.ts";
import type { WasmProgram } from "../target/wasm/compile.ts";
import { type ModuleSlot, moduleOf, type Sizes, type WasmModule } from "../target/wasm/module.ts";
import { DataError } from "./data/error.ts";

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
  write(param: string, values: ArrayLike<number>): void;
  /** Runs once; results that a param takes back are its value from then on. */
  run(): void;
  /** A result of the last run, a copy, row-major in the order of its axes. */
  read(result: string): WasmArray;
  /** The present value of a param, a copy. */
  readParam(param: string): WasmArray;
}

export interface WasmArray {
  readonly shape: readonly number[];
  /** Integers and booleans are Int32Array. */
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

const PAGE = 65536;

/** Starts a program: with relaxed SIMD where the engine has it. Throws where it has no WebAssembly SIMD at all. */
export function createWasmRunner(program: WasmProgram): WasmRunner {
  const bytes = WebAssembly.validate(program.relaxed) ? program.relaxed : program.plain;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return createRunner(moduleOf(program), memory, instance.exports);
}

/** Runs a module that was instantiated with a memory of its own. */
export function createRunner(
  module: WasmModule,
  memory: WebAssembly.Memory,
  { prepare, run }: WebAssembly.Exports,
): WasmRunner {
  if (typeof run !== "function" || typeof prepare !== "function") {
    throw new Error("internal: a compiled program lacks its functions");
  }
  const params = new Map(module.params.map((slot) => [slot.name, slot]));
  const results = new Map(module.results.map((slot) => [slot.name, slot]));
  // Whether what depends on fixed params alone must be computed anew.
  let stale = true;
  let bound: { readonly sizes: Sizes; readonly layout: MemoryLayout } | undefined;

  const present = (): { readonly sizes: Sizes; readonly layout: MemoryLayout } => {
    if (bound === undefined) throw new Error(`${module.name}: bind sizes before writing, running or reading`);
    return bound;
  };
  const slotOf = (slots: ReadonlyMap<string, ModuleSlot>, kind: string, name: string): ModuleSlot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new Error(`${module.name} has no ${kind} ${name}`);
    return slot;
  };
  const viewOf = ({ cell, offset = 0, dtype }: ModuleSlot): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> => {
    // Addresses go up to 4 GiB.
    const cells = new Uint32Array(memory.buffer, module.table, module.cells.length);
    const element = (cells[cell] ?? 0) / 4 + numberOf(offset, present().sizes);
    return dtype === "float"
      ? new Float32Array(memory.buffer).subarray(element)
      : new Int32Array(memory.buffer).subarray(element);
  };
  const readSlot = (slot: ModuleSlot): WasmArray => {
    const { shape, strides } = slotShape(slot, present().sizes);
    const count = product(shape);
    const view = viewOf(slot);
    if (isDense(shape, strides)) return { shape, data: view.slice(0, count) };
    const data = slot.dtype === "float" ? new Float32Array(count) : new Int32Array(count);
    eachRun(shape, strides, (index, place, length, stride) => {
      if (stride === 1) data.set(view.subarray(place, place + length), index);
      else for (let at = 0; at < length; at++) data[index + at] = view[place + at * stride]!;
    });
    return { shape, data };
  };
  const write = (name: string, values: ArrayLike<number>): void => {
    const slot = slotOf(params, "param", name);
    const { shape, strides } = slotShape(slot, present().sizes);
    const count = product(shape);
    if (values.length !== count) {
      throw new Error(
        `${module.name}: %${name} has ${count} numbers (${shape.join(" x ")}), ${values.length} are given`,
      );
    }
    if (module.fixed.includes(name)) stale = true;
    const view = viewOf(slot);
    if (isDense(shape, strides)) view.set(values);
    else
      eachRun(shape, strides, (index, place, length, stride) => {
        for (let at = 0; at < length; at++) view[place + at * stride] = values[index + at]!;
      });
  };

  return {
    bind: (binding) => {
      const sizes = Object.fromEntries(binding);
      const layout = layOutMemory(module, sizes);
      const kept =
        bound === undefined
          ? []
          : movingValues(module, bound.sizes, sizes).map((slot) => [slot.name, readSlot(slot).data] as const);
      provide(memory, layout.bytes, module.name, binding);
      new Int32Array(memory.buffer, module.table, layout.cells.length).set(layout.cells);
      bound = { sizes, layout };
      stale = true;
      for (const [name, data] of kept) write(name, data);
      return layout;
    },
    bytes: () => memory.buffer.byteLength,
    write,
    run: () => {
      present();
      if (stale) prepare();
      stale = false;
      run();
    },
    read: (name) => readSlot(slotOf(results, "result", name)),
    readParam: (name) => readSlot(slotOf(params, "param", name)),
  };
}

/** Lets memory grow to so many bytes. Throws, with nothing changed, where there is not so much. */
function provide(memory: WebAssembly.Memory, bytes: number, name: string, sizes: SizeBinding): void {
  const missing = Math.ceil(bytes / PAGE) - memory.buffer.byteLength / PAGE;
  if (missing <= 0) return;
  const bound = [...sizes].map(([size, value]) => `${size} = ${value}`).join(", ");
  const hint = "smaller batches or shorter sequences take less";
  const needs = `${name} needs ${(bytes / 2 ** 30).toFixed(2)} GiB of memory for ${bound}`;
  if (bytes > MOST_BYTES) throw new DataError(`${needs}; WebAssembly has 4 GiB at most`, { hint });
  try {
    memory.grow(missing);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new DataError(`${needs}, which this machine does not give`, { hint });
  }
}

const MOST_BYTES = 65536 * PAGE;

/** Params whose memory moves when sizes change, but whose shape stays. */
function movingValues(module: WasmModule, before: Sizes, after: Sizes): readonly ModuleSlot[] {
  return module.params.filter((slot) => {
    const cell = module.cells[slot.cell];
    if (!isBuffer(cell) || isFixed(cell)) return false;
    const [old, next] = [slotShape(slot, before).shape, slotShape(slot, after).shape];
    return old.every((size, axis) => size === next[axis]);
  });
}

function product(shape: readonly number[]): number {
  return shape.reduce((all, size) => all * size, 1);
}

function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== stride) return false;
    stride *= shape[axis] ?? 1;
  }
  return true;
}

/** Calls for every run along the last axis: where it starts row-major and in the place that the strides lead to. */
function eachRun(
  shape: readonly number[],
  strides: readonly number[],
  visit: (index: number, place: number, count: number, stride: number) => void,
): void {
  const count = shape.at(-1) ?? 1;
  const stride = strides.at(-1) ?? 1;
  if (product(shape) === 0) return;
  const walk = (axis: number, index: number, place: number): void => {
    if (axis >= shape.length - 1) {
      visit(index, place, count, stride);
      return;
    }
    const size = shape[axis] ?? 1;
    const inside = product(shape.slice(axis + 1));
    for (let at = 0; at < size; at++) walk(axis + 1, index + at * inside, place + at * (strides[axis] ?? 0));
  };
  walk(0, 0, 0);
}
