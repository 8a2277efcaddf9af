import { Command } from "commander";
import { emissionsOf, summarizeModel, typeText } from "../api/summary.ts";
import { createReport } from "../base/report.ts";
import type { Program, WeightSpec } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import { amount } from "../compile/explain-text.ts";
import { entryCount, knownPart, parameterCount } from "../compile/parameter-count.ts";
import { compileForward, modelRequest } from "../compile/program.ts";
import { evaluateSize, type Size } from "../ir/size.ts";
import { bindRunnable } from "../runtime/block-program.ts";
import { DataError } from "../runtime/data/error.ts";
import { explainProgram } from "../runtime/explain.ts";
import { findSizes, trainBlocks } from "../runtime/find-sizes.ts";
import { readModules } from "../runtime/source.ts";
import { readWeights } from "../runtime/weights.ts";
import type { Definition, Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { modelWith } from "./model-option.ts";
import { collect, SET_HELP, wholeNumber } from "./options.ts";
import { print } from "./terminal.ts";

interface Options {
  readonly set?: readonly string[];
  readonly weights?: string;
  readonly data?: boolean;
  readonly batch?: number;
  readonly length?: number;
  readonly json?: boolean;
}

export function summaryCommand(): Command {
  return new Command()
    .argument("<file>", "the .seq file")
    .argument("[model]", "the model, as M or M(H: 8), where not all are to be shown")
    .option("--set <name=value>", SET_HELP, collect)
    .option("--data", "read the data of the model's train block, for the sizes that it decides")
    .option("--weights <file>", "take the sizes that these weights have")
    .option("--batch <n>", "count a step's memory for so many examples", wholeNumber(1))
    .option("--length <n>", "count it for sequences of so many positions", wholeNumber(1))
    .option("--json", "print a JSON object for each model")
    .action(action(summary));
}

async function summary(context: Context, file: string, model: string | undefined, options: Options): Promise<number> {
  const { report } = context;
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules === undefined || report.hasErrors) return EXIT.user;
  const names = model === undefined ? modelNames(modules) : [model];
  const shown: string[] = [];
  for (const name of names) {
    const expression = modelWith(context, modules, { text: name, label: "summary of ", set: options.set ?? [] });
    const found = expression === undefined ? undefined : await summarize(context, modules, expression, options);
    if (found !== undefined) shown.push(options.json === true ? JSON.stringify(asJson(found)) : asText(found));
  }
  if (report.hasErrors) return EXIT.user;
  print(shown.join(options.json === true ? "\n" : "\n\n"));
  return EXIT.fine;
}

function modelNames({ entry }: Modules): readonly string[] {
  const models = [...entry.definitions.values()].filter(({ definitionKind }) => definitionKind === "model");
  if (models.length > 0) return models.map(({ name }) => name.text);
  throw new DataError("the file has no model", { place: { file: entry.file } });
}

interface Summary {
  readonly title: string;
  readonly definition: Definition;
  readonly program: Program;
  readonly sizes: ReadonlyMap<string, number>;
  readonly peaks: readonly Peak[];
}

/** What a training step of a train block takes. */
interface Peak {
  readonly train: string;
  readonly bytes: number;
  /** The largest batch, its longest times. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Names of them that nothing says. */
  readonly guessed: readonly string[];
}

async function summarize(
  { report }: Context,
  modules: Modules,
  model: Expression,
  options: Options,
): Promise<Summary | undefined> {
  const job = { modules, sizes: new Map<string, number>(), dense: false, report };
  const definition = modelRequest(job, model)?.definition;
  const program = definition && compileForward(job, model, { values: [], gradients: false });
  if (program === undefined || definition === undefined) return undefined;
  const weights = options.weights === undefined ? undefined : await readWeights(options.weights);
  const found = weights !== undefined || options.data === true ? await findSizes(modules, model, weights) : new Map();
  const sizes = new Map([...program.sizes, ...found]);
  const peaks = await peaksOf(modules, model, found, options);
  return { title: printExpression(model), definition, program, sizes, peaks };
}

