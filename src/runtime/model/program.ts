import type { ParamRole } from "../../build/program.ts";
import type { Numbers } from "../strided.ts";
import type { Batch } from "./arrays.ts";
import { type ProgramMemory, type ProgramSpec, roleOf } from "./spec.ts";

/** An array that a model gives: row-major, the batch first where there is one. */
export interface Output<S extends readonly number[] = readonly number[]> {
  readonly shape: S;
  readonly data: Float32Array | Int32Array;
}

/** What a call is given beside its arrays. */
export interface Call {
  readonly batch: Batch;
  readonly seed: number;
  readonly training: boolean;
  readonly step: number;
  readonly steps: number;
  readonly steps_per_epoch: number;
  /** Whether carried states start anew. */
  readonly fresh: boolean;
}

/** What programs run on: opens them, each with memory of its own. */
export interface Machine<M> {
  open(spec: ProgramSpec<M>): Promise<OpenProgram>;
  dispose(): void;
}

/** Results by what callers call them. */
export type Results = Record<string, Output>;

/** A program that is ready to run. */
export interface OpenProgram {
  readonly memory: ProgramMemory;
  /** Lays out memory for sizes. Params of fixed size keep their values, and so do others whose shape stays as it was. */
  bind(sizes: ReadonlyMap<string, number>): Awaitable<unknown>;
  write(param: string, values: Numbers): void;
  read(params: readonly string[]): Awaitable<readonly Output[]>;
  /** Runs once, as far as nothing must be waited for. What the program keeps (weights, slots, carried states) must have been written. */
  start(call: Call, more?: ReadonlyMap<string, Numbers>): void;
  /** What has been started since the last time, in order. */
  finish(): Awaitable<readonly Results[]>;
  dispose(): void;
}

export type Awaitable<T> = T | Promise<T>;

/** Runs a program once. */
export async function runOnce(program: OpenProgram, call: Call, more?: ReadonlyMap<string, Numbers>): Promise<Results> {
  program.start(call, more);
  return (await program.finish()).at(-1) ?? {};
}

/** What a call gives a program, by param. */
export function callArguments(
  spec: ProgramSpec,
  memory: ProgramMemory,
  call: Call,
  more: ReadonlyMap<string, Numbers> = new Map(),
): readonly (readonly [string, Numbers])[] {
  return memory.params.flatMap(({ name }) => {
    const value = more.get(name) ?? argumentOf(roleOf(spec, name), call);
    return value === undefined ? [] : [[name, value] as const];
  });
}

/** Undefined for what a program keeps itself. */
function argumentOf(role: ParamRole, call: Call): Numbers | undefined {
  switch (role.kind) {
    case "input":
      return call.batch.arrays.get(role.name);
    case "length":
      return call.batch.lengths.get(role.time);
    case "present":
      return new Uint8Array(call.batch.sizes.get("B") ?? 0).fill(1);
    case "fresh":
    case "training":
    case "seed":
    case "step":
    case "steps":
    case "steps_per_epoch":
      return [Number(call[role.kind])];
    case "option":
      return [role.value];
    default:
      return undefined;
  }
}
