import { describe, expect, test } from "vitest";
import { feedbackOf } from "../../src/build/feedback.ts";
import type { ExplainedEquation } from "../../src/compile/explain.ts";
import { explanationText } from "../../src/compile/explain-text.ts";
import { isStage, type StageName } from "../../src/compile/stages.ts";
import { PRODUCT_PASSES } from "../../src/pass/pipeline.ts";
import { explainProgram, type ProgramExplanation } from "../../src/runtime/explain.ts";
import { throughPasses, USUAL_STAGES } from "../../src/runtime/passes.ts";
import { createWasmRunner } from "../../src/runtime/wasm.ts";
import { compileWasm } from "../../src/target/wasm/compile.ts";
import { compileGenerationOf, compileStepOf, readSource, seqFiles } from "../support/compile.ts";
import { LIBRARY } from "../support/library.ts";

/** What the first line of a file says: `// explain: train fit at B=8 T=20 on pack-gates`. */
function readCase(file: string) {
  const { text } = readSource(`test/explain/${file}`);
  const found = /^\/\/ explain: (train|generate) (\w+) at ([^\n]*?)(?: on ([^\n]*))?\n/.exec(text);
  if (found === null) throw new Error(`${file} does not say what to explain`);
  const [, kind, name = "", at = "", on = ""] = found;
  const sizes = Object.fromEntries(
    [...at.matchAll(/(\w+)=(\d+)/g)].map(([, size = "", value]) => [size, Number(value)]),
  );
  const { B: _, T: __, ...known } = sizes;
  const options = { sizes: known, dense: true, file };
  const program =
    kind === "train" ? compileStepOf(text, name, options) : compileGenerationOf(text, name, options).program;
  const stages = { ...USUAL_STAGES, on: new Set(on.split(" ").filter(isStage)) };
  return { text, program, sizes: new Map(Object.entries(sizes)), stages };
}

function sourceOf(file: string, text: string) {
  const texts = new Map([[file, text], ...LIBRARY.map((source) => [source.file, source.text] as const)]);
  return ({ origin: { span } }: ExplainedEquation) => ({
    text: (texts.get(span.file) ?? "").slice(span.start, span.end).replace(/\s+/g, " "),
    place: span.file,
  });
}

describe.each(seqFiles("test/explain"))("%s", (file) => {
  const { text, program, sizes, stages } = readCase(file);
  const explained: ProgramExplanation = explainProgram(program, sizes, stages);

  test("reads as it should", async () => {
    const shown = explanationText(explained, explained.memory, sourceOf(file, text), false);
    // Bytes are compared with what the program takes below: a closer packing changes no text here.
    const steady = shown.replace(/^ {2}memory .*$/m, (line) => line.replace(/\d+(\.\d+)?/g, "…"));
    await expect(`${steady}\n`).toMatchFileSnapshot(file.replace(/\.seq$/, ".txt"));
  });

  test("counts the memory that the program takes", () => {
    const optimized = throughPasses(PRODUCT_PASSES, stages)(program, sizes.get("B"));
    const layout = createWasmRunner(compileWasm(optimized, feedbackOf(optimized))).bind(sizes);
    expect(explained.memory.bytes).toBe(layout.bytes);
    expect(explained.memory.arena.bytes).toBe(layout.arena.bytes);
  });

  test("lists every kernel where that is asked for", () => {
    const shown = explanationText(explained, explained.memory, sourceOf(file, text), true);
    expect(shown.match(/^ *\d+ {2}\w+ .*(FLOP|B)\b.*$/gm)).toHaveLength(explained.totals.kernels);
  });

  test("every kernel is in its loops, every equation in kernels that are there", () => {
    const numbers = explained.kernels.map(({ number }) => number);
    expect(numbers).toEqual(numbers.map((_, at) => at + 1));
    expect(explained.totals.kernels).toBe(numbers.length);
    const looped = explained.loops.flatMap(({ kernels }) => kernels);
    const inLoops = explained.kernels.filter(({ loops }) => loops.length > 0).map(({ number }) => number);
    expect([...looped].sort((a, b) => a - b)).toEqual(inLoops);
    for (const { value, gradient, name } of explained.equations) {
      expect(value.length + gradient.length, name).toBeGreaterThan(0);
      for (const number of [...value, ...gradient]) expect(numbers, name).toContain(number);
    }
  });
});

