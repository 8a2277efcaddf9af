import { expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { explainProgram } from "../../src/runtime/explain.ts";
import { compileStepOf, compileText, readSource } from "../support/compile.ts";

const { text, file } = readSource("models/transfer.seq");
const forward = compileText(text, { file, dense: true });
const features = forward.weights.flatMap(({ name }) => (name.startsWith("features.") ? [name] : []));

function step(frozen: readonly string[]): Program {
  return compileStepOf(text, "target", { file, dense: true, frozen });
}

/** Products and convolutions: two convolutions and two affine maps of the model, and what their gradients need. */
function products({ graph }: Program): number {
  return graph.nodes.filter(({ op }) => op.form === "contract").length;
}

test("frozen weights get no backward kernels: only the last map's own gradient is a product", () => {
  expect(features.length).toBe(6);
  expect(products(forward)).toBe(4);
  // Four gradients by weights, three by what comes before them.
  expect(products(step([]))).toBe(4 + 7);
  expect(products(step(features))).toBe(4 + 1);
});

test("on WebAssembly too", () => {
  const kernels = (program: Program): number =>
    explainProgram(program, new Map([...program.sizes, ["B", 25]])).totals.kernels;
  const backward = (program: Program): number => kernels(program) - kernels(forward);
  expect(backward(step(features)) * 3).toBeLessThan(backward(step([])));
});
