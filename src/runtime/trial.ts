import type { Program } from "../build/program.ts";
import { fillRandom } from "../ir/random.ts";
import { evaluateSize, sizeNames } from "../ir/size.ts";
import { shapeOf } from "../ir/tensor.ts";
import { elementCount, type HostArray, scalar } from "./executor.ts";

/** Random values for every param of a program, to try it out. */
export interface Trial {
  readonly inputs: ReadonlyMap<string, HostArray>;
  readonly sizes: ReadonlyMap<string, number>;
}

/** Sizes that nobody gave: small, and different, so that no two axes fit by accident. */
export function trialSizes(program: Program): ReadonlyMap<string, number> {
  const sizes = new Map([["B", 2], ...program.sizes]);
  const names = program.graph.params.flatMap(({ type }) => type.axes.flatMap((axis) => [...sizeNames(axis.size)]));
  const vocabularies = program.inputs.flatMap(({ vocabulary }) =>
    vocabulary === undefined ? [] : [...sizeNames(vocabulary)],
  );
  let next = 3;
  for (const name of [...names, ...vocabularies]) if (!sizes.has(name)) sizes.set(name, next++);
  return sizes;
}

/**
 * Values that depend on the param's name and `seed` alone: weights in ±0.8; float inputs in 0.2 to 1, where scales, probabilities and logarithms are
 * all legal; tokens below their vocabulary.
 */
export function trialOf(program: Program, sizes: ReadonlyMap<string, number>, seed: number): Trial {
  const inputs = new Map<string, HostArray>();
  for (const { id, type } of program.graph.params) {
    const role = program.params.get(id);
    const shape = shapeOf(type.axes, sizes);
    const drawn = new Float64Array(elementCount(shape));
    fillRandom(drawn, "uniform", seed, `trial ${id}`);
    if (role?.kind === "weight") inputs.set(id, { shape, data: drawn.map((value) => 1.6 * value - 0.8) });
    else if (role?.kind === "input") {
      const spec = program.inputs.find(({ name }) => name === role.name);
      const limit = spec?.vocabulary === undefined ? 2 : (evaluateSize(spec.vocabulary, sizes) ?? 2);
      const isFloat = type.dtype === "float";
      inputs.set(id, { shape, data: drawn.map((value) => (isFloat ? 0.2 + 0.8 * value : Math.floor(value * limit))) });
    } else inputs.set(id, scalar(role?.kind === "training" ? 1 : role?.kind === "steps" ? 100 : 0));
  }
  return { inputs, sizes };
}