/** Of the model's train blocks, at the sizes of their data or those that are given; a block whose weights' sizes stay open is left out. */
async function peaksOf(
  modules: Modules,
  model: Expression,
  known: ReadonlyMap<string, number>,
  { batch, length, data = false }: Options,
): Promise<readonly Peak[]> {
  const peaks: Peak[] = [];
  for (const block of trainBlocks(modules, model)) {
    const quiet = createReport();
    const train = model.kind === "call" ? model : block.model;
    const given = { batch, length, data, known };
    const bound = await bindRunnable(modules, { kind: "train", block, model: train }, given, quiet).catch(withoutSizes);
    if (bound === undefined) continue;
    const { memory, sizes } = explainProgram(bound.program, bound.sizes);
    peaks.push({ train: block.name.text, bytes: memory.bytes, sizes, guessed: bound.guessed });
  }
  return peaks;
}

function withoutSizes(error: unknown): undefined {
  if (error instanceof DataError) return undefined;
  throw error;
}

function asText({ title, definition, program, sizes, peaks }: Summary): string {
  const parts = partsOf(definition, program.weights);
  const rows = parts.flatMap(({ name, made, weights }) => [
    [made === undefined ? name : `${name} = ${made}`, "", "", ""],
    ...weights.map((weight) => [
      `  ${weight.name}${weight.trained ? "" : "  (not trained)"}`,
      `[${weight.shape.map(({ text }) => text).join(", ")}]`,
      `[${weight.shape.map((size) => numberText(size, sizes)).join(", ")}]`,
      numberText(entryCount(weight), sizes),
    ]),
  ]);
  const inputs = program.inputs.filter(({ emitted, name }) => !emitted || isInput(definition, name));
  return [
    title,
    ...(definition.doc === undefined ? [] : definition.doc.split("\n").map((line) => `  ${line}`)),
    "",
    ...inputs.map((spec) => `in    ${spec.name}: ${typeText(spec)}`),
    ...emissionsOf(definition).map((text) => `emit  ${text}`),
    ...(sizes.size === 0 ? [] : [`sizes ${[...sizes].map(([name, value]) => `${name} = ${value}`).join(", ")}`]),
    "",
    ...table(rows),
    "",
    `${numberText(parameterCount(program.weights), sizes)} parameters`,
    ...peaks.map(peakText),
  ].join("\n");
}

/** `peak of lm: 1.0 MB at B = 32, T = 100 (a guess)` */
function peakText({ train, bytes, sizes, guessed }: Peak): string {
  const shown = Object.entries(sizes).map(
    ([name, size]) => `${name} = ${size}${guessed.includes(name) ? " (a guess)" : ""}`,
  );
  return `peak of ${train}: ${amount(bytes, "B")} at ${shown.join(", ")}`;
}

function asJson({ title, definition, program, sizes, peaks }: Summary): object {
  const { parametersText, ...facts } = summarizeModel(definition, program, { title, sizes });
  return { ...facts, peaks, parametersText };
}

interface Part {
  readonly name: string;
  /** `LSTM(E, H)`; undefined for the model's own weights. */
  readonly made: string | undefined;
  readonly weights: readonly WeightSpec[];
}

/** Weights by the instance of the model that they belong to; instances without weights are shown too. */
function partsOf(definition: Definition, weights: readonly WeightSpec[]): readonly Part[] {
  const uses = definition.items.flatMap((item) => (item.kind === "use" ? item.uses : []));
  const parts = uses.map(({ name, of, repeat }): Part => {
    const count =
      repeat === undefined ? "" : `${repeat.share ? "share" : "stack"} ${printExpression(repeat.count)} of `;
    const own = weights.filter((weight) => weight.name.startsWith(`${name.text}.`));
    return { name: name.text, made: `${count}${printExpression(of)}`, weights: own };
  });
  const own = weights.filter((weight) => !parts.some((part) => part.weights.includes(weight)));
  return own.length === 0 ? parts : [...parts, { name: definition.name.text, made: undefined, weights: own }];
}

function isInput(definition: Definition, name: string): boolean {
  return definition.items.some((item) => item.kind === "in" && item.names.some((typed) => typed.name.text === name));
}

function numberText(size: Size, sizes: ReadonlyMap<string, number>): string {
  return evaluateSize(size, sizes)?.toLocaleString("en") ?? knownPart(size, sizes).text;
}

/** Columns as wide as their widest entry; the last one flush right. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(0, ...rows.filter((row) => row[3] !== "").map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 3 ? cell.padStart(widths[3] ?? 0) : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
