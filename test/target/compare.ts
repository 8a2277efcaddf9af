import type * as tfjs from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { interpret } from "../../src/ir/interpret.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { lowerToTfjs } from "../../src/target/tfjs/lower.ts";
import { TF_DTYPE } from "../../src/target/tfjs/program.ts";
import { createTfjsRunner } from "../../src/target/tfjs/run.ts";
import type { Case } from "./graphs.ts";

/** Runs a graph on the current backend and compares every result with the interpreter's; counts tensors on the way. */
export async function expectSameAsInterpreter(
  { graph, inputs, sizes }: Case,
  library: TfLibrary,
  tolerance = 1e-5,
): Promise<void> {
  const { tf } = library;
  const wanted = interpret(graph, inputs, sizes);
  const program = lowerToTfjs(graph, new Map());
  const run = createTfjsRunner(program, library);
  const before = tf.memory().numTensors;
  const given = new Map(
    program.params.map((param) => [
      param.id,
      param.host ? hostNumber(inputs.get(param.id)) : upload(tf, inputs.get(param.id)),
    ]),
  );
  const uploaded = tf.memory().numTensors;
  const results = run(given, sizes);
  expect(tf.memory().numTensors - uploaded, "tensors left besides the results").toBe(results.size);
  for (const [name, tensor] of results) {
    const expected = wanted.get(name);
    expect({ name, shape: tensor.shape, dtype: tensor.dtype }).toEqual({
      name,
      shape: expected?.shape,
      dtype: TF_DTYPE[expected?.dtype ?? "float"],
    });
    expectClose(name, await tensor.data(), expected?.data ?? [], tolerance);
  }
  tf.dispose([...results.values()]);
  tf.dispose([...given.values()].filter((value) => typeof value !== "number"));
  expect(tf.memory().numTensors).toBe(before);
}

export function expectClose(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
): void {
  const worst = Array.from(expected, (value, at) => {
    const other = actual[at] ?? Number.NaN;
    return Object.is(value, other) || value === other ? 0 : Math.abs(value - other) / Math.max(1, Math.abs(value));
  });
  const at = worst.findIndex((error) => !(error <= tolerance));
  expect(at < 0 ? "equal" : `${name}[${at}] is ${actual[at]}, should be ${expected[at]}`).toBe("equal");
}

export function upload(tf: typeof tfjs, tensor: Tensor | undefined): tfjs.Tensor {
  if (tensor === undefined) throw new Error("no tensor to upload");
  const { dtype, shape, data } = tensor;
  const values =
    dtype === "float" ? Float32Array.from(data) : dtype === "int" ? Int32Array.from(data) : Uint8Array.from(data);
  return tf.tensor(values, [...shape], TF_DTYPE[dtype]);
}

function hostNumber(tensor: Tensor | undefined): number {
  return tensor?.data[0] ?? 0;
}
