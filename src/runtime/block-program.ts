import type { Report } from "../base/diagnostic.ts";
import { nearest } from "../base/nearest.ts";
import type { Program } from "../build/program.ts";
import { constantValue } from "../check/constants.ts";
import type { Modules } from "../check/modules.ts";
import { readRegime } from "../check/regime.ts";
import { compileGeneration } from "../compile/decoder.ts";
import { openSizes } from "../compile/open-sizes.ts";
import { compileForward, compileStep, cuttingOf, type Job, modelRequest, openForLoss } from "../compile/program.ts";
import { sizeNames } from "../ir/size.ts";
import type { Expression, Generate, Train } from "../syntax/tree.ts";
import { DataError } from "./data/error.ts";
import { findSizes } from "./find-sizes.ts";
import { prepareTraining } from "./prepare.ts";
import { readSettings, USUAL_BATCH } from "./settings.ts";
import { AT_START } from "./train.ts";

/** What a name of a file stands for, as something that can be run. */
export type Runnable =
  | { readonly kind: "train"; readonly block: Train; readonly model: Expression }
  | { readonly kind: "generate"; readonly block: Generate; readonly model: Expression }
  | { readonly kind: "model"; readonly model: Expression };

/** What is said instead of what the block and its data say. */
export interface Given {
  readonly batch?: number | undefined;
  /** Of every `time`. */
  readonly length?: number | undefined;
  /** By name: `B`, times. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** Whether a train block's data may be read; usually so. */
  readonly data?: boolean;
  /** Sizes of weights that are known otherwise. */
  readonly known?: ReadonlyMap<string, number>;
}

/** A program and sizes to look at it with: those of the largest batch of the data, those that are given, else usual ones. */
export interface BoundProgram {
  readonly program: Program;
  /** Every name that the program has. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Names whose size nothing says. */
  readonly guessed: readonly string[];
}

/** How long a `time` is where nothing says it. */
const USUAL_LENGTH = 100;

/** The block or model of that name; without a name, the only train block, else the only model. */
export function findRunnable({ entry }: Modules, name: string | undefined): Runnable {
  const found = entry.tree.declarations.flatMap((one): readonly Runnable[] => {
    if (one.kind === "train") return [{ kind: one.kind, block: one, model: one.model }];
    return one.kind === "generate" ? [{ kind: one.kind, block: one, model: one.model }] : [];
  });
  const models = [...entry.definitions.values()].flatMap((one): readonly Runnable[] =>
    one.definitionKind === "model"
      ? [{ kind: "model", model: { kind: "reference", span: one.name.span, name: one.name.text, primed: false } }]
      : [],
  );
  const all = [...found, ...models];
  const trains = found.filter(({ kind }) => kind === "train");
  const usual = trains.length > 0 ? trains : models;
  const place = { file: entry.file };
  if (name === undefined) {
    const [only, ...more] = usual;
    if (only === undefined) throw new DataError("the file has no model", { place });
    if (more.length === 0) return only;
    throw new DataError(`the file has several ${only.kind === "train" ? "train blocks" : "models"}`, {
      place,
      hint: `name one: ${usual.map(runnableName).join(", ")}`,
    });
  }
  const match = all.find((one) => runnableName(one) === name);
  if (match !== undefined) return match;
  const near = nearest(name, all.map(runnableName));
  throw new DataError(`the file has no train block, generate block or model ${name}`, {
    place,
    hint: near === undefined ? `it has ${all.map(runnableName).join(", ")}` : `did you mean ${near}?`,
  });
}

export function runnableName(runnable: Runnable): string {
  if (runnable.kind !== "model") return runnable.block.name.text;
  return runnable.model.kind === "reference" ? runnable.model.name : "";
}

/** The program that a block or model is run by. Mistakes of the file are reported; data that cannot be read counts for nothing. */
export async function bindRunnable(
  modules: Modules,
  runnable: Runnable,
  given: Given,
  report: Report,
): Promise<BoundProgram | undefined> {
  const made = await makeProgram(modules, runnable, given, report);
  if (made === undefined || report.hasErrors) return undefined;
  const { program } = made;
  const [open] = openSizes(program).filter((name) => !made.sizes.has(name));
  if (open !== undefined) {
    throw new DataError(`the size ${open} is not known`, {
      hint: `give --set ${open}=..., or data that can be read`,
      span: runnable.model.span,
    });
  }
  const sizes = new Map(made.sizes);
  const times = new Set(program.inputs.flatMap((input) => input.times.flatMap((time) => time ?? [])));
  if (given.batch !== undefined) sizes.set("B", given.batch);
  if (given.length !== undefined) for (const time of times) sizes.set(time, given.length);
  for (const [name, size] of given.sizes ?? []) {
    if (!namesOf(program).has(name)) {
      throw new DataError(`${runnableName(runnable)} has no size ${name} to be bound`, {
        hint: `it has ${[...namesOf(program)].join(", ")}`,
        span: runnable.model.span,
      });
    }
    sizes.set(name, size);
  }
  const guessed = [...namesOf(program)].filter((name) => !sizes.has(name));
  for (const name of guessed) sizes.set(name, name === "B" ? USUAL_BATCH : USUAL_LENGTH);
  return { program, sizes: inOrder(sizes, namesOf(program)), guessed };
}

