import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Program } from "../build/program.ts";
import { findDefinition, type Modules } from "../check/modules.ts";
import { readRegime } from "../check/regime.ts";
import { compileGeneration } from "../compile/decoder.ts";
import { optimizeProgram } from "../compile/optimize.ts";
import { compileForward, compileStep, type Job, modelRequest } from "../compile/program.ts";
import { printGraph } from "../ir/print.ts";
import type { PassName } from "../pass/pass.ts";
import { JOINING_PASSES, PASS_NAMES, PRODUCT_PASSES } from "../pass/pipeline.ts";
import { planGraph } from "../plan/plan.ts";
import { printPlan } from "../plan/print.ts";
import { writeAtomically } from "../runtime/atomic.ts";
import { DataError } from "../runtime/data/error.ts";
import { feedbackOf } from "../runtime/executor.ts";
import { findSizes, modelName, openSizes } from "../runtime/find-sizes.ts";
import { throughPasses } from "../runtime/passes.ts";
import { readSettings } from "../runtime/settings.ts";
import { readModules } from "../runtime/source.ts";
import { readTypescriptSupport } from "../runtime/typescript-support.ts";
import { readWeights } from "../runtime/weights.ts";
import type { Definition, Expression } from "../syntax/tree.ts";
import { descendants, printExpression } from "../syntax/walk.ts";
import type { EmitGeneration, EmitInput, EmitTraining } from "../target/typescript/emit-input.ts";
import { compileWebGpu } from "../target/webgpu/compile.ts";
import { printWebGpu } from "../target/webgpu/print.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { modelWith } from "./model-option.ts";
import { collect, SET_HELP } from "./options.ts";
import { addPassOptions, type PassOptions, stageChoice } from "./pass-options.ts";
import { print } from "./terminal.ts";

interface Options extends PassOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly weights?: string;
  readonly emit: "ts" | "ir" | "plan" | "wgsl";
  /** What the code runs on; where nothing is said, what the form is for. */
  readonly target?: "tfjs" | "webgpu";
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
        "a TypeScript module, the scheduled graphs as text, the kernels of the wasm target, or the shaders of the webgpu target",
      )
        .choices(["ts", "ir", "plan", "wgsl"])
        .default("ts"),
    )
    .addOption(
      new Option("--target <name>", "what the code runs on: tfjs for TypeScript, webgpu for shaders").choices([
        "tfjs",
        "webgpu",
      ]),
    )
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
  const wanted = TARGET_OF[options.emit];
  if (options.target !== undefined && wanted !== undefined && options.target !== wanted) {
    const form = options.target === "webgpu" ? "wgsl" : "ts";
    throw new DataError(`--emit ${options.emit} is code for ${wanted}`, { hint: `add --emit ${form}` });
  }
  if (!["plan", "wgsl"].includes(options.emit) && [...off, ...shown].includes("fuse")) {
    throw new DataError("tfjs has kernels of its own, so there is no fuse here", { hint: "add --emit plan" });
  }
  const text = options.model ?? onlyModel(modules);
  const model = modelWith(context, modules, { text, label: "--model ", set: options.set ?? [] });
  if (model === undefined || report.hasErrors) return EXIT.user;
  const weights = options.weights === undefined ? undefined : await readWeights(options.weights);
  const sizes = await findSizes(modules, model, weights);
  const input = emitInput(context, modules, model, sizes);
  if (input === undefined || report.hasErrors) return EXIT.user;
  const files = await FORMS[options.emit](input, options, model);
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

