import { Command } from "commander";
import type { Report } from "../base/diagnostic.ts";
import type { Modules } from "../check/modules.ts";
import { type Regime, readRegime } from "../check/regime.ts";
import { writeAtomically } from "../runtime/atomic.ts";
import { DataError } from "../runtime/data/error.ts";
import { type RunOutput, runModel } from "../runtime/run-model.ts";
import { encodeTensors, readTensors, type WritableTensor } from "../runtime/safetensors.ts";
import { readModules } from "../runtime/source.ts";
import { readWeights } from "../runtime/weights.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { modelWith } from "./model-option.ts";
import { collect, commaList, memoryOption, SET_HELP, targetOption, threadsOption, wholeNumber } from "./options.ts";
import { addPassOptions } from "./pass-options.ts";
import { startTarget, type TargetOptions } from "./start-target.ts";
import { print } from "./terminal.ts";

interface Options extends TargetOptions {
  readonly model: string;
  readonly weights: string;
  readonly inputs: string;
  readonly outputs: string;
  readonly values?: readonly string[];
  readonly grads?: boolean;
  readonly loss?: string;
  readonly set?: readonly string[];
  readonly training?: number;
}

export function runCommand(): Command {
  const command = new Command()
    .argument("<file>", "the .seq file")
    .requiredOption("--model <model>", "the model, as M or M(H: 8)")
    .requiredOption("--weights <file>", "its weights: safetensors, a checkpoint or the folder of a run")
    .requiredOption("--inputs <file>", "its inputs, and what it emits where a loss is wanted: safetensors, batch first")
    .requiredOption("--outputs <file>", "where to write the results: safetensors")
    .option("--values <names>", "named values of the model to write too: a,b", commaList)
    .option("--grads", "write the gradient of the loss by every weight, under the weight's name")
    .option("--loss <train>", "take the loss of this train block instead of the sum of all nll")
    .option("--set <name=value>", SET_HELP, collect)
    .option("--training <seed>", "as in training: dropout and noise at work, drawn by this seed", wholeNumber(0))
    .addOption(targetOption("reference"))
    .addOption(threadsOption())
    .addOption(memoryOption())
    .action(action(run));
  return addPassOptions(command);
}

async function run(context: Context, file: string, options: Options): Promise<number> {
  const { report } = context;
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules === undefined || report.hasErrors) return EXIT.user;
  const weights = await readWeights(options.weights);
  const model = modelWith(context, modules, { text: options.model, label: "--model ", set: options.set ?? [] });
  const regime = options.loss === undefined ? undefined : findRegime(modules, options.loss, report);
  const values = (options.values ?? []).map((name) => {
    const source = { file: `--values ${name}`, text: `--values ${name}` };
    remember(context, undefined, source);
    return { name, span: { file: source.file, start: "--values ".length, end: source.text.length } };
  });
  if (model === undefined || report.hasErrors) return EXIT.user;
  const { tensors } = await readTensors(options.inputs);
  const results = await runModel(
    {
      modules,
      model,
      regime,
      values,
      gradients: options.grads === true,
      training: options.training,
      weights,
      inputs: { file: options.inputs, tensors },
    },
    () => startTarget(options),
    report,
  );
  if (results === undefined) return EXIT.user;
  const stored = new Map([...results].map(([name, output]) => [name, storedOutput(output)]));
  const metadata = new Map([
    ["format", "seqc run 1"],
    ["model", options.model],
    ["target", options.target],
  ]);
  await writeAtomically(options.outputs, encodeTensors(stored, metadata));
  const loss = results.get("loss")?.data[0];
  const shapes = Object.fromEntries([...results].map(([name, { shape }]) => [name, shape]));
  print(JSON.stringify({ ...(loss === undefined ? {} : { loss }), outputs: options.outputs, shapes }));
  return EXIT.fine;
}

function findRegime(modules: Modules, name: string, report: Report): Regime {
  const found = modules.entry.tree.declarations.find((one) => one.kind === "train" && one.name.text === name);
  if (found?.kind === "train") return readRegime(found, report);
  throw new DataError(`the file has no train block ${name}`, { place: { file: modules.entry.file } });
}

function storedOutput({ dtype, shape, data }: RunOutput): WritableTensor {
  if (dtype === "bool") return { dtype: "BOOL", shape, data: Uint8Array.from(data) };
  if (dtype === "int") return { dtype: "I32", shape, data: Int32Array.from(data) };
  if (data instanceof Float64Array) return { dtype: "F64", shape, data };
  return { dtype: "F32", shape, data: Float32Array.from(data) };
}
