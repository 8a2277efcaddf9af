import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { feedbackOf } from "../build/feedback.ts";
import type { Program } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import { openSizes } from "../compile/open-sizes.ts";
import { optimizeProgram } from "../compile/optimize.ts";
import { printGraph } from "../ir/print.ts";
import type { PassName } from "../pass/pass.ts";
import { JOINING_PASSES, PASS_NAMES, PRODUCT_PASSES } from "../pass/pipeline.ts";
import { planGraph } from "../plan/plan.ts";
import { printPlan } from "../plan/print.ts";
import { writeAtomically } from "../runtime/atomic.ts";
import { DataError } from "../runtime/data/error.ts";
import { findSizes } from "../runtime/find-sizes.ts";
import { type ModelPrograms, modelPrograms } from "../runtime/model-programs.ts";
import { throughPasses } from "../runtime/passes.ts";
import { readModules } from "../runtime/source.ts";
import { readStandaloneSupport, readTypescriptSupport } from "../runtime/typescript-support.ts";
import { readWeights } from "../runtime/weights.ts";
import { modelName } from "../syntax/model-name.ts";
import type { Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { compileWebGpu } from "../target/webgpu/compile.ts";
import { printWebGpu } from "../target/webgpu/print.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { modelWith } from "./model-option.ts";
import { collect, SET_HELP } from "./options.ts";
import { addPassOptions, type PassOptions, stageChoice } from "./pass-options.ts";
import { pictureFiles } from "./picture-files.ts";
import { print } from "./terminal.ts";

type Target = "wasm" | "tfjs" | "webgpu";

interface Options extends PassOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly weights?: string;
  readonly emit: "ts" | "js" | "ir" | "plan" | "wgsl" | "dot" | "svg";
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
        "what the code runs on: WebAssembly that a module carries with it (usual), tfjs-core, or webgpu for shaders",
      ).choices(["wasm", "tfjs", "webgpu"]),
    )
    .addOption(new Option("--only <part>", "leave the training out").choices(["forward"]))
    .option("--relaxed", "with --target wasm: also carry code for engines with relaxed SIMD, which is faster")
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
  const files =
    options.emit === "dot" || options.emit === "svg"
      ? await pictureFiles(modules, modelName(model), options.emit)
      : await programFiles(context, modules, model, { ...options, emit: options.emit });
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
const TARGETS_OF: Readonly<Record<Options["emit"], readonly Target[]>> = {
  ts: ["wasm", "tfjs"],
  js: ["wasm", "tfjs"],
  ir: [],
  plan: ["wasm"],
  wgsl: ["webgpu"],
  dot: [],
  svg: [],
};

function targetOf({ emit, target }: Options): Target | undefined {
  return target ?? TARGETS_OF[emit][0];
}

/** What is written of the model's compiled programs; undefined where they do not compile, which is reported. */
async function programFiles(
  { report }: Context,
  modules: Modules,
  model: Expression,
  options: Options & { readonly emit: keyof typeof FORMS },
): Promise<readonly OutputFile[] | undefined> {
  const weights = options.weights === undefined ? undefined : await readWeights(options.weights);
  const sizes = await findSizes(modules, model, weights);
  const input = modelPrograms(modules, model, sizes, report);
  return input === undefined || report.hasErrors ? undefined : FORMS[options.emit](input, options, model);
}

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

interface OutputFile {
  readonly path: string;
  readonly text: string;
}

function unrollFactor(text: string): number | "full" {
  return text === "full" ? text : stepCount(text);
}

function stepCount(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1000) return value;
  throw new InvalidArgumentError("write a whole number from 1 to 1000.");
}

/** The graph with its loops unrolled as asked, and nothing else changed. */
function unrolled(program: Program, { unroll, length }: Options): Program {
  if (unroll === undefined || unroll === false) return program;
  const times = program.inputs.flatMap((input) => input.times.flatMap((time) => time ?? []));
  const others = PASS_NAMES.filter((name) => name !== "unroll");
  return optimizeProgram(program, {
    unroll,
    off: new Set(others),
    lengths: new Map(times.map((time) => [time, length])),
  });
}

const FORMS: Readonly<
  Record<
    Exclude<Options["emit"], "dot" | "svg">,
    (
      input: ModelPrograms,
      options: Options,
      model: Expression,
    ) => readonly OutputFile[] | Promise<readonly OutputFile[]>
  >
> = { ts: moduleFiles, js: moduleFiles, ir: graphFiles, plan: planFiles, wgsl: shaderFiles };

