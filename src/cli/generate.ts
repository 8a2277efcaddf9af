import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import type { Modules } from "../check/modules.ts";
import { readOuterExpression, splitSetting } from "../runtime/arguments.ts";
import { DataError } from "../runtime/data/error.ts";
import { generate, type Sample } from "../runtime/generate.ts";
import { readModules } from "../runtime/source.ts";
import { readWeights, type WeightFile } from "../runtime/weights.ts";
import type { Expression, Generate, GenerateClause } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { chosenBlock } from "./block.ts";
import { collect, memoryOption, targetOption, threadsOption, wholeNumber } from "./options.ts";
import { addPassOptions } from "./pass-options.ts";
import { startTarget, type TargetOptions } from "./start-target.ts";
import { print, talk } from "./terminal.ts";

interface Options extends TargetOptions {
  readonly weights?: string;
  readonly input?: readonly string[];
  readonly prompt?: string;
  readonly max?: number;
  readonly count?: number;
  readonly seed?: number;
  readonly json?: boolean;
}

export function generateCommand(): Command {
  const command = new Command()
    .argument("<file>", "the .seq file")
    .argument("[name]", "the generate block, where there are several")
    .option("--weights <file>", "a checkpoint, the folder of a run, or safetensors; usually what a train block saved")
    .option("--input <name=value>", "give an input another value: --input word=hello; may be repeated", collect)
    .option("--prompt <text>", "begin with this text")
    .option("--max <n>", "generate at most so many positions", wholeNumber(1))
    .option("--count <n>", "generate so many examples", wholeNumber(1))
    .option("--seed <n>", "draw by this seed", wholeNumber(0))
    .option("--json", "print a JSON object for each example")
    .addOption(targetOption())
    .addOption(threadsOption())
    .addOption(memoryOption())
    .action(action(generateFile));
  return addPassOptions(command);
}

async function generateFile(
  context: Context,
  file: string,
  name: string | undefined,
  options: Options,
): Promise<number> {
  const { report } = context;
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules === undefined || report.hasErrors) return EXIT.user;
  const block = chosenBlock(modules, "generate", name);
  const weights = await readWeights(options.weights ?? savedWeights(modules, block));
  if (options.weights === undefined) talk(`with the weights of ${weights.file}`);
  const model = trainedModel(context, block, weights);
  const given = (options.input ?? []).map((text) => inputSetting(context, text));
  const inputs = new Map(given.map(({ name, value }) => [name, { text: value }]));
  const { prompt, max, count, seed } = options;
  const own = block.clauses.filter((clause) => clause.kind !== "set" || !inputs.has(clause.name.text));
  const clauses = [...own, ...given.map(({ clause }) => clause)];
  const request = { modules, block: { ...block, model, clauses }, weights, inputs, prompt, max, count, seed };
  const samples = await generate(request, () => startTarget(options), report);
  if (samples === undefined) return EXIT.user;
  for (const sample of samples) print(options.json === true ? JSON.stringify(sample) : sampleText(sample));
  return EXIT.fine;
}

/** What the train blocks of the same model have saved: the first that is there. */
function savedWeights(modules: Modules, block: Generate): string {
  const folder = dirname(resolve(modules.entry.file));
  const blocks = modules.entry.tree.declarations.flatMap((one) => {
    if (one.kind !== "train" || nameOf(one.model) !== nameOf(block.model)) return [];
    return one.clauses.flatMap((clause) =>
      clause.kind === "save" ? [{ name: one.name.text, path: resolve(folder, clause.to.value) }] : [],
    );
  });
  const found = blocks.find(({ path }) => existsSync(path));
  if (found !== undefined) return found.path;
  const [first] = blocks;
  throw new DataError(
    first === undefined ? "no weights are given, and no train block of the file saves any" : "there are no weights yet",
    {
      hint:
        first === undefined
          ? "give --weights"
          : `seqc train ${modules.entry.file} ${first.name} makes them, or give --weights`,
    },
  );
}

/** The model as it was trained, `--set` included; the block's own where the weights do not say. */
function trainedModel(context: Context, block: Generate, { trained, file }: WeightFile): Expression {
  if (trained === undefined) return block.model;
  const read = readOuterExpression("weights of ", trained.model, context.report);
  if (read === undefined) return block.model;
  remember(context, undefined, read.source);
  if (nameOf(read.expression) === nameOf(block.model)) return read.expression;
  throw new DataError(`these are weights of ${trained.model}, not of ${printExpression(block.model)}`, {
    place: { file },
  });
}

function nameOf(model: Expression): string {
  return printExpression(model.kind === "call" ? model.callee : model);
}

interface Setting {
  readonly name: string;
  readonly value: string;
  /** As if the block said it. */
  readonly clause: Extract<GenerateClause, { kind: "set" }>;
}

function inputSetting(context: Context, text: string): Setting {
  const setting = splitSetting(text);
  if (setting === undefined)
    throw new DataError(`--input ${text} is not NAME=VALUE`, { hint: "as in --input word=hello" });
  const source = { file: `--input ${text}`, text: `--input ${text}` };
  remember(context, undefined, source);
  const { name, value } = setting;
  const span = { file: source.file, start: source.text.indexOf(name, "--input ".length), end: source.text.length };
  const literal: Expression = { kind: "string", span, value };
  const nameSpan = { ...span, end: span.start + name.length };
  return { name, value, clause: { kind: "set", span, name: { span: nameSpan, text: name }, value: literal } };
}

/** One text stands for itself; everything else is JSON. */
function sampleText(sample: Sample): string {
  const [only, ...more] = Object.values(sample);
  return typeof only === "string" && more.length === 0 ? only : JSON.stringify(sample);
}
