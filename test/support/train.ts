import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { renderDiagnostic } from "../../src/base/render.ts";
import { createReport } from "../../src/base/report.ts";
import { readRegime } from "../../src/check/regime.ts";
import { prepareTraining, type Training } from "../../src/runtime/prepare.ts";
import { readModules } from "../../src/runtime/source.ts";
import { firstWeights } from "../../src/runtime/state.ts";
import { TARGETS, type TargetName } from "../../src/runtime/targets.ts";
import { AT_START, type Outcome, train } from "../../src/runtime/train.ts";
import type { WeightFile } from "../../src/runtime/weights.ts";

export interface TrainOptions {
  readonly regime?: string;
  readonly target?: TargetName;
  readonly steps?: number;
  readonly seed?: number;
  /** Outcomes of earlier regimes, by name. */
  readonly earlier?: Readonly<Record<string, Trained>>;
}

export interface Trained {
  readonly training: Training;
  readonly outcome: Outcome;
  /** The loss of each step. */
  readonly losses: readonly number[];
}

/** Writes files to a folder of their own, removed after the tests of a file; the first is the program. */
export function filesIn(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "seqc-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return join(folder, Object.keys(files)[0] ?? "");
}

/** Reads a regime's data and compiles it. Throws the diagnostics where the file has mistakes. */
export async function prepared(
  file: string,
  { regime: name, steps, seed, earlier = {} }: TrainOptions = {},
): Promise<Training> {
  const report = createReport();
  const modules = readModules(file, report);
  const block = modules?.entry.tree.declarations.find(
    (one) => one.kind === "train" && (name === undefined || one.name.text === name),
  );
  const regime = block?.kind === "train" ? readRegime(block, report) : undefined;
  const training =
    modules === undefined || regime === undefined || report.hasErrors
      ? undefined
      : await prepareTraining(modules, regime, { steps, seed, earlier: weightFiles(earlier) }, report);
  if (training !== undefined && !report.hasErrors) return training;
  const sources = new Map([...(modules?.all ?? [])].map(([path, module]) => [path, module.text]));
  throw new Error(report.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, sources)).join("\n\n"));
}

function weightFiles(earlier: Readonly<Record<string, Trained>>): ReadonlyMap<string, WeightFile> {
  return new Map(
    Object.entries(earlier).map(([name, { training, outcome }]) => {
      const { sizes, vocabularies } = training;
      return [name, { file: name, weights: outcome.state.weights, trained: { model: name, sizes, vocabularies } }];
    }),
  );
}

/** Trains a regime to its end in memory. */
export async function trained(file: string, options: TrainOptions = {}): Promise<Trained> {
  return trainedOn(await prepared(file, options), options.target ?? "reference");
}

/** The same for one that is prepared already. */
export async function trainedOn(training: Training, target: TargetName): Promise<Trained> {
  const executor = await TARGETS[target].start();
  const weights = firstWeights(training);
  const losses: number[] = [];
  const outcome = await train(
    training,
    executor,
    { state: { weights, slots: new Map(), carries: new Map() }, standing: AT_START },
    {
      step: async (_, loss) => {
        losses.push(loss);
      },
      evaluated: async () => {},
      keep: async () => {},
      wants: () => ({ end: false, keep: false }),
    },
  );
  return { training, outcome, losses };
}
