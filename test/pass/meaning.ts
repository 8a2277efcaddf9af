import { expect } from "vitest";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { printGraph } from "../../src/ir/print.ts";
import { readGraph } from "../../src/ir/read.ts";
import { type Size, sizeNames } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { verify } from "../../src/ir/verify.ts";
import { OPS } from "../../src/op/table.ts";
import { createChance } from "../support/chance.ts";
import { randomTensor } from "../support/tensors.ts";

const TOLERANCE = 1e-9;

/** Checks one graph after another against the same numbers, as `expectSame` does; a graph whose text was checked before is not checked again. */
export function sameAs(
  before: ReadonlyMap<string, Tensor>,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: ReadonlyMap<string, number>,
): (after: Graph, what: string) => void {
  const checked = new Set<string>();
  return (after, what) => {
    const text = printGraph(after);
    if (checked.has(text)) return;
    checked.add(text);
    expectSame(before, after, inputs, sizes, what, text);
  };
}

/** That a graph is well formed, is read back from its text, and gives the same numbers in the same layouts as another one. */
export function expectSame(
  before: ReadonlyMap<string, Tensor>,
  after: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: ReadonlyMap<string, number>,
  what: string,
  text = printGraph(after),
): void {
  expect(verify(after, { scheduled: true }), what).toEqual([]);
  expect(printGraph(readGraph(text, OPS)), what).toBe(text);
  const results = interpret(after, inputs, sizes);
  expect([...results.keys()], what).toEqual([...before.keys()]);
  for (const [name, wanted] of before) {
    const found = firstDifference(results.get(name), wanted);
    if (found !== undefined) expect.fail(`${what}: ${name}: ${found}`);
  }
}

function firstDifference(actual: Tensor | undefined, wanted: Tensor): string | undefined {
  if (actual?.axes.join() !== wanted.axes.join() || actual.shape.join() !== wanted.shape.join()) {
    return `has the layout [${actual?.axes}] ${actual?.shape} instead of [${wanted.axes}] ${wanted.shape}`;
  }
  if (actual.dtype !== wanted.dtype) return `is ${actual.dtype} instead of ${wanted.dtype}`;
  const at = wanted.data.findIndex((value, index) => !isClose(actual.data[index] ?? Number.NaN, value));
  return at < 0 ? undefined : `entry ${at} is ${actual.data[at]} instead of ${wanted.data[at]}`;
}

function isClose(value: number, wanted: number): boolean {
  return (
    value === wanted ||
    Object.is(value, wanted) ||
    Math.abs(value - wanted) <= TOLERANCE * Math.max(1, Math.abs(wanted))
  );
}

/** The same for two graphs with random inputs; sizes that are not known are small and differ. */
export function expectSameMeaning(before: Graph, after: Graph, known: ReadonlyMap<string, number>, what: string): void {
  const sizes = new Map([...bindNames(before), ...known]);
  const chance = createChance(3);
  const inputs = new Map(before.params.map(({ id, type }) => [id, randomTensor(chance, type, sizes)]));
  expectSame(interpret(before, inputs, sizes), after, inputs, sizes, what);
}

const NUMBERS = [3, 2, 4, 5, 3, 2] as const;

function bindNames(graph: Graph): ReadonlyMap<string, number> {
  const sizes: readonly Size[] = [...graph.params, ...graph.nodes.flatMap((node) => node.outputs)].flatMap((value) =>
    value.type.axes.map((axis) => axis.size),
  );
  const names = [...new Set(sizes.flatMap((size) => [...sizeNames(size)]))].sort();
  return new Map(names.map((name, index) => [name, NUMBERS[index % NUMBERS.length] ?? 3]));
}
