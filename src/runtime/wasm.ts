import type { SizeBinding } from "../ir/size.ts";
import { layOutMemory, type MemoryLayout, slotShape } from "../target/wasm/bind.ts";
import type { Slot, WasmProgram } from "../target/wasm/compile.ts";

/** A compiled program in this process: one instance, whose memory is laid out anew for each choice of sizes. */
export interface WasmRunner {
  /**
   * Lays out memory for sizes. Params of fixed size keep their values, and so do others whose shape stays as it was.
   * Throws where a size is missing or no whole number.
   */
  bind(sizes: SizeBinding): MemoryLayout;
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

/** Whether this engine has relaxed SIMD, as the program would use it. */
export function createWasmRunner(program: WasmProgram): WasmRunner {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = WebAssembly.validate(program.relaxed) ? program.relaxed : program.plain;
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const run = instance.exports.run;
  if (typeof run !== "function") throw new Error("internal: a compiled program has no run");
  const params = new Map(program.params.map((slot) => [slot.name, slot]));
  const results = new Map(program.results.map((slot) => [slot.name, slot]));
  let bound: { readonly sizes: SizeBinding; readonly layout: MemoryLayout } | undefined;

  const present = (): { readonly sizes: SizeBinding; readonly layout: MemoryLayout } => {
    if (bound === undefined) throw new Error(`${program.name}: bind sizes before writing, running or reading`);
    return bound;
  };
  const slotOf = (slots: ReadonlyMap<string, Slot>, kind: string, name: string): Slot => {
    const slot = slots.get(name);
    if (slot === undefined) throw new Error(`${program.name} has no ${kind} ${name}`);
    return slot;
  };
  const viewOf = ({ dtype, cell }: Slot, count: number): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> => {
    const address = new Int32Array(memory.buffer, program.table, program.cells.length)[cell] ?? 0;
    return dtype === "float"
      ? new Float32Array(memory.buffer, address, count)
      : new Int32Array(memory.buffer, address, count);
  };
  const readSlot = (slot: Slot): WasmArray => {
    const { shape, strides } = slotShape(slot, present().sizes);
    const count = product(shape);
    const view = viewOf(slot, count);
    if (isDense(shape, strides)) return { shape, data: view.slice() };
    const data = slot.dtype === "float" ? new Float32Array(count) : new Int32Array(count);
    eachPlace(shape, strides, (index, place) => {
      data[index] = view[place] ?? 0;
    });
    return { shape, data };
  };
  const write = (name: string, values: ArrayLike<number>): void => {
    const slot = slotOf(params, "param", name);
    const { shape, strides } = slotShape(slot, present().sizes);
    const count = product(shape);
    if (values.length !== count) {
      throw new Error(
        `${program.name}: %${name} has ${count} numbers (${shape.join(" x ")}), ${values.length} are given`,
      );
    }
    const view = viewOf(slot, count);
    if (isDense(shape, strides)) view.set(values);
    else
      eachPlace(shape, strides, (index, place) => {
        view[place] = values[index] ?? 0;
      });
  };

  return {
    bind: (sizes) => {
      const layout = layOutMemory(program, sizes);
      const kept =
        bound === undefined
          ? []
          : movingValues(program, bound.sizes, sizes).map((slot) => [slot.name, readSlot(slot).data] as const);
      const missing = Math.ceil(layout.bytes / PAGE) - memory.buffer.byteLength / PAGE;
      if (missing > 0) memory.grow(missing);
      new Int32Array(memory.buffer, program.table, layout.cells.length).set(layout.cells);
      bound = { sizes, layout };
      for (const [name, data] of kept) write(name, data);
      return layout;
    },
    write,
    run: () => {
      present();
      run();
    },
    read: (name) => readSlot(slotOf(results, "result", name)),
    readParam: (name) => readSlot(slotOf(params, "param", name)),
  };
}

/** Params whose memory moves when sizes change, but whose shape stays. */
function movingValues(program: WasmProgram, before: SizeBinding, after: SizeBinding): readonly Slot[] {
  return program.params.filter((slot) => {
    const cell = program.cells[slot.cell];
    if (cell?.kind !== "buffer") return false;
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

/** Calls for every row-major index with the place that the strides lead to. */
function eachPlace(
  shape: readonly number[],
  strides: readonly number[],
  visit: (index: number, place: number) => void,
): void {
  const count = product(shape);
  const position = new Array<number>(shape.length).fill(0);
  let place = 0;
  for (let index = 0; index < count; index++) {
    visit(index, place);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0;
      position[axis] = (position[axis] ?? 0) + 1;
      place += stride;
      if (position[axis] !== shape[axis]) break;
      place -= stride * (shape[axis] ?? 0);
      position[axis] = 0;
    }
  }
}
