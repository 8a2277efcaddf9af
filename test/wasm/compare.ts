import { expect } from "vitest";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { lowerBound } from "../../src/plan/arena.ts";
import { createWasmRunner, type WasmRunner } from "../../src/runtime/wasm.ts";
import type { MemoryLayout } from "../../src/target/wasm/bind.ts";
import { type CompileOptions, compileWasm, type WasmProgram } from "../../src/target/wasm/compile.ts";

export interface Case {
  readonly graph: Graph;
  /** By param id. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly sizes: SizeBinding;
}

/** The variants of a program: with relaxed SIMD and without. */
export function variantsOf(
  graph: Graph,
  known: SizeBinding = new Map(),
  feedback: ReadonlyMap<string, string> = new Map(),
): readonly (readonly [string, WasmProgram])[] {
  return (["relaxed", "plain"] as const).map((instructions) => [
    instructions,
    compileWasm({ graph, sizes: known }, feedback, { instructions }),
  ]);
}

/**
 * Compiles and runs both variants and the short code of modules that are shipped, and compares every result with the interpreter's. `known`
 * sizes are fixed in the code. With `compact`, short code takes the place of what has no relaxed SIMD.
 */
export function expectSameAsInterpreter(
  given: Case,
  known: SizeBinding,
  tolerance: number,
  what = "",
  options: Pick<CompileOptions, "compact"> = {},
): void {
  comparison(given.graph, known, options)(given, tolerance, what);
}

/** The same for one program with inputs of many sizes, one after the other, as batches come. */
export function comparison(
  graph: Graph,
  known: SizeBinding = new Map(),
  { compact = false }: Pick<CompileOptions, "compact"> = {},
): (given: Omit<Case, "graph">, tolerance: number, what: string) => void {
  const short = compileWasm({ graph, sizes: known }, new Map(), SHORT);
  const fast = variantsOf(graph, known).slice(0, compact ? 1 : 2);
  const runners = [...fast, ["short", short] as const].map(
    ([name, program]) => [name, createWasmRunner(program)] as const,
  );
  return (given, tolerance, what) => {
    const wanted = interpret(graph, given.inputs, given.sizes);
    for (const [variant, runner] of runners) expectRun(runner, given, wanted, tolerance, `${what} ${variant}`);
  };
}

/** The code of modules that are shipped. */
export const SHORT: CompileOptions = { instructions: "plain", compact: true };
export const PLAIN: CompileOptions = { instructions: "plain" };
export const RELAXED: CompileOptions = { instructions: "relaxed" };

/** One way to make a program: what of, which sizes are fixed in its code, how. */
export type Making = readonly [what: string, graph: Graph, known: SizeBinding, options: CompileOptions];

/** That programs which were made in several ways, of graphs that mean the same, give what the interpreter makes of the first. */
export function expectAllSame(given: Case, tolerance: number, ways: readonly Making[]): void {
  const wanted = interpret(given.graph, given.inputs, given.sizes);
  for (const [what, graph, known, options] of ways) {
    const runner = createWasmRunner(compileWasm({ graph, sizes: known }, new Map(), options));
    expectRun(runner, given, wanted, tolerance, `${what}, ${JSON.stringify(options)}`);
  }
}

/** Runs a program, and compares every result with what is wanted. */
function expectRun(
  runner: WasmRunner,
  given: Omit<Case, "graph">,
  wanted: ReadonlyMap<string, Tensor>,
  tolerance: number,
  what: string,
): void {
  expectArena(runner.bind(given.sizes).arena, what);
  runBound(runner, given);
  expectResults(runner, wanted, tolerance, what);
}

export function runBound(runner: WasmRunner, { inputs }: Pick<Case, "inputs">): void {
  for (const [id, tensor] of inputs) runner.write(id, tensor.data);
  runner.run();
}

/** Memory is within a stated share of what is alive at the worst moment. */
export function expectArena(arena: MemoryLayout["arena"], what: string): void {
  expect(arena.bytes, `${what}: arena`).toBeLessThanOrEqual(lowerBound(arena.spans) * 1.15);
}

export function expectResults(
  runner: WasmRunner,
  wanted: ReadonlyMap<string, Tensor>,
  tolerance: number,
  what: string,
): void {
  for (const [name, tensor] of wanted) {
    const actual = runner.read(name);
    expect(actual.shape, `${what}: shape of ${name}`).toEqual(tensor.shape);
    expectNumbers(actual.data, tensor.data, tolerance, `${what}: ${name}`);
  }
}

/** Close relative to the number or to 1, whichever is larger; infinities and NaN exactly. */
export function expectNumbers(
  actual: ArrayLike<number>,
  wanted: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  const at = Array.from(wanted).findIndex((value, index) => !isClose(actual[index] ?? Number.NaN, value, tolerance));
  if (at >= 0) expect.fail(`${what}[${at}] is ${actual[at]}, should be ${wanted[at]}`);
  expect(actual.length, what).toBe(wanted.length);
}

function isClose(value: number, wanted: number, tolerance: number): boolean {
  if (value === wanted || Object.is(value, wanted)) return true;
  return Math.abs(value - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
}
