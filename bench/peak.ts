import type { Side } from "./side.ts";

/** How a multiply-add is written: as one instruction, or as two. */
export type MultiplyAdd = "relaxed_madd" | "mul+add";

/** Twelve sums and two constants: with fewer sums the latency shows, with more they no longer fit the fifteen registers that V8 gives. */
const SUMS = 12;
const UNROLLED = 8;
const ITERATIONS = 20_000;
const LANES = 4;

/** Of one run. */
export const PEAK_FLOPS = 2 * LANES * SUMS * UNROLLED * ITERATIONS;

/** The multiply-adds that one core can do in WebAssembly, with nothing to load or store; undefined where the engine lacks the instruction. */
export function peakSide(kind: MultiplyAdd): Side | undefined {
  const bytes = peakModule(kind);
  if (!WebAssembly.validate(bytes)) return undefined;
  const { loop } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
  if (typeof loop !== "function") throw new Error("the peak module has no function `loop`");
  return {
    check: async () => new Map([["output.sum", Float32Array.of(loop(1))]]),
    run: async () => {
      loop(ITERATIONS);
    },
    dispose: () => undefined,
  };
}

/** `loop(iterations)`: every sum becomes sum × 0.5 + 1, UNROLLED times an iteration; returns one lane of their total. */
function peakModule(kind: MultiplyAdd): Uint8Array<ArrayBuffer> {
  const type = section(1, [1, 0x60, 1, I32, 1, F32]);
  const functions = section(3, [1, 0]);
  const exported = section(7, [1, 4, ...Buffer.from("loop"), 0, 0]);
  const body = [...locals(), ...code(kind), END];
  const codes = section(10, [1, ...unsigned(body.length), ...body]);
  return Uint8Array.from([0, ...Buffer.from("asm"), 1, 0, 0, 0, ...type, ...functions, ...exported, ...codes]);
}

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const END = 0x0b;
const COUNTER = 0;
const FACTOR = 1;
const TERM = 2;
const FIRST_SUM = 3;

function locals(): readonly number[] {
  return [1, SUMS + 2, V128];
}

function code(kind: MultiplyAdd): readonly number[] {
  const sums = Array.from({ length: SUMS }, (_, at) => FIRST_SUM + at);
  const step = sums.flatMap((sum) => multiplyAdd(kind, sum));
  const total = sums.slice(1).flatMap((sum) => [...get(sum), ...simd(0xe4)]);
  return [
    ...constant(0.5),
    ...set(FACTOR),
    ...constant(1),
    ...set(TERM),
    ...[0x03, 0x40], // loop
    ...Array.from({ length: UNROLLED }, () => step).flat(),
    ...[...get(COUNTER), 0x41, 1, 0x6b, 0x22, COUNTER], // counter -= 1
    ...[0x0d, 0, END], // again unless 0
    ...get(FIRST_SUM),
    ...total,
    ...[...simd(0x1f), 0], // lane 0
  ];
}

/** sum = sum × FACTOR + TERM */
function multiplyAdd(kind: MultiplyAdd, sum: number): readonly number[] {
  const operands: Readonly<Record<MultiplyAdd, readonly number[]>> = {
    relaxed_madd: [...get(sum), ...get(FACTOR), ...get(TERM), ...simd(0x105)],
    "mul+add": [...get(sum), ...get(FACTOR), ...simd(0xe6), ...get(TERM), ...simd(0xe4)],
  };
  return [...operands[kind], ...set(sum)];
}

function constant(value: number): readonly number[] {
  return [0x43, ...new Uint8Array(Float32Array.of(value).buffer), ...simd(0x13)];
}

function get(local: number): readonly number[] {
  return [0x20, local];
}

function set(local: number): readonly number[] {
  return [0x21, local];
}

function simd(op: number): readonly number[] {
  return [0xfd, ...unsigned(op)];
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** LEB128. */
function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}
