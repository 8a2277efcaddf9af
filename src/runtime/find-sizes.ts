import { createReport } from "../base/report.ts";
import type { Program } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import { readRegime } from "../check/regime.ts";
import { openSizes } from "../compile/open-sizes.ts";
import { compileForward } from "../compile/program.ts";
import { modelName } from "../syntax/model-name.ts";
import type { Expression, Train } from "../syntax/tree.ts";
import { sizesFromWeights, type WeightFile } from "./weights.ts";

/** The `train` blocks of a model, whatever its arguments. */
export function trainBlocks(modules: Modules, model: Expression): readonly Train[] {
  const name = modelName(model);
  return modules.entry.tree.declarations.filter(
    (one): one is Train => one.kind === "train" && modelName(one.model) === name,
  );
}

/**
 * The sizes of a model: its defaults and arguments, then those that weights have, else those of the data of its `train` block. Sizes that
 * stay open are not in the result. Data that cannot be read counts for nothing here.
 */
export async function findSizes(
  modules: Modules,
  model: Expression,
  weights: WeightFile | undefined,
): Promise<ReadonlyMap<string, number>> {
  return (await sizedForward(modules, model, weights)).sizes;
}

/** The same, with the model's forward program where these sizes are all that it was compiled with. */
export async function sizedForward(
  modules: Modules,
  model: Expression,
  weights: WeightFile | undefined,
): Promise<{ readonly sizes: ReadonlyMap<string, number>; readonly forward?: Program }> {
  const quiet = createReport();
  const job = { modules, sizes: weights?.trained?.sizes ?? new Map<string, number>(), dense: false, report: quiet };
  const program = compileForward(job, model, { values: [], gradients: false });
  if (program === undefined) return { sizes: new Map() };
  if (weights !== undefined) {
    return { sizes: sizesFromWeights(program.weights, weights, program.sizes, new Set()) };
  }
  const [block] = trainBlocks(modules, model);
  if (openSizes(program).length === 0 || block === undefined) return { sizes: program.sizes, forward: program };
  const regime = { ...readRegime(block, quiet), model };
  if (quiet.hasErrors) return { sizes: program.sizes };
  // Loaded only where data decides: most models have all their sizes.
  const { readTraining } = await import("./prepare.ts");
  const training = await readTraining(modules, regime, {}, quiet).catch(() => undefined);
  return { sizes: new Map([...program.sizes, ...(training?.data.sizes ?? [])]) };
}
