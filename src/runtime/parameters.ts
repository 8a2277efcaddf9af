import type { Report } from "../base/diagnostic.ts";
import type { WeightSpec } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import { compileForward } from "../compile/program.ts";
import { addSizes, constantSize, evaluateSize, multiplySizes, type Size, substituteSize } from "../ir/size.ts";
import type { Expression } from "../syntax/tree.ts";
import { findSizes } from "./find-sizes.ts";

/** How many numbers training changes in a model; sizes that the data decides are found by reading the data of a `train` block. */
export async function countParameters(
  modules: Modules,
  model: Expression,
  report: Report,
): Promise<number | undefined> {
  const job = { modules, sizes: new Map<string, number>(), dense: false, report };
  const program = compileForward(job, model, { values: [], gradients: false });
  if (program === undefined) return undefined;
  const count = parameterCount(program.weights);
  const known = evaluateSize(count, program.sizes) ?? evaluateSize(count, await findSizes(modules, model, undefined));
  if (known !== undefined) return known;
  const text = knownPart(count, program.sizes).text;
  report.add("unknown-size", model.span, `how many parameters there are depends on the data: ${text}`, {
    hint: "give the sizes, as in params(M(V: 100)), or a train block of this model",
  });
  return undefined;
}

/** The number of entries of all trained weights, as a size. */
export function parameterCount(weights: readonly WeightSpec[]): Size {
  return weights
    .filter((weight) => weight.trained)
    .reduce((sum, weight) => addSizes(sum, entryCount(weight)), constantSize(0));
}

export function entryCount({ shape }: WeightSpec): Size {
  return shape.reduce((product, size) => multiplySizes(product, size), constantSize(1));
}

/** A size with the names that are known replaced by their numbers. */
export function knownPart(size: Size, sizes: ReadonlyMap<string, number>): Size {
  return substituteSize(size, new Map([...sizes].map(([name, value]) => [name, constantSize(value)])));
}
