import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Modules } from "../check/modules.ts";
import type { Train } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import {
  type Best,
  type Checkpoint,
  loadCheckpoint,
  type Progress,
  saveCheckpoint,
  sourceHash,
  verifyValues,
} from "./checkpoint.ts";
import { DataError } from "./data/error.ts";
import type { HostArray } from "./executor.ts";
import type { Mean } from "./metrics.ts";
import type { Training } from "./prepare.ts";
import { declaredShape, type State, storable } from "./state.ts";

/** The files of one run. */
export interface RunFiles {
  readonly folder: string;
  /** The weights of the best evaluation, where the regime says what best is. */
  readonly best: string;
  /** Everything, to go on from. */
  readonly last: string;
}

export function runFiles(folder: string): RunFiles {
  return { folder, best: join(folder, "best.safetensors"), last: join(folder, "last.safetensors") };
}

/** The path that a regime saves under: its `save` clause; one that others load from is saved in any case. */
export function savePath({ entry }: Modules, train: Train): string | undefined {
  const clause = train.clauses.find((one) => one.kind === "save");
  if (clause !== undefined) return clause.to.value;
  const { text } = train.name;
  const others = entry.tree.declarations.flatMap((one) => (one.kind === "train" ? one.clauses : []));
  return others.some((one) => one.kind === "load" && "text" in one.from && one.from.text === text)
    ? `runs/${text}`
    : undefined;
}

/** Where a regime saves: what `--out` says, else its `save` clause, whose path starts at the folder of the `.seq` file. */
export function saveFolder(file: string, path: string | undefined, out: string | undefined): string | undefined {
  if (out !== undefined) return resolve(out);
  return path === undefined ? undefined : resolve(dirname(file), path);
}

/** The file of weights that a path means: itself, or the best (else the last) of a run's folder. */
export function weightsFile(path: string): string {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return path;
  const { best, last } = runFiles(path);
  const found = [best, last].find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new DataError("the folder has neither best.safetensors nor last.safetensors", {
    place: { file: path },
    hint: "give the file itself",
  });
}

/** How far training is, beside the weights. */
export interface Standing {
  readonly progress: Progress;
  /** By what `save best` watches. */
  readonly best: Best | undefined;
  /** By what `stop when` watches. */
  readonly stop: Best | undefined;
  /** The loss of the steps since the last evaluation. */
  readonly running: Mean;
}

export async function saveRun(file: string, training: Training, state: State, standing: Standing): Promise<void> {
  const { regime, modules, settings, vocabularies, sizes } = training;
  await saveCheckpoint(file, {
    ...standing,
    weights: storable(state.weights),
    optimizer: storable(state.slots),
    carried: storable(state.carries),
    seed: settings.seed,
    vocabularies,
    sizes,
    regime: regime.name,
    model: printExpression(regime.model),
    source: sourceHash(modules.entry.text),
  });
}

/** The checkpoint that a run goes on from; it must be of this regime. */
export async function openRun(file: string, regime: string): Promise<Checkpoint> {
  if (!existsSync(file)) {
    throw new DataError("there is nothing to resume from", {
      place: { file },
      hint: "the first run goes without --resume",
    });
  }
  const checkpoint = await loadCheckpoint(file);
  if (checkpoint.regime === regime) return checkpoint;
  throw new DataError(`this is a checkpoint of train ${checkpoint.regime}, not of ${regime}`, {
    place: { file },
    hint: "give another --out",
  });
}

/** The state in a checkpoint, checked against the model by name and shape. */
export function checkpointState(file: string, checkpoint: Checkpoint, training: Training): State {
  const expected = new Map(training.weights.map((spec) => [spec.name, declaredShape(spec, training.sizes)]));
  verifyValues(file, "weights", checkpoint.weights, expected);
  return { weights: checkpoint.weights, slots: checkpoint.optimizer, carries: checkpoint.carried };
}

/** The weights of the best evaluation: those in memory, else those that an earlier run has saved. */
export async function bestWeights(
  file: string | undefined,
  inMemory: ReadonlyMap<string, HostArray> | undefined,
): Promise<ReadonlyMap<string, HostArray> | undefined> {
  if (inMemory !== undefined || file === undefined || !existsSync(file)) return inMemory;
  return (await loadCheckpoint(file)).weights;
}