/** The batch first, then what varies, then what is known while compiling. */
function inOrder(sizes: ReadonlyMap<string, number>, names: ReadonlySet<string>): ReadonlyMap<string, number> {
  const wanted = ["B", ...[...names].filter((name) => name !== "B"), ...sizes.keys()];
  return new Map(wanted.flatMap((name) => (sizes.has(name) ? [[name, sizes.get(name) ?? 0] as const] : [])));
}

/** The names of sizes that a program is bound with. */
function namesOf({ graph, sizes }: Program): ReadonlySet<string> {
  const names = graph.params.flatMap(({ type }) => type.axes.flatMap((axis) => [...sizeNames(axis.size)]));
  return new Set(names.filter((name) => !sizes.has(name)));
}

interface Made {
  readonly program: Program;
  readonly sizes: ReadonlyMap<string, number>;
}

function makeProgram(modules: Modules, runnable: Runnable, given: Given, report: Report): Promise<Made | undefined> {
  switch (runnable.kind) {
    case "train":
      return trainingStep(modules, runnable, given, report);
    case "generate":
      return decoder(modules, runnable, report);
    case "model":
      return forward(modules, runnable, report);
    default:
      return runnable satisfies never;
  }
}

async function trainingStep(
  modules: Modules,
  { block, model }: Extract<Runnable, { readonly kind: "train" }>,
  { data = true, known = new Map() }: Given,
  report: Report,
): Promise<Made | undefined> {
  const regime = { ...readRegime(block, report), model };
  const settings = readSettings(regime, {}, report);
  if (settings === undefined || report.hasErrors) return undefined;
  const training = data ? await prepareTraining(modules, regime, {}, report).catch(withoutData) : undefined;
  if (training !== undefined) {
    return {
      program: training.step(training.turn(AT_START.progress)),
      sizes: new Map([...training.sizes, ...training.largest]),
    };
  }
  if (report.hasErrors) return undefined;
  const { batch, bptt } = settings;
  const job: Job = { ...openJob(modules, report), sizes: known, dense: bptt !== undefined };
  const program = compileStep(job, regime, new Set());
  const sizes = new Map(batch.unit === "examples" ? [["B", batch.size]] : []);
  const request = bptt === undefined ? undefined : modelRequest(job, model);
  if (request !== undefined && bptt !== undefined) {
    const { times, overlap } = cuttingOf(openForLoss(request));
    for (const time of times) sizes.set(time, bptt + overlap);
  }
  return program && { program, sizes: new Map([...program.sizes, ...sizes]) };
}

function withoutData(error: unknown): undefined {
  if (error instanceof DataError) return undefined;
  throw error;
}

async function decoder(
  modules: Modules,
  { block, model }: Extract<Runnable, { readonly kind: "generate" }>,
  report: Report,
): Promise<Made | undefined> {
  const sizes = await findSizes(modules, model, undefined);
  const made = compileGeneration({ ...openJob(modules, report), sizes, dense: true }, { ...block, model });
  if (made === undefined) return undefined;
  const numberOf = (option: "max" | "count"): number | undefined => {
    const value = made.options.get(option);
    const number = value === undefined ? undefined : constantValue(value);
    return typeof number === "number" ? number : undefined;
  };
  const max = numberOf("max");
  const emitted = made.program.inputs.filter((input) => input.emitted);
  const times = emitted.flatMap((input) => input.times.flatMap((time) => time ?? []));
  const bound = new Map([...made.program.sizes, ["B", numberOf("count") ?? 1] as const]);
  if (max !== undefined) for (const time of times) bound.set(time, max);
  return { program: made.program, sizes: bound };
}

async function forward(
  modules: Modules,
  { model }: Extract<Runnable, { readonly kind: "model" }>,
  report: Report,
): Promise<Made | undefined> {
  const sizes = await findSizes(modules, model, undefined);
  const program = compileForward({ ...openJob(modules, report), sizes }, model, { values: [], gradients: false });
  return program && { program, sizes: program.sizes };
}

function openJob(modules: Modules, report: Report): Job {
  return { modules, sizes: new Map(), dense: false, report };
}