/** The graphs as they are scheduled; those after a pass are shown beside them where that is asked for. */
function graphFiles(input: ModelPrograms, options: Options): readonly OutputFile[] {
  if (options.printAfter !== undefined) optimized(input, new Set(), options);
  return namedPrograms(input).map(([name, program]) => ({
    path: `${name}.ir`,
    text: `// ${program.name}\n${printGraph(unrolled(program, options).graph, { origins: true })}`,
  }));
}

/** The kernels that the wasm target makes of every program. */
function planFiles(input: ModelPrograms, options: Options): readonly OutputFile[] {
  const { off, shown, show } = stageChoice(options);
  return namedPrograms(optimized(input, JOINING_PASSES, options)).map(([name, program]) => {
    const { graph, sizes } = program;
    const text = printPlan(planGraph(graph, sizes, feedbackOf(program), { fuse: !off.has("fuse") }));
    if (shown.has("fuse")) show("fuse", program.name, text);
    return { path: `${name}.plan`, text: `// ${program.name}\n${text}` };
  });
}

/** The shaders that the webgpu target makes of every program. */
function shaderFiles(input: ModelPrograms, options: Options): readonly OutputFile[] {
  const { off, shown, show } = stageChoice(options);
  return namedPrograms(optimized(input, PRODUCT_PASSES, options)).map(([name, program]) => {
    const compiled = compileWebGpu(program, feedbackOf(program), {
      fuse: !off.has("fuse"),
      planned: (plan) => {
        if (shown.has("fuse")) show("fuse", program.name, printPlan(plan));
      },
    });
    return { path: `${name}.wgsl`, text: `// ${program.name}\n${printWebGpu(compiled)}` };
  });
}

/** The model's forward program and those of its blocks, by name. */
function namedPrograms({ model, forward, train, generate }: ModelPrograms): readonly (readonly [string, Program])[] {
  return [[model, forward], ...[...train, ...generate].map(({ name, program }) => [name, program] as const)];
}

/** Every program behind the passes, of which a target leaves `usual` out. */
function optimized(input: ModelPrograms, usual: ReadonlySet<PassName>, options: Options): ModelPrograms {
  const through = throughPasses(usual, stageChoice(options));
  const within = <P extends { readonly program: Program }>(one: P): P => ({ ...one, program: through(one.program) });
  return {
    ...input,
    forward: through(input.forward),
    train: input.train.map(within),
    generate: input.generate.map(within),
  };
}

async function moduleFiles(input: ModelPrograms, options: Options, model: Expression): Promise<readonly OutputFile[]> {
  const open = openSizes(input.forward);
  if (open.length > 0) {
    throw new DataError(`the size ${open.join(", ")} is not known`, {
      hint: `give --set ${open[0]}=..., --weights, or a train block whose data gives it`,
      span: model.span,
    });
  }
  const changing = options.only === "forward" ? undefined : input.train.find((block) => block.changing)?.changing;
  if (changing !== undefined) {
    throw new DataError(`${changing.what} makes one training step another than the next: a module holds one`, {
      hint: "train with seqc train, and compile with --only forward",
      span: changing.span,
    });
  }
  return targetOf(options) === "wasm" ? standaloneFiles(input, options) : tfjsFiles(input, options);
}

function withWanted(input: ModelPrograms, { only }: Options): ModelPrograms {
  return only === "forward" ? { ...input, train: [] } : input;
}

async function tfjsFiles(input: ModelPrograms, options: Options): Promise<readonly OutputFile[]> {
  const { emitModule } = await import("../emit/tfjs/emit.ts");
  return inForm(
    emitModule(optimized(withWanted(input, options), new Set(), options), await readTypescriptSupport()),
    options,
  );
}

async function standaloneFiles(input: ModelPrograms, options: Options): Promise<readonly OutputFile[]> {
  const { emitStandalone } = await import("../emit/standalone/emit.ts");
  const stream = input.stream && throughPasses(JOINING_PASSES, stageChoice(options))(input.stream);
  const whole = { ...optimized(withWanted(input, options), JOINING_PASSES, options), stream };
  const instructions = options.relaxed === true ? (["plain", "relaxed"] as const) : (["plain"] as const);
  const fuse = !stageChoice(options).off.has("fuse");
  return inForm([emitStandalone(whole, await readStandaloneSupport(), { instructions, fuse })], options);
}

/** As they are, or as JavaScript with declarations. */
async function inForm(files: readonly OutputFile[], { emit }: Options): Promise<readonly OutputFile[]> {
  if (emit !== "js") return files;
  const { toJavaScript } = await import("../emit/javascript.ts");
  return files.flatMap(toJavaScript);
}
