import { beforeAll, describe, expect, it } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import type { Op } from "../../src/ir/op.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { DType } from "../../src/ir/type.ts";
import { OPS } from "../../src/op/table.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { startTfjs, TF_BACKENDS } from "../support/tfjs.ts";
import { expectSameAsInterpreter } from "./compare.ts";
import { B, type Case, D, graphCase, T, type } from "./graphs.ts";

/** Only right of zero are these defined, or smooth enough for float32. */
const POSITIVE: ReadonlySet<string> = new Set([
  "log",
  "log1p",
  "sqrt",
  "pow",
  "lgamma",
  "digamma",
  "trigamma",
  "div",
  "mod",
]);

/** Made of sines and cosines, which WGSL promises to 2⁻¹¹ only. */
const TRIGONOMETRIC: ReadonlySet<string> = new Set(["sin", "cos", "lgamma", "digamma", "trigamma"]);

function toleranceOf(backend: string, op: string): number {
  return backend === "webgpu" && TRIGONOMETRIC.has(op) ? 1e-3 : 2e-5;
}

const LAYOUTS = [[B, T, D], [D, B], [T]] as const;
const DTYPES: readonly DType[] = ["float", "int", "bool"];

const maps = OPS.filter((op) => op.scalar !== undefined);

describe.each(TF_BACKENDS)("elementwise ops on %s", (backend) => {
  let library: TfLibrary;
  beforeAll(async () => {
    library = await startTfjs(backend);
  });

  it.each(maps.map((op) => op.name))("%s", async (name) => {
    const cases = maps.filter((op) => op.name === name).flatMap(casesOf);
    expect(cases.length).toBeGreaterThan(0);
    for (const one of cases) await expectSameAsInterpreter(one, library, toleranceOf(backend, name));
  });
});

/** One case for every combination of dtypes that the op takes. */
function casesOf(op: Op): readonly Case[] {
  return [1, 2, 3]
    .flatMap((arity) => combinations(arity))
    .flatMap((dtypes) => {
      const attributes = op.name === "orelse" ? { ranges: [], ragged: true } : {};
      const types = dtypes.map((dtype, at) => type(dtype, ...(LAYOUTS[at] ?? [])));
      if (typeof op.infer(types, attributes) === "string") return [];
      const graph = graphCase(`${op.name}(${dtypes.join()})`, (b) => ({
        result: b.add(
          op,
          types.map((own, at) => b.param(`x${at}`, own)),
          attributes,
        ),
      }));
      const inputs = POSITIVE.has(op.name)
        ? new Map([...graph.inputs].map(([id, tensor]) => [id, positive(tensor)]))
        : graph.inputs;
      return [{ ...graph, inputs }];
    });
}

function combinations(arity: number): readonly (readonly DType[])[] {
  if (arity === 0) return [[]];
  return combinations(arity - 1).flatMap((rest) => DTYPES.map((dtype) => [...rest, dtype]));
}

function positive(tensor: Tensor): Tensor {
  if (tensor.dtype === "bool") return tensor;
  return {
    ...tensor,
    data: tensor.data.map((value) => (tensor.dtype === "int" ? value + 1 : Math.fround(Math.abs(value) + 0.3))),
  };
}

it("names an op whose operands do not fit as our own fault", () => {
  const b = createBuilder("wrong");
  const x = b.param("x", type("bool", B));
  const [log] = maps.filter((op) => op.name === "log");
  expect(() => b.add(log as Op, [x], {})).toThrow("internal: log(%x)");
});
