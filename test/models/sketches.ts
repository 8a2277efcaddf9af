import type { Program } from "../../src/build/program.ts";
import { elementCount, shapeOf } from "../../src/ir/tensor.ts";
import type { Chance } from "../support/chance.ts";
import { forwardOf, openJob, readSource, renderFindings, seqFiles, stepOf } from "../support/compile.ts";

const SKETCHES = "test/syntax/sketches";

/** How a model of a sketch is made small enough to differentiate by hand. */
export interface Setting {
  readonly sizes?: Readonly<Record<string, number>>;
  /** Numbers inside of the model, made smaller. */
  readonly hidden?: readonly (readonly [from: string | RegExp, to: string])[];
  /** Numbers that data have too, made smaller. */
  readonly edits?: readonly (readonly [from: string | RegExp, to: string])[];
  /** Sizes that the real data fix. */
  readonly data?: readonly string[];
  /** What is minimized where the model emits nothing, or less than all. */
  readonly objective?: string;
  readonly draw?: Readonly<Record<string, (chance: Chance, place: number) => number>>;
  /** Another one where the usual numbers leave every rectifier of a layer at 0, or stand at its corner. */
  readonly seed?: number;
  /** Weights whose gradient is 0 for a reason. */
  readonly flat?: readonly string[];
}

/** By file and model. Sizes that are not said are the ones below. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  "ar AR": { sizes: { P: 2 } },
  "alexnet SmallAlexNet": {
    sizes: { C: 2, H: 3 },
    edits: [
      ["[28, 28, 1]", "[12, 12, 1]"],
      [/3\*3\*2\*C/g, "1*1*2*C"],
    ],
  },
  "autoencoder Tied": { sizes: { D: 4, Z: 2 }, data: ["D"] },
  "autoencoder Stacked": {
    sizes: { D: 4, H: 3, Z: 2 },
    data: ["D"],
    edits: [["stop_gradient(h)", "h"]],
    objective: "r1 + r2 + nll(x)",
  },
  "autoencoder Deep": { sizes: { D: 4, Z: 2 }, data: ["D"], hidden: [[/256/g, "5"]], seed: 3 },
  "autoencoder Denoising": { sizes: { D: 4, Z: 2 }, data: ["D"], hidden: [[/256/g, "5"]], seed: 3 },
  "cyclegan CycleGAN": {
    sizes: { D: 3 },
    data: ["D"],
    hidden: [
      [/256/g, "4"],
      [/128/g, "5"],
    ],
    objective: "(A(a) - 1)**2 + A(fa)**2 + (B(b) - 1)**2 + B(fb)**2 + 10 * cycle",
    seed: 3,
  },
  "caption Caption": {
    sizes: { H: 3 },
    edits: [
      ["[28, 28, 1]", "[5, 6, 1]"],
      [/7\*7\*16/g, "2*2*3"],
      ["Conv2(1, 8, 5", "Conv2(1, 2, 3"],
      ["Conv2(8, 16, 3", "Conv2(2, 3, 3"],
      [/, 16, sigma/, ", 2, sigma"],
      ["GRU(16,", "GRU(2,"],
    ],
  },
  "dqn DQN": {
    edits: [
      [/128/g, "4"],
      [/stop_gradient\((.*)\)\)$/m, "$1)"],
    ],
    objective: "loss",
    seed: 1,
  },
  "dtw Templates": { sizes: { M: 4 }, data: ["K"] },
  "gan GAN": {
    sizes: { Z: 2, D: 3 },
    data: ["D"],
    hidden: [
      [/256/g, "5"],
      [/512/g, "4"],
    ],
    objective: "softplus(-r) + softplus(s)",
  },
  "gradients Skip": { sizes: { gap: 2 } },
  "hmm HMM": { objective: "-loglik / T" },
  "pixel_rnn PixelRNN": { edits: [["[14, 14]", "[4, 3]"]] },
  "ppca PPCA": { sizes: { D: 3, Z: 2 }, data: ["D"] },
  "resnet50 SmallResNet": {
    sizes: { C: 2 },
    edits: [
      ["image: [28, 28, 1]", "image: [8, 16, 1]"],
      ["mean[7, 7](h)))\n}\n\ntrain", "mean[2, 4](h)))\n}\n\ntrain"],
    ],
  },
  "sp500 Returns": { draw: { price: (chance) => chance.between(90, 110) } },
  "temporal_conv Forecast": { sizes: { C: 2 }, draw: { x: (chance) => chance.between(9_800, 12_200) } },
  "temporal_conv NameKind": { sizes: { C: 2 } },
  "transfer Digits": {
    sizes: { H: 3 },
    edits: [
      [/\[28, 28, 1\]/g, "[5, 6, 1]"],
      [/7\*7\*16/g, "2*2*3"],
      ["Conv2(1, 8, 5", "Conv2(1, 2, 3"],
      ["Conv2(8, 16, 3", "Conv2(2, 3, 3"],
    ],
  },
  "transformer_g2p G2P": { sizes: { D: 4, N: 2, L: 1 }, edits: [[/\[64, D\]/g, "[9, D]"]], seed: 1 },
  "transformer_lm TransformerLM": { sizes: { D: 4, N: 2, F: 3, L: 2 } },
  "translate Translate": { hidden: [["2*H, 64", "2*H, 2"]] },
  "untied Tied": { sizes: { L: 4 }, data: ["L"] },
  "untied Untied": { sizes: { L: 4 }, data: ["L"] },
  "conditional_vae CVAE": { sizes: { D: 4, H: 3, Z: 2 }, data: ["D"], objective: "-elbo()" },
  "vae VAE": { sizes: { D: 4, H: 3, Z: 2 }, data: ["D"], objective: "-elbo()" },
  "video_conv Video": {
    sizes: { C: 2 },
    edits: [
      ["[T, 32, 32, 1]", "[T, 8, 16, 1]"],
      ["mean[T, 8, 8]", "mean[T, 2, 4]"],
    ],
  },
  "multitask Words": { flat: ["ls.phones", "ls.stress", "ls.count"] },
  "wavenet WaveNet": { sizes: { C: 3, L: 2 }, seed: 2, flat: ["blocks.1.res.W", "blocks.1.res.b"] },
  "wgan_gp WGAN": {
    sizes: { Z: 2, D: 3 },
    data: ["D"],
    hidden: [
      [/256/g, "5"],
      [/512/g, "4"],
    ],
    objective: "s - r + 10 * gp",
    seed: 2,
    flat: ["C.top.f.b"],
  },
  "word2vec SkipGram": { objective: "loss" },
};

/** Small sizes for every name that the sketches use; `B` examples, and the `time` names. */
export const SMALL = {
  ...{ B: 3, T: 5, S: 4, N: 5 },
  ...{ V: 6, Vs: 5, Vt: 6, K: 3, P: 4, E: 3, H: 2, D: 4, Z: 2, Topics: 3, A: 2 },
} as const;