describe("what is explained", () => {
  const lstm = readCase("lstm.seq");
  const explain = (off: readonly StageName[] = [], on: readonly StageName[] = []) =>
    explainProgram(lstm.program, lstm.sizes, { ...USUAL_STAGES, off: new Set(off), on: new Set(on) });
  const equation = (explained: ProgramExplanation, name: string): ExplainedEquation => {
    const found = explained.equations.find((one) => one.name === name);
    if (found === undefined) throw new Error(`${name} is not explained`);
    return found;
  };

  test("products are counted by their sizes", () => {
    const [B, T, D, H, C] = [32, 50, 64, 128, 64];
    const gates = 2 * B * T * 4 * H * (D + H);
    const head = 2 * B * T * H * C;
    // Backward: the state's and the head's input, then every weight; nothing flows into x.
    const back = 2 * B * T * 4 * H * H + head + gates + head;
    expect(explain().totals.productFlops).toBe(gates + head + back);
  });

  test("the schedule's work is told: hoisted inputs, weight gradients behind the loop", () => {
    const { facts } = equation(explain(["merge-into-loop"]), "cell.i");
    expect(facts).toContainEqual(expect.objectContaining({ kind: "hoisted", what: "cell.W.i @ x", axis: "T" }));
    const sums = facts.filter((fact) => fact.kind === "summed after the loop");
    expect(sums.map(({ what }) => what)).toEqual(
      expect.arrayContaining(["d(cell.i) @ x", "d(cell.i) @ cell.h'", "reduce(d(cell.i))"]),
    );
  });

  test("a product that is taken back is added in place", () => {
    const { facts } = equation(explain(), "cell.i");
    const products = ["x @ cell.W.i", "cell.U.i @ cell.h'"];
    expect(facts).toContainEqual(expect.objectContaining({ kind: "added in place", products }));
  });

  test("what a pass takes back or packs is told where it runs, and only there", () => {
    const passes = (explained: ProgramExplanation): ReadonlySet<string> =>
      new Set(equation(explained, "cell.i").facts.flatMap((fact) => (fact.kind === "pass" ? [fact.note.pass] : [])));
    expect(passes(explain())).not.toContain("pack-gates");
    const packed = explain([], ["merge-into-loop", "merge-products", "pack-gates", "pack-maps", "pack-outputs"]);
    expect([...passes(packed)]).toEqual(expect.arrayContaining(["merge-into-loop", "pack-gates", "pack-maps"]));
    const { facts } = equation(packed, "cell.i");
    const gates = facts.find((fact) => fact.kind === "pass" && fact.note.pass === "pack-gates");
    expect(gates).toMatchObject({ others: expect.arrayContaining(["cell.f", "cell.o", "cell.g"]) });
  });

  test("without fusing, every value says that it stands apart", () => {
    const reasons = equation(explain(["fuse"]), "cell.c").facts.flatMap((fact) =>
      fact.kind === "not fused" ? [fact.why] : [],
    );
    expect(new Set(reasons)).toEqual(new Set(["apart"]));
    expect(explain(["fuse"]).totals.kernels).toBeGreaterThan(2 * explain().totals.kernels);
  });

  test("kernels and code do not grow with what is looped over; runs do", () => {
    const counts = [10, 100, 1000].map((T) => {
      const { totals, kernels } = explainProgram(lstm.program, new Map([...lstm.sizes, ["T", T]]));
      return { kernels: totals.kernels, inLoop: kernels.filter(({ runs }) => runs === T).length, runs: totals.runs };
    });
    const [ten, hundred, thousand] = counts;
    if (ten === undefined || hundred === undefined || thousand === undefined) throw new Error("three lengths");
    expect([hundred.kernels, thousand.kernels]).toEqual([ten.kernels, ten.kernels]);
    expect(thousand.runs - hundred.runs).toBe(900 * ten.inLoop);
    expect(hundred.runs - ten.runs).toBe(90 * ten.inLoop);
  });
});
