import type { WeightSpec } from "../build/program.ts";
import { solveSize } from "../ir/interpret.ts";
import { evaluateSize } from "../ir/size.ts";
import { loadCheckpoint, verifyValues } from "./checkpoint.ts";
import { DataError } from "./data/error.ts";
import type { Vocabulary } from "./data/vocabulary.ts";
import type { HostArray } from "./executor.ts";
import { isFloating, readTensors } from "./safetensors.ts";
import { weightsFile } from "./saving.ts";

/** Weights from a file, and what else it knows of the model. */
export interface WeightFile {
  readonly file: string;
  readonly weights: ReadonlyMap<string, HostArray>;
  /** What a checkpoint adds; undefined for a file of weights alone. */
  readonly trained:
    | {
        /** `CharLM(H: 64)` */
        readonly model: string;
        readonly sizes: ReadonlyMap<string, number>;
        readonly vocabularies: ReadonlyMap<string, Vocabulary>;
      }
    | undefined;
}

/** Reads a checkpoint, a run's folder, or any safetensors file whose tensors are weights under their names. */
export async function readWeights(path: string): Promise<WeightFile> {
  const file = weightsFile(path);
  const { tensors, metadata } = await readTensors(file);
  if (metadata.get("format")?.startsWith("seqc checkpoint") === true) {
    const { weights, model, sizes, vocabularies } = await loadCheckpoint(file);
    return { file, weights, trained: { model, sizes, vocabularies } };
  }
  const weights = new Map<string, HostArray>();
  for (const [name, tensor] of tensors) {
    if (!isFloating(tensor)) {
      const { dtype, shape } = tensor;
      const text = `tensor ${JSON.stringify(name)} [${shape.join(", ")}] is ${dtype}: weights are F64, F32, F16 or BF16`;
      throw new DataError(text, { place: { file } });
    }
    weights.set(name, tensor);
  }
  return { file, weights, trained: undefined };
}

/**
 * The sizes that a model has with these weights: where the known sizes do not fit, the shapes give them (`given` ones stay). Throws where
 * weights are missing, too many, or of a shape that no sizes make fit: the error shows both sides.
 */
export function sizesFromWeights(
  specs: readonly WeightSpec[],
  { file, weights }: WeightFile,
  known: ReadonlyMap<string, number>,
  given: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const shapes = (sizes: ReadonlyMap<string, number>): Map<string, readonly number[]> =>
    new Map(specs.map((spec) => [spec.name, spec.shape.map((size) => evaluateSize(size, sizes) ?? Number.NaN)]));
  const misfits = (sizes: ReadonlyMap<string, number>): number =>
    [...shapes(sizes)].filter(([name, shape]) => weights.get(name)?.shape.join() !== shape.join()).length;
  const solved = solveSizes(specs, weights, new Map([...known].filter(([name]) => given.has(name))));
  const fromShapes = new Map([...known, ...solved]);
  const sizes = misfits(known) <= misfits(fromShapes) ? known : fromShapes;
  verifyValues(file, "weights", weights, shapes(sizes));
  return sizes;
}

function solveSizes(
  specs: readonly WeightSpec[],
  weights: ReadonlyMap<string, HostArray>,
  known: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const sizes = new Map(known);
  for (let before = -1; before !== sizes.size; ) {
    before = sizes.size;
    for (const { name, shape } of specs) {
      const found = weights.get(name)?.shape;
      if (found === undefined || found.length !== shape.length) continue;
      shape.forEach((size, axis) => {
        const solved = solveSize(size, found[axis] ?? 0, sizes);
        if (solved !== undefined && solved.value > 0) sizes.set(solved.name, solved.value);
      });
    }
  }
  return sizes;
}