export interface Sketch {
  /** `g2p G2P`. */
  readonly name: string;
  readonly file: string;
  readonly model: string;
  readonly text: string;
  /** The file as it is. */
  readonly source: string;
  /** Whether it is one of the example models, whose data are there. */
  readonly example: boolean;
  readonly setting: Setting;
  /** The model's own sizes. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Those of them that real data leave free. */
  readonly free: Readonly<Record<string, number>>;
  /** The model's own and those that data give: the batch and the times. */
  readonly sizes: Readonly<Record<string, number>>;
}

/** Every model of the example models, and of those sketches of syntax that are not among them. */
export function sketches(): readonly Sketch[] {
  const names = seqFiles("models");
  const others = seqFiles(SKETCHES).filter((name) => !names.includes(name));
  return [...modelsOf("models", names), ...modelsOf(SKETCHES, others)];
}

function modelsOf(folder: string, names: readonly string[]): readonly Sketch[] {
  return names.flatMap((name) => {
    const { file, text } = readSource(`${folder}/${name}`);
    const models = [...openJob(text, { file }).modules.entry.definitions.values()];
    return models.flatMap((definition): readonly Sketch[] => {
      if (definition.definitionKind !== "model") return [];
      const model = definition.name.text;
      const title = `${name.replace(/\.seq$/, "")} ${model}`;
      const setting = SETTINGS[title] ?? {};
      const names = definition.parameters.map((parameter) => parameter.name.text);
      const parameters = chosen(names, setting);
      const sizes = { ...chosen(["B", "T", "S", "N"], {}), ...parameters };
      const own = definition.parameters.filter((parameter) => parameter.default !== undefined);
      const left = own.map((parameter) => parameter.name.text).filter((one) => setting.data?.includes(one) !== true);
      const smaller = edited(text, setting, model);
      const free = chosen(left, setting);
      const example = folder !== SKETCHES;
      return [{ name: title, file, model, text: smaller, source: text, example, setting, parameters, free, sizes }];
    });
  });
}

