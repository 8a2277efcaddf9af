import { randomFloats } from "../arrays.ts";
import { randomWeights } from "../sequence.ts";
import type { Side, SideName, Workload } from "../side.ts";
import * as jax from "../sides/jax.ts";
import * as layers from "../sides/layers.ts";
import { seqcSides, trainingSide } from "../sides/seqc.ts";

/** Sizes from the picture to the code and back. */
const SIZES = [784, 256, 16, 256, 784] as const;
const NAMES = ["enc.hidden.0.f", "enc.top.f", "dec.hidden.0.f", "dec.top.f"] as const;

/** No recurrence: four dense layers and Adam. */
export function autoencoderWorkload(name: string, batch: number): Workload {
  const [pixels, , code] = SIZES;
  const layerSizes = NAMES.map((layer, at) => ({ layer, inputs: SIZES[at] ?? 0, outputs: SIZES[at + 1] ?? 0 }));
  const shapes = layerSizes.flatMap(({ layer, inputs, outputs }): [string, readonly number[]][] => [
    [`${layer}.W`, [outputs, inputs]],
    [`${layer}.b`, [outputs]],
  ]);
  const weights = () => randomWeights(new Map(shapes));
  const pictures = () => randomFloats("pictures", batch * pixels, "uniform");
  const products = layerSizes.reduce((sum, { inputs, outputs }) => sum + inputs * outputs, 0);
  return {
    name,
    title: `Autoencoder ${SIZES.join("-")}, batch ${batch}: a training step with Adam`,
    unit: "training step",
    units: 1,
    // The first layer's input needs no gradient.
    flops: 2 * batch * (3 * products - pixels * SIZES[1]),
    goals: [],
    sides: new Map<SideName, () => Promise<Side>>([
      ...seqcSides((executor) =>
        trainingSide(
          executor,
          { file: "autoencoder.seq", train: "autoencoder", sizes: { D: pixels, Z: code } },
          weights(),
          { x: { shape: [batch, pixels], data: pictures() } },
          { B: batch },
        ),
      ),
      ["tfjs-layers wasm", () => layers.autoencoderTraining(pictures(), weights(), batch, "wasm")],
      ["jax-js wasm", () => jax.autoencoderTraining(pictures(), weights(), batch)],
    ]),
  };
}
