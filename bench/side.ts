import type { StageName } from "../src/compile/stages.ts";
import type { ClockName } from "./clock.ts";

/** Numbers that a side computes, by name; every side of a workload gives them in the same layout. */
export type Results = ReadonlyMap<string, Float32Array>;

/** One of the programs that a workload compares, ready to run. */
export interface Side {
  /** Makes the side the current one, where sides share a library's state; never timed. */
  readonly enter?: (() => Promise<void>) | undefined;
  /** What the side computes, from the workload's starting weights. Called once, before it is timed. */
  readonly check: () => Promise<Results>;
  /** The unit that is timed: one training step, one product, a stream of steps. */
  readonly run: () => Promise<void>;
  /** Runs and says itself how many milliseconds count, where that is not all of `run`. */
  readonly time?: ((clock: ClockName) => Promise<number>) | undefined;
  /** Processor time that it has taken so far, ms, where it is not this process that takes it. */
  readonly processor?: (() => number) | undefined;
  readonly dispose: () => void;
}

/** Who is measured. The first that a workload has is what the others are divided by. */
export const SIDES = {
  "seqc wasm": "seqc, its own WebAssembly, one thread",
  "seqc plain": "the same without relaxed SIMD",
  "seqc threads": "the same program on two threads",
  "seqc lean": "the same in a tenth of the memory: states of the loop are computed again",
  "seqc wide": "the same module under V8's revectorizer: an experimental flag, never on by itself",
  "seqc tfjs-wasm": "seqc on tfjs, its WebAssembly backend",
  "tfjs-layers wasm": "tfjs-layers, WebAssembly backend",
  "tfjs-layers cpu": "tfjs-layers, plain JavaScript backend",
  "tfjs wasm": "tfjs's own operation, WebAssembly backend",
  "jax-js wasm": "jax-js, jit, WebAssembly, one thread",
  "jax-js gradient": "jax-js, its gradient alone",
  onnxruntime: "onnxruntime-node, native code, one thread",
} as const satisfies Readonly<Record<string, string>>;

export type NamedSide = keyof typeof SIDES;

/** A step of the ladder: seqc with this stage and all before it. */
export type Rung = "no stage" | `+ ${StageName}`;

export type SideName = NamedSide | Rung;

/** What a workload must reach, as the project has promised. */
export type Goal =
  /** At least `atLeast` times as fast as `side`. */
  | { readonly kind: "faster"; readonly side: NamedSide; readonly atLeast: number }
  /** `side`, another way to run the same, is at least `atLeast` times as fast. */
  | { readonly kind: "gain"; readonly side: NamedSide; readonly atLeast: number }
  /** `side`, another way to run the same, takes at most `atMost` times the time. */
  | { readonly kind: "loss"; readonly side: NamedSide; readonly atMost: number }
  /** At least this part of the multiply-add peak of the core. */
  | { readonly kind: "peak"; readonly atLeast: number }
  /** At least this part of the speed, per FLOP, of another workload. */
  | { readonly kind: "like"; readonly workload: string; readonly atLeast: number }
  /** At most so many milliseconds a unit. */
  | { readonly kind: "time"; readonly atMost: number }
  /** At most so many times the time of another workload. */
  | { readonly kind: "growth"; readonly workload: string; readonly atMost: number };

export interface Workload {
  readonly name: string;
  readonly title: string;
  /** What is timed: `training step`. */
  readonly unit: string;
  /** Units in one run. */
  readonly units: number;
  /** Of one unit: two for each multiply-add of a product; 0 where nothing is computed. */
  readonly flops: number;
  /** Sides are made one workload at a time, and only those that are wanted. */
  readonly sides: ReadonlyMap<SideName, () => Promise<Side>>;
  /** Sides that take minutes: `--quick` leaves them out. */
  readonly slow?: readonly SideName[] | undefined;
  readonly goals: readonly Goal[];
}

export function isSide(name: string): name is NamedSide {
  return Object.hasOwn(SIDES, name);
}
