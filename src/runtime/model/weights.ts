import { decodeSafetensors, encodeSafetensors } from "../../target/tfjs/support/safetensors.ts";
import { initialize } from "../initialize.ts";
import type { Model } from "./model.ts";
import type { ModelSpec, StartEntry } from "./spec.ts";

/** First weights: each depends on the seed, its name and its shape alone. */
export function firstWeights({ weights }: ModelSpec<StartEntry>, seed: number): ReadonlyMap<string, Float32Array> {
  return new Map(weights.map(({ name, shape, start }) => [name, initialize(start, shape, seed, name)]));
}

/** Weights from the bytes of a safetensors file. Throws where one is missing or has another shape; further ones are ignored. */
export function readWeights({ name, weights }: ModelSpec, bytes: Uint8Array): ReadonlyMap<string, Float32Array> {
  const arrays = decodeSafetensors(bytes);
  const wrong = weights.flatMap((entry) => {
    const found = arrays.get(entry.name);
    if (found?.shape.join() === entry.shape.join()) return [];
    return [
      `  ${entry.name} [${entry.shape.join(", ")}]: ${found === undefined ? "missing" : `[${found.shape.join(", ")}]`}`,
    ];
  });
  if (wrong.length > 0) {
    throw new RangeError(
      `these are no weights of ${name}. It wants, and the file has:\n${wrong.join("\n")}\nThe file has in all: ${[...arrays.keys()].join(", ")}`,
    );
  }
  return new Map(weights.map((entry) => [entry.name, arrays.get(entry.name)?.data ?? new Float32Array()]));
}

/** The weights as the bytes of a safetensors file. */
export async function saveWeights<M>(model: Model<M>): Promise<Uint8Array> {
  const values = await model.weights();
  return encodeSafetensors(
    new Map(
      model.spec.weights.map(({ name, shape }) => [name, { shape, data: values.get(name) ?? new Float32Array() }]),
    ),
  );
}
