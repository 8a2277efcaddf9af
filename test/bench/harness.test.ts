import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compare, excess } from "../../bench/compare.ts";
import { writeDocument } from "../../bench/document.ts";
import { goalResults } from "../../bench/goals.ts";
import { thisMachine } from "../../bench/machine.ts";
import { readOptions } from "../../bench/options.ts";
import type { Side, SideName, Workload } from "../../bench/side.ts";
import { runWorkload, type WorkloadResult } from "../../bench/workload-result.ts";

const EFFORT = { clock: "elapsed", rounds: 2, turnMilliseconds: 1, sideMilliseconds: 1000 } as const;

/** Takes some milliseconds, and says so by itself: nothing waits. */
function fake(output: readonly number[], milliseconds: number): Side {
  return {
    check: async () => new Map([["output", Float32Array.from(output)]]),
    run: async () => {},
    time: async () => milliseconds,
    dispose: () => {},
  };
}

function workload(sides: Readonly<Partial<Record<SideName, Side>>>): Workload {
  return {
    ...{ name: "fake", title: "Fake sides", unit: "call", units: 2, flops: 1e6 },
    goals: [
      { kind: "faster", side: "jax-js wasm", atLeast: 3 },
      { kind: "loss", side: "seqc plain", atMost: 1.2 },
      { kind: "gain", side: "seqc wide", atLeast: 1.25 },
      { kind: "time", atMost: 0.5 },
    ],
    sides: new Map(
      Object.entries(sides).map(([name, side]): readonly [SideName, () => Promise<Side>] => [
        name as SideName,
        async () => side,
      ]),
    ),
  };
}

async function measured(): Promise<WorkloadResult> {
  const sides = {
    "seqc wasm": fake([1, 2], 2),
    "seqc plain": fake([1, 2.00001], 3),
    "seqc wide": fake([1, 2], 1.5),
    "jax-js wasm": fake([1, 2], 8),
    onnxruntime: fake([1, 3], 1),
  };
  return runWorkload(workload(sides), {
    ...{ effort: EFFORT, multiplyAdd: "mul+add", wanted: () => true, onTurn: () => {} },
  });
}

test("sides are compared before they are timed, and timed against the first", async () => {
  const { sides, failed, peak } = await measured();
  expect(failed).toEqual([{ name: "onnxruntime", reason: "computes another output: 4.5e-1 apart, 1e-4 allowed" }]);
  expect(sides.map(({ name, ratio, milliseconds }) => [name, ratio.median, milliseconds.median])).toEqual([
    ["seqc wasm", 1, 1],
    ["seqc plain", 1.5, 1.5],
    ["seqc wide", 0.75, 0.75],
    ["jax-js wasm", 4, 4],
  ]);
  expect(sides[0]?.gigaflops?.median).toBeCloseTo(1);
  expect(peak.median).toBeGreaterThan(0);
});

test("goals say what was reached", async () => {
  const goals = goalResults([await measured()]);
  expect(goals.map(({ value, reached }) => [Number(value?.toFixed(3)), reached])).toEqual([
    [4, true],
    [1.5, false],
    [1.333, true],
    [1, false],
  ]);
});

test("the tables go into their place of a document", async () => {
  const folder = mkdtempSync(join(tmpdir(), "seqc-bench-"));
  const file = join(folder, "performance.md");
  const results = [await measured()];
  const findings = { machine: thisMachine(), effort: EFFORT, results, goals: goalResults(results) };
  try {
    writeFileSync(file, "# Speed\n");
    expect(() => writeDocument(file, findings)).toThrow("lacks the lines");
    const marks =
      readFileSync(join(import.meta.dirname, "../../docs/performance.md"), "utf8").match(/<!--.*-->/g) ?? [];
    writeFileSync(file, `before\n${marks.join("\nold\n")}\nafter\n`);
    writeDocument(file, findings);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("old");
    expect(text).toContain("| `onnxruntime` | onnxruntime-node, native code, one thread |");
    expect(text).toContain("| jax-js wasm | 4.00 | 4.00 (4.00 – 4.00) |");
    expect(text).toContain("onnxruntime was not timed: computes another output");
    expect(text).toMatch(/^before\n[\s\S]*\nafter\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("sides that have nothing in common, or other lengths, do not agree", () => {
  const [one, other] = [new Map([["a", Float32Array.of(1)]]), new Map([["b", Float32Array.of(1)]])];
  expect(() => compare(one, other)).toThrow("no result in common");
  const [first] = compare(one, new Map([["a", Float32Array.of(1, 1)]]));
  expect(first && excess(first)).toBe(Number.POSITIVE_INFINITY);
});

test("wrong options are told", () => {
  expect(() => readOptions(["--side", "pytorch"])).toThrow("--side pytorch: there are seqc wasm,");
  expect(() => readOptions(["--rounds", "0"])).toThrow("--rounds 0: give a whole number above 0");
  expect(() => readOptions(["--only", "gru", "--document", "x.md"])).toThrow("--document needs all workloads");
});