function chosen(names: readonly string[], { sizes = {} }: Setting): Record<string, number> {
  const all: Record<string, number> = { ...SMALL, ...sizes };
  return Object.fromEntries(names.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]])));
}

/** The text with other numbers inside of the model. */
export function withHidden(text: string, { hidden = [] }: Setting): string {
  return replaced(text, hidden);
}

function replaced(text: string, edits: NonNullable<Setting["edits"]>): string {
  return edits.reduce((before, [from, to]) => {
    const after = before.replace(from, to);
    if (after === before) throw new Error(`nothing is ${String(from)} in:\n${text}`);
    return after;
  }, text);
}

function edited(text: string, setting: Setting, model: string): string {
  const { edits = [], objective } = setting;
  const smaller = replaced(withHidden(text, setting), edits);
  return objective === undefined ? smaller : `${smaller}\n${regimeText("check", model, objective)}`;
}

/** A regime that minimizes something; its data are never read. */
export function regimeText(name: string, model: string, objective: string, optimizer = "sgd(0.1)", more = ""): string {
  return `train ${name} of ${model} { data rows = csv("rows.csv") minimize ${objective} optim ${optimizer} ${more} for 1 steps }`;
}

export interface Built {
  readonly program: Program | undefined;
  /** Codes of what is wrong, and the text for people. */
  readonly codes: readonly string[];
  readonly findings: string;
}

/** Models with more weights than this are compiled, not run: the interpreter is no fast machine. */
const MOST_ENTRIES = 3000;

export function isSmall(program: Program, sizes: Readonly<Record<string, number>>): boolean {
  const known = new Map([...program.sizes, ...Object.entries(sizes)]);
  const entries = program.graph.params.map(({ type }) => elementCount(shapeOf(type.axes, known)));
  return entries.reduce((sum, count) => sum + count, 0) <= MOST_ENTRIES;
}

/** The model with its loss and all gradients; undefined with the reasons where it is refused. */
export function buildSketch(sketch: Sketch, dense: boolean, make = forwardOf): Built {
  const job = openJob(sketch.text, { file: sketch.file, sizes: sketch.parameters, dense });
  const wanted = { model: sketch.model, gradients: true };
  const program = make(job, sketch.setting.objective === undefined ? wanted : { ...wanted, regime: "check" });
  const errors = job.report.diagnostics.filter(({ severity }) => severity === "error");
  return {
    program: errors.length > 0 ? undefined : program,
    codes: errors.map(({ code }) => code),
    findings: renderFindings(job),
  };
}

/** The training steps of the blocks of its file that train it, by name. */
export function stepsOf(sketch: Sketch): readonly (readonly [string, Program])[] {
  const options = { file: sketch.file, sizes: sketch.parameters, dense: true };
  const trains = openJob(sketch.text, options).modules.entry.tree.declarations.flatMap((declaration) =>
    declaration.kind === "train" && modelOf(declaration.model) === sketch.model ? [declaration.name.text] : [],
  );
  return trains.flatMap((name) => {
    const job = openJob(sketch.text, options);
    const step = stepOf(job, name);
    return step === undefined || job.report.hasErrors ? [] : [[name, step] as const];
  });
}

function modelOf(expression: { readonly kind: string }): string {
  if ("callee" in expression && typeof expression.callee === "object" && expression.callee !== null) {
    return "name" in expression.callee ? String(expression.callee.name) : "";
  }
  return "name" in expression ? String(expression.name) : "";
}
