import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { drawn, type EmitKind, emitModels, pictureFile } from "../api/emit.ts";
import type { OutputFile } from "../api/modules.ts";
import { findDefinition, type Modules } from "../check/modules.ts";
import { writeAtomically } from "../runtime/atomic.ts";
import { DataError } from "../runtime/data/error.ts";
import { sizedForward } from "../runtime/find-sizes.ts";
import { modelPrograms } from "../runtime/model-programs.ts";
import { readModules } from "../runtime/source.ts";
import { readWeights } from "../runtime/weights.ts";
import { modelName } from "../syntax/model-name.ts";
import type { Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { modelWith } from "./model-option.ts";
import { collect, SET_HELP } from "./options.ts";
import { addPassOptions, type PassOptions, stageChoice } from "./pass-options.ts";
import { print } from "./terminal.ts";

type Target = "wasm" | "webgpu" | "auto" | "tfjs";

interface Options extends PassOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly weights?: string;
  readonly emit: EmitKind;
  /** What the code runs on; where nothing is said, the first that the form is for. */
  readonly target?: Target;
  readonly only?: "forward";
  readonly relaxed?: boolean;
  readonly out?: string;
  /** False with `--no-unroll`. */
  readonly unroll?: number | "full" | false;
  readonly length: number;
}

/** How many steps `--unroll full` shows where not said: enough to see the pattern. */
const SHOWN_STEPS = 3;

export function compileCommand(): Command {
  const command = new Command()
    .argument("<file>", "the .seq file")
    .option("--model <model>", "the model, as M or M(H: 8), where there are several")
    .option("--set <name=value>", SET_HELP, collect)
    .option("--weights <file>", "take the sizes that these weights have; usually the data of a train block gives them")
    .addOption(
      new Option(
        "--emit <form>",
        "a module in TypeScript or JavaScript, the scheduled graphs as text, the kernels of the wasm target, the shaders of the webgpu target, or a picture of the equations",
      )
        .choices(["ts", "js", "ir", "plan", "wgsl", "dot", "svg"])
        .default("ts"),
    )
    .addOption(
      new Option(
        "--target <name>",
        "what the code runs on: WebAssembly that a module carries with it (usual), shaders that it carries, both (auto: a graphics card where there is one), or tfjs-core",
      ).choices(["wasm", "webgpu", "auto", "tfjs"]),
    )
    .addOption(new Option("--only <part>", "leave the training out").choices(["forward"]))
    .option("--relaxed", "with --target wasm and auto: also carry code for engines with relaxed SIMD, which is faster")
    .option("--out <folder>", "where to write; without it, stdout")
    .addOption(
      new Option(
        "--unroll <n|full>",
        "with --emit ir: that many steps of each loop one after another, or all",
      ).argParser(unrollFactor),
    )
    .addOption(
      new Option("--length <n>", "with --unroll full: how many steps there are")
        .argParser(stepCount)
        .default(SHOWN_STEPS),
    )
    .action(action(compile));
  return addPassOptions(command);
}

async function compile(context: Context, file: string, options: Options): Promise<number> {
  const { report } = context;
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules === undefined || report.hasErrors) return EXIT.user;
  if ((typeof options.unroll === "number" || options.unroll === "full") && options.emit !== "ir") {
    throw new DataError("only graphs can be shown unrolled: emitted code keeps its loops", { hint: "add --emit ir" });
  }
  const { off, shown } = stageChoice(options);
  const wanted = TARGETS_OF[options.emit];
  if (options.target !== undefined && wanted.length > 0 && !wanted.includes(options.target)) {
    const form = options.target === "webgpu" ? "wgsl" : "ts";
    throw new DataError(`--emit ${options.emit} is code for ${wanted.join(" or ")}`, { hint: `add --emit ${form}` });
  }
  const target = targetOf(options);
  if ((target === "tfjs" || target === undefined) && [...off, ...shown].includes("fuse")) {
    const why = target === "tfjs" ? "tfjs has kernels of its own" : "graphs are shown before kernels are made";
    throw new DataError(`${why}, so there is no fuse here`, { hint: "add --emit plan" });
  }
  const text = options.model ?? onlyModel(modules);
  const model = modelWith(context, modules, { text, label: "--model ", set: options.set ?? [] });
  if (model === undefined || report.hasErrors) return EXIT.user;
  const files = await filesOf(context, modules, model, options);
  if (files === undefined || report.hasErrors) return EXIT.user;
  for (const { path, text: content } of files) {
    if (options.out === undefined) print(content.trimEnd());
    else {
      const target = join(options.out, path);
      await writeAtomically(target, [new TextEncoder().encode(content)]);
      print(target);
    }
  }
  return EXIT.fine;
}

/** What each form is code for, the usual first; graphs are for none. */
const TARGETS_OF: Readonly<Record<EmitKind, readonly Target[]>> = {
  ts: ["wasm", "webgpu", "auto", "tfjs"],
  js: ["wasm", "webgpu", "auto", "tfjs"],
  ir: [],
  plan: ["wasm"],
  wgsl: ["webgpu"],
  dot: [],
  svg: [],
};

function targetOf({ emit, target }: Options): Target | undefined {
  return target ?? TARGETS_OF[emit][0];
}

/** What is written of the model; undefined where it does not compile, which is reported. */
async function filesOf(
  { report }: Context,
  modules: Modules,
  model: Expression,
  options: Options,
): Promise<readonly OutputFile[] | undefined> {
  const definition = findDefinition(modules, modules.entry.file, modelName(model))?.definition;
  if (definition === undefined) {
    throw new DataError(`there is no model ${modelName(model)}`, { place: { file: modules.entry.file } });
  }
  if (options.emit === "dot") return [pictureFile({ definition })];
  if (options.emit === "svg") return drawn([pictureFile({ definition })]);
  const weights = options.weights === undefined ? undefined : await readWeights(options.weights);
  const { sizes, forward } = await sizedForward(modules, model, weights);
  const programs = modelPrograms(modules, model, sizes, report, { forward, training: options.only !== "forward" });
  if (programs === undefined || report.hasErrors) return undefined;
  const target = targetOf(options);
  const { only, relaxed, unroll, length } = options;
  const how = {
    ...{ only, relaxed, length, hints: HINTS, stages: stageChoice(options) },
    target,
    unroll: unroll === false ? undefined : unroll,
    sourceMap: options.out !== undefined,
  } as const;
  return emitModels([{ programs, definition }], options.emit, how, report);
}

const HINTS = {
  size: (name: string) => `give --set ${name}=..., --weights, or a train block whose data gives it`,
  training: "train with seqc train, and compile with --only forward",
};

/** The model that the first train block trains, or the only one of the file. */
function onlyModel({ entry }: Modules): string {
  const train = entry.tree.declarations.find((one) => one.kind === "train");
  const models = [...entry.definitions.values()].filter(({ definitionKind }) => definitionKind === "model");
  const [only] = models;
  if (only === undefined) throw new DataError("the file has no model", { place: { file: entry.file } });
  if (models.length === 1) return train?.kind === "train" ? printExpression(train.model) : only.name.text;
  throw new DataError("the file has several models", {
    place: { file: entry.file },
    hint: `name one: --model ${models.map(({ name }) => name.text).join(", --model ")}`,
  });
}

function unrollFactor(text: string): number | "full" {
  return text === "full" ? text : stepCount(text);
}

function stepCount(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new InvalidArgumentError("write a whole number from 1 to 1000.");
}
