import type { Report } from "../base/diagnostic.ts";
import { feedbackOf } from "../build/feedback.ts";
import type { Program } from "../build/program.ts";
import { dotOf } from "../compile/dot.ts";
import { graphDot } from "../compile/graph-dot.ts";
import { optimizeProgram } from "../compile/optimize.ts";
import { pictureOf } from "../compile/picture.ts";
import { printGraph } from "../ir/print.ts";
import type { PassName } from "../pass/pass.ts";
import { LEFT_OUT, PASS_NAMES } from "../pass/pipeline.ts";
import { printPlan } from "../plan/print.ts";
import type { ModelPrograms } from "../runtime/model-programs.ts";
import { type StageChoice, throughPasses, USUAL_STAGES } from "../runtime/passes.ts";
import type { Definition } from "../syntax/tree.ts";
import { compileWebGpu } from "../target/webgpu/compile.ts";
import { printWebGpu } from "../target/webgpu/print.ts";
import { moduleFiles, type OutputFile } from "./modules.ts";
import { namedPrograms, plansOf } from "./plans.ts";

/**
 * What a model can be written as: a module in TypeScript, or in JavaScript with declarations; its scheduled graphs as text; the kernels of
 * the wasm target; the shaders of the webgpu target; a picture of its equations for Graphviz, or drawn by it.
 */
export type EmitKind = "ts" | "js" | "ir" | "plan" | "wgsl" | "dot" | "svg";

/** What a model is written down with. */
export interface EmitOptions {
  /** Leaves the training out of a module. */
  readonly only?: "forward" | undefined;
  /**
   * What a module runs on: WebAssembly that it carries with it where not said, shaders that it carries, both (`auto`: a graphics card where
   * there is one, else WebAssembly), or tfjs-core.
   */
  readonly target?: "wasm" | "webgpu" | "auto" | "tfjs" | undefined;
  /** Adds code for engines with relaxed SIMD to a module that carries WebAssembly. */
  readonly relaxed?: boolean | undefined;
  /** Writes a source map beside a module that carries WebAssembly: it leads the class and its methods to the `.seq` file. */
  readonly sourceMap?: boolean | undefined;
  /** Stages that are left out, asked for or shown. */
  readonly stages?: StageChoice | undefined;
  /** Of graphs: as the passes for WebAssembly leave them. */
  readonly optimized?: boolean | undefined;
  /** What a picture shows: the model's equations where not said, or the graph of each of its programs, before or behind the passes. */
  readonly picture?: "equations" | "graph" | undefined;
  /** Of graphs: so many steps of each loop one after another, or all of `length` steps. */
  readonly unroll?: number | "full" | undefined;
  readonly length?: number | undefined;
  /** What to do about a size that a module needs and nothing gives, and about a training that one step cannot hold. */
  readonly hints?: { readonly size: (name: string) => string; readonly training: string } | undefined;
}

/** A model with its definition, for pictures. */
export interface EmittedModel {
  readonly programs: ModelPrograms;
  readonly definition: Definition;
}

type Form = (
  model: EmittedModel,
  options: EmitOptions,
  report: Report,
) => readonly OutputFile[] | Promise<readonly OutputFile[]>;

const FORMS: Readonly<Record<EmitKind, Form>> = {
  ts: (model, options, report) => moduleFiles(model, "ts", options, report),
  js: (model, options, report) => moduleFiles(model, "js", options, report),
  ir: graphFiles,
  plan: planFiles,
  wgsl: shaderFiles,
  dot: pictureFiles,
  svg: drawnFiles,
};

/** Writes models down. What is wrong is reported; then what is returned means nothing. */
export async function emitModels(
  models: readonly EmittedModel[],
  kind: EmitKind,
  options: EmitOptions,
  report: Report,
): Promise<readonly OutputFile[]> {
  const files: OutputFile[] = [];
  for (const model of models) files.push(...(await FORMS[kind](model, options, report)));
  return files;
}

/** The graphs as they are scheduled; those after a pass are shown beside them where that is asked for. */
function graphFiles({ programs }: EmittedModel, options: EmitOptions): readonly OutputFile[] {
  const { stages = USUAL_STAGES } = options;
  const all = namedPrograms(programs);
  if (stages.shown.size > 0) for (const [, program] of all) throughPasses(new Set(), stages)(program);
  return all.map(([name, program]) => ({
    path: `${name}.ir`,
    text: `// ${program.name}\n${printGraph(unrolled(behind(program, options), options).graph, { origins: true })}`,
  }));
}

/** The program as it is, or optimized where that is asked for. */
function behind(program: Program, { optimized = false, stages = USUAL_STAGES }: EmitOptions): Program {
  return optimized ? throughPasses(LEFT_OUT.wasm, stages)(program) : program;
}

/** The graph with its loops unrolled as asked, and nothing else changed. */
function unrolled(program: Program, { unroll, length = 1 }: EmitOptions): Program {
  if (unroll === undefined) return program;
  const times = program.inputs.flatMap((input) => input.times.flatMap((time) => time ?? []));
  const others = PASS_NAMES.filter((name) => name !== "unroll");
  return optimizeProgram(program, {
    unroll,
    off: new Set<PassName>(others),
    lengths: new Map(times.map((time) => [time, length])),
  });
}

function planFiles({ programs }: EmittedModel, { stages = USUAL_STAGES }: EmitOptions): readonly OutputFile[] {
  const named = new Map(namedPrograms(programs));
  return plansOf(programs, stages).map(({ program: name, plan }) => {
    const title = named.get(name)?.name ?? name;
    const text = printPlan(plan);
    if (stages.shown.has("fuse")) stages.show("fuse", title, text);
    return { path: `${name}.plan`, text: `// ${title}\n${text}` };
  });
}

/** The shaders that the webgpu target makes of every program. */
function shaderFiles({ programs }: EmittedModel, { stages = USUAL_STAGES }: EmitOptions): readonly OutputFile[] {
  const through = throughPasses(LEFT_OUT.webgpu, stages);
  return namedPrograms(programs).map(([name, whole]) => {
    const program = through(whole);
    const compiled = compileWebGpu(program, feedbackOf(program), {
      fuse: !stages.off.has("fuse"),
      planned: (plan) => {
        if (stages.shown.has("fuse")) stages.show("fuse", program.name, printPlan(plan));
      },
    });
    return { path: `${name}.wgsl`, text: `// ${program.name}\n${printWebGpu(compiled)}` };
  });
}

/** The picture of a definition's equations in the language of Graphviz. */
export function pictureFile({ definition }: Pick<EmittedModel, "definition">): OutputFile {
  return { path: `${definition.name.text}.dot`, text: dotOf(pictureOf(definition)) };
}

function pictureFiles(model: EmittedModel, options: EmitOptions): readonly OutputFile[] {
  if (options.picture !== "graph") return [pictureFile(model)];
  return namedPrograms(model.programs).map(([name, program]) => ({
    path: `${name}.dot`,
    text: graphDot(behind(program, options).graph),
  }));
}

function drawnFiles(model: EmittedModel, options: EmitOptions): Promise<readonly OutputFile[]> {
  return drawn(pictureFiles(model, options));
}

/** Pictures drawn by Graphviz, which is loaded for them. */
export async function drawn(files: readonly OutputFile[]): Promise<readonly OutputFile[]> {
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  const graphviz = await Graphviz.load();
  return files.map(({ path, text }) => ({ path: path.replace(/dot$/, "svg"), text: graphviz.dot(text) }));
}
