import { Command, Option } from "commander";
import type { FlowLoss } from "../build/gradient-flow.ts";
import type { Modules } from "../check/modules.ts";
import { readRegime } from "../check/regime.ts";
import { writeAtomically } from "../runtime/atomic.ts";
import { DataError } from "../runtime/data/error.ts";
import { type FlowReport, measureFlow } from "../runtime/gradient-flow.ts";
import { readModules } from "../runtime/source.ts";
import { readWeights } from "../runtime/weights.ts";
import type { Expression } from "../syntax/tree.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { chosenBlock } from "./block.ts";
import { flowCharts, flowText, lossText } from "./diagnose-text.ts";
import { lineCharts } from "./line-chart.ts";
import { modelWith, withSettings } from "./model-option.ts";
import { collect, commaList, memoryOption, SET_HELP, targetOption, threadsOption, wholeNumber } from "./options.ts";
import { addPassOptions } from "./pass-options.ts";
import { startTarget, type TargetOptions } from "./start-target.ts";
import { print, talk } from "./terminal.ts";

interface Options extends TargetOptions {
  readonly model?: readonly string[];
  readonly train?: string;
  readonly loss: string;
  readonly values?: readonly string[];
  readonly split?: readonly string[];
  readonly weights?: string;
  readonly set?: readonly string[];
  readonly seed: number;
  readonly length?: number;
  readonly batch: number;
  readonly out?: string;
  readonly json?: boolean;
}

export function diagnoseCommand(): Command {
  const command = new Command()
    .argument("<file>", "the .seq file")
    .option(
      "--model <model>",
      "the model, as M or M(H: 8); several are compared: may be repeated (usually all of the file)",
      collect,
    )
    .option(
      "--train <name>",
      "take the first batch, and the whole loss, of this train block; without it inputs are random",
    )
    .option(
      "--loss <what>",
      "what is differentiated: last (the loss of the last step), whole, or a number of the model",
      "last",
    )
    .option("--values <names>", "inputs and named values to differentiate by, beside the states: x,y", commaList)
    .option(
      "--split <parts>",
      "weights whose gradient is split by the step that reads them: cell.U,cell.W.i",
      commaList,
    )
    .option("--weights <file>", "weights: safetensors, a checkpoint or the folder of a run (usually drawn by the seed)")
    .option("--set <name=value>", SET_HELP, collect)
    .addOption(
      new Option("--seed <n>", "draws weights, inputs and all else that is random")
        .argParser(wholeNumber(0))
        .default(0),
    )
    .option("--length <n>", "how long random sequences are (usually 100)", wholeNumber(1))
    .addOption(new Option("--batch <n>", "how many random examples").argParser(wholeNumber(1)).default(8))
    .option("--out <file>", "draw the norms: an SVG picture")
    .option("--json", "print one JSON object")
    .addOption(targetOption())
    .addOption(threadsOption())
    .addOption(memoryOption())
    .action(action(diagnose));
  return addPassOptions(command);
}

async function diagnose(context: Context, file: string, options: Options): Promise<number> {
  const { report } = context;
  if (options.out !== undefined && !options.out.endsWith(".svg"))
    throw new DataError(`--out ${options.out}: the picture is SVG`, { hint: "as in --out gradients.svg" });
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules === undefined || report.hasErrors) return EXIT.user;
  const block = options.train === undefined ? undefined : chosenBlock(modules, "train", options.train);
  const regime = block === undefined ? undefined : readRegime(block, report);
  const models = chosenModels(context, modules, options, regime?.model);
  const weights = options.weights === undefined ? undefined : await readWeights(options.weights);
  if (models === undefined || report.hasErrors) return EXIT.user;
  const wants = {
    loss: lossOf(context, options.loss),
    values: (options.values ?? []).map((name) => said(context, "--values ", name)),
    split: options.split ?? [],
  };
  const { seed, batch, length } = options;
  const found: FlowReport[] = [];
  for (const model of models) {
    const request = { modules, model, wants, regime, weights, seed, batch, length };
    const measured = await measureFlow(request, () => startTarget(options), report);
    if (measured === undefined) return EXIT.user;
    found.push(measured);
  }
  for (const one of found) warn(one, options);
  if (options.out !== undefined) {
    await writeAtomically(options.out, [new TextEncoder().encode(lineCharts(flowCharts(found, options.loss)))]);
  }
  if (options.json === true) print(JSON.stringify({ loss: lossText(options.loss), models: found }));
  else print(found.map((one) => flowText(one, options.loss)).join("\n\n"));
  return EXIT.fine;
}

/** The models that options name, else the train block's, else all of the file. */
function chosenModels(
  context: Context,
  modules: Modules,
  { model: texts = [], set = [] }: Options,
  trained: Expression | undefined,
): readonly Expression[] | undefined {
  const named = texts.map((text) => modelWith(context, modules, { text, label: "--model ", set }));
  if (named.length > 0) return whole(named);
  if (trained !== undefined) return whole([withSettings(context, modules, trained, set)]);
  const all = [...modules.entry.definitions.values()].filter(({ definitionKind }) => definitionKind === "model");
  if (all.length === 0) throw new DataError("the file has no model", { place: { file: modules.entry.file } });
  return whole(
    all.map(({ name: { span, text: name } }) =>
      withSettings(context, modules, { kind: "reference", span, name, primed: false }, set),
    ),
  );
}

function whole(models: readonly (Expression | undefined)[]): readonly Expression[] | undefined {
  const found = models.flatMap((model) => model ?? []);
  return found.length === models.length ? found : undefined;
}

function lossOf(context: Context, text: string): FlowLoss {
  return text === "last" || text === "whole" ? { kind: text } : { kind: "value", ...said(context, "--loss ", text) };
}

/** A name as it stands on the command line, for diagnostics. */
function said(context: Context, option: string, name: string) {
  const source = { file: `${option}${name}`, text: `${option}${name}` };
  remember(context, undefined, source);
  return { name, span: { file: source.file, start: option.length, end: source.text.length } };
}

function warn({ model, lines, ragged }: FlowReport, { target }: Options): void {
  const [bad] = lines.filter(({ norms }) => norms.some((norm) => !Number.isFinite(norm)));
  if (bad !== undefined) {
    const step = bad.norms.findLastIndex((norm) => !Number.isFinite(norm));
    const hint = target === "reference" ? "" : "; --target reference computes in float64";
    talk(`warning: ${model}: the gradient by ${bad.name} is not finite at step ${step}${hint}`);
  }
  const split = lines.some(({ kind }) => kind === "weight") ? " (of weights, their first steps)" : "";
  if (ragged) talk(`note: ${model}: examples differ in length; their last steps are put under each other${split}`);
}
