import type { Span } from "../base/span.ts";
import type { Graph } from "../ir/graph.ts";
import type { Size } from "../ir/size.ts";
import type { DType } from "../ir/type.ts";

/** How a weight starts; `from` values are drawn by seed and weight name. */
export type Initial =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "normal"; readonly sigma: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "glorot" }
  | { readonly kind: "he" }
  | { readonly kind: "orthogonal" };

/** One array that belongs to the model: a trained weight, or a param that an equation moves (`m' = ...`). */
export interface WeightSpec {
  /** Its path, `l1.W.i`: the name in files, in emitted code and of the graph's param. */
  readonly name: string;
  /** As declared, axes of size 1 included: the shape in files. */
  readonly shape: readonly Size[];
  readonly initial: Initial;
  /** False where an equation with a prime moves it, or no loss is to reach it. */
  readonly trained: boolean;
  readonly span: Span;
  readonly doc: string | undefined;
}

/** One `in` (or emitted, when it is data) array of a model; the batch axis comes first and is not listed. */
export interface InputSpec {
  readonly name: string;
  readonly dtype: DType;
  /** Tokens lie below it. */
  readonly vocabulary: Size | undefined;
  /** As declared, axes of size 1 included. */
  readonly shape: readonly Size[];
  /** For each axis of `shape`, the `time` name whose lengths it has. */
  readonly times: readonly (string | undefined)[];
  /** Tokens that the model names and the data must make room for, last in the vocabulary in this order. */
  readonly specials: readonly ("BOS" | "EOS")[];
  /** Every sequence ends in EOS. */
  readonly ends: boolean;
  /** An emission's value: given when training or scoring, chosen when generating. */
  readonly emitted: boolean;
  /** Rows of the data may lack it: it is emitted, and no input. */
  readonly optional: boolean;
  readonly span: Span;
  readonly doc: string | undefined;
}

/** What a param of a program's graph is for. */
export type ParamRole =
  | { readonly kind: "weight"; readonly name: string }
  /** Layout: B, then the declared axes that are not of size 1. */
  | { readonly kind: "input"; readonly name: string }
  /** int [B]: how many positions of the `time` axis each example has. */
  | { readonly kind: "length"; readonly time: string }
  /** bool [B]: which examples have a value of the emission. */
  | { readonly kind: "present"; readonly emission: string }
  /** Optimizer state: `adam.m` of weight `l1.W.i`; starts at `start`. */
  | { readonly kind: "slot"; readonly name: string; readonly weight: string; readonly start: number }
  /** State carried from one chunk of a sequence to the next (`bptt`). */
  | { readonly kind: "carry"; readonly name: string }
  /** bool []: this chunk starts its sequences. */
  | { readonly kind: "fresh" }
  /** int []: the seed of this call's random numbers. */
  | { readonly kind: "seed" }
  /** bool []: training, as opposed to evaluation. */
  | { readonly kind: "training" }
  /** float []: training steps done before this one. */
  | { readonly kind: "step" }
  /** float []: training steps in all. */
  | { readonly kind: "steps" }
  /** float []: training steps in one epoch. */
  | { readonly kind: "steps_per_epoch" }
  /** The given beginning of an emission when generating: its layout is the input's. */
  | { readonly kind: "prompt"; readonly emission: string }
  /** int [B]: how many positions of the prompt count. */
  | { readonly kind: "prompt_length"; readonly emission: string }
  /** float []: a number that says how an emission is drawn, as `temperature`; where a call gives none, it is `value`. */
  | { readonly kind: "option"; readonly name: string; readonly value: number };

/** What a result of a program's graph is for; its name in the graph is `kind.name`. */
export type ResultRole =
  /** The objective, averaged over the batch: float []. */
  | { readonly kind: "loss" }
  /** A report's value on this batch (float []) and, beside it, the count it averages over. */
  | { readonly kind: "metric"; readonly name: string }
  /** A parameter of an emission's distribution, `emission.parameter`; `axes` is its layout, the batch first. */
  | { readonly kind: "parameter"; readonly emission: string; readonly name: string; readonly axes: readonly string[] }
  /** A named value of the model. */
  | { readonly kind: "value"; readonly name: string; readonly axes: readonly string[] }
  | { readonly kind: "gradient"; readonly weight: string }
  | { readonly kind: "weight"; readonly name: string }
  | { readonly kind: "slot"; readonly name: string; readonly weight: string }
  | { readonly kind: "carry"; readonly name: string }
  /** What was generated for an emission; `axes` is its layout, that of the input: the batch first. */
  | { readonly kind: "choice"; readonly emission: string; readonly axes: readonly string[] };

/** One compiled purpose of a model (forward, gradients, a training step, a decoder): a scheduled graph whose params and results say what they are for. */
export interface Program {
  readonly name: string;
  readonly graph: Graph;
  /** By param id. */
  readonly params: ReadonlyMap<string, ParamRole>;
  /** By result name. */
  readonly results: ReadonlyMap<string, ResultRole>;
  readonly weights: readonly WeightSpec[];
  readonly inputs: readonly InputSpec[];
  /** Feature sizes that are known; batch `B` and times stay names until the program is bound. */
  readonly sizes: ReadonlyMap<string, number>;
}