/** What the code of a form runs on. */
const TARGET_OF: Readonly<Record<Options["emit"], Options["target"]>> = {
  ts: "tfjs",
  ir: undefined,
  plan: undefined,
  wgsl: "webgpu",
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

/** The model with every train and generate block of it; blocks that train it with other arguments are left out. */
function emitInput(
  { report, sources }: Context,
  modules: Modules,
  model: Expression,
  sizes: ReadonlyMap<string, number>,
): EmitInput | undefined {
  const job: Job = { modules, sizes, dense: false, report };
  const definition = modelRequest(job, model)?.definition;
  const forward = definition && compileForward(job, model, { values: [], gradients: false });
  if (forward === undefined || definition === undefined) return undefined;
  const train: EmitTraining[] = [];
  const generate: EmitGeneration[] = [];
  for (const block of modules.entry.tree.declarations) {
    if ((block.kind !== "train" && block.kind !== "generate") || modelName(block.model) !== modelName(model)) continue;
    const { doc } = block;
    if (block.kind === "generate") {
      const made = compileGeneration(job, { ...block, model });
      if (made !== undefined) generate.push({ name: made.name, doc, program: made.program });
    } else if (block.model.kind === "reference" || printExpression(block.model) === printExpression(model)) {
      const regime = { ...readRegime(block, report), model };
      const program = report.hasErrors ? undefined : compileStep(job, regime, new Set());
      const seed = readSettings(regime, {}, report)?.seed ?? 0;
      if (program !== undefined) train.push({ name: block.name.text, doc, program, seed });
    }
  }
  return {
    model: modelName(model),
    file: modules.entry.file,
    doc: definition.doc,
    parts: documentedParts(modules, definition),
    sources,
    forward,
    train,
    generate,
  };
}

/** The cells and layers that a model is made of, and those that these are made of. */
function documentedParts(modules: Modules, model: Definition): EmitInput["parts"] {
  const found = new Map<string, string>();
  const visit = (definition: Definition, file: string): void => {
    const parts = [
      ...definition.items.flatMap((item) => (item.kind === "use" ? item.uses.map(({ of }) => of) : [])),
      ...definition.parameters.flatMap((parameter) => parameter.default ?? []),
    ];
    for (const expression of parts.flatMap((part) => [...descendants(part)])) {
      const name = expression.kind === "reference" ? expression.name : "";
      const part = findDefinition(modules, file, name);
      if (part === undefined || found.has(name)) continue;
      if (part.definition.doc !== undefined) found.set(name, part.definition.doc);
      visit(part.definition, part.file);
    }
  };
  visit(model, modules.entry.file);
  return [...found].map(([name, doc]) => ({ name, doc }));
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
    Options["emit"],
    (input: EmitInput, options: Options, model: Expression) => readonly OutputFile[] | Promise<readonly OutputFile[]>
  >
> = { ts: moduleFiles, ir: graphFiles, plan: planFiles, wgsl: shaderFiles };

/** The graphs as they are scheduled; those after a pass are shown beside them where that is asked for. */
function graphFiles(input: EmitInput, options: Options): readonly OutputFile[] {
  if (options.printAfter !== undefined) optimized(input, new Set(), options);
  return namedPrograms(input).map(([name, program]) => ({
    path: `${name}.ir`,
    text: `// ${program.name}\n${printGraph(unrolled(program, options).graph, { origins: true })}`,
  }));
}

/** The kernels that the wasm target makes of every program. */
function planFiles(input: EmitInput, options: Options): readonly OutputFile[] {
  const { off, shown, show } = stageChoice(options);
  return namedPrograms(optimized(input, JOINING_PASSES, options)).map(([name, program]) => {
    const { graph, sizes } = program;
    const text = printPlan(planGraph(graph, sizes, feedbackOf(program), { fuse: !off.has("fuse") }));
    if (shown.has("fuse")) show("fuse", program.name, text);
    return { path: `${name}.plan`, text: `// ${program.name}\n${text}` };
  });
}

/** The shaders that the webgpu target makes of every program. */
function shaderFiles(input: EmitInput, options: Options): readonly OutputFile[] {
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
function namedPrograms({ model, forward, train, generate }: EmitInput): readonly (readonly [string, Program])[] {
  return [[model, forward], ...[...train, ...generate].map(({ name, program }) => [name, program] as const)];
}

/** Every program behind the passes, of which a target leaves `usual` out. */
function optimized(input: EmitInput, usual: ReadonlySet<PassName>, options: Options): EmitInput {
  const through = throughPasses(usual, stageChoice(options));
  const within = <P extends { readonly program: Program }>(one: P): P => ({ ...one, program: through(one.program) });
  return {
    ...input,
    forward: through(input.forward),
    train: input.train.map(within),
    generate: input.generate.map(within),
  };
}

async function moduleFiles(input: EmitInput, options: Options, model: Expression): Promise<readonly OutputFile[]> {
  const open = openSizes(input.forward);
  if (open.length > 0) {
    throw new DataError(`the size ${open.join(", ")} is not known`, {
      hint: `give --set ${open[0]}=..., --weights, or a train block whose data gives it`,
      span: model.span,
    });
  }
  const { emitModule } = await import("../target/typescript/emit.ts");
  return emitModule(optimized(input, new Set(), options), await readTypescriptSupport());
}
