import { describe, expect, test } from "vitest";
import { readRegime } from "../../src/check/regime.ts";
import { prepareTraining, type Training } from "../../src/runtime/prepare.ts";
import type { TrainClause } from "../../src/syntax/tree.ts";
import { printExpression } from "../../src/syntax/walk.ts";
import { openJob, renderFindings } from "../support/compile.ts";
import { trainedOn } from "../support/train.ts";
import { type Sketch, sketches, withHidden } from "./sketches.ts";

/** Fewer data, and no measuring: a regime whose steps count. */
const QUICK: readonly (readonly [RegExp, string])[] = [
  [/^ +(val|test|save|stop|report|batch|for|load) .*\n/gm, ""],
  [/^train (.*)\n/gm, "train $1\n  batch 2\n  for 2 steps\n"],
  [/part: "train"/g, 'part: "train", every: 500'],
  [/"train"/g, '"t10k"'],
  [/count: [\d_]+/g, "count: 12"],
  [/length: 200/g, "length: 30"],
];

/** Every example model as it is trained, its data read, a few examples of it, made small: two steps on both. */
describe("the first steps on real data: WebAssembly and the interpreter", () => {
  for (const sketch of sketches()) {
    for (const name of regimesOf(sketch)) {
      test(`${sketch.name}: ${name}`, async () => {
        const training = await quick(sketch, name);
        const [expected, found] = [await trainedOn(training, "reference"), await trainedOn(training, "wasm")];
        expect(expected.losses.length).toBe(2);
        found.losses.forEach((loss, step) => {
          const wanted = expected.losses[step] ?? Number.NaN;
          expect(Math.abs(loss - wanted) / Math.max(1, Math.abs(wanted)), `${loss} for ${wanted}`).toBeLessThan(1e-4);
        });
      });
    }
  }
});

function regimesOf({ file, source, model, example }: Sketch): readonly string[] {
  if (!example) return [];
  const { tree } = openJob(source, { file }).modules.entry;
  return tree.declarations.flatMap((one) => {
    if (one.kind !== "train" || one.clauses.some(isHosted)) return [];
    const name = one.model.kind === "call" ? one.model.callee : one.model;
    return name.kind === "reference" && name.name === model ? [one.name.text] : [];
  });
}

/** `data ... = host()`: the program that trains has the data (test/models/dqn.test.ts). */
function isHosted(clause: TrainClause): boolean {
  return clause.kind === "data" && printExpression(clause.reader) === "host()";
}

async function quick({ file, source, model, free, setting }: Sketch, name: string): Promise<Training> {
  const small = QUICK.reduce((text, [from, to]) => text.replace(from, to), withHidden(source, setting));
  const sizes = Object.entries(free).map(([size, value]) => `${size}: ${value}`);
  const text = small.replace(new RegExp(`^train ${name} of ${model}(?:\\((.*)\\))? `, "m"), (_, given = "") => {
    const others = given.split(", ").filter((one: string) => one !== "" && free[one.split(":")[0] ?? ""] === undefined);
    return `train ${name} of ${model}(${[...others, ...sizes].join(", ")}) `;
  });
  const job = openJob(text, { file });
  const block = job.modules.entry.tree.declarations.find((one) => one.kind === "train" && one.name.text === name);
  const regime = block?.kind === "train" ? readRegime(block, job.report) : undefined;
  const training = regime && (await prepareTraining(job.modules, regime, { seed: 1 }, job.report));
  if (training === undefined || job.report.hasErrors) throw new Error(`${text}\n${renderFindings(job)}`);
  return training;
}
