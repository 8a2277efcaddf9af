import type { ParamRole } from "../../build/program.ts";
import type { Numbers } from "../strided.ts";
import { createRunner, type WasmRunner } from "../wasm.ts";
import type { Batch } from "./arrays.ts";
import type { ModelSpec, ProgramSpec } from "./spec.ts";

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
  readonly stepsPerEpoch: number;
  /** Whether carried states start anew. */
  readonly fresh: boolean;
}

/** A program that is ready to run. */
export interface OpenProgram {
  readonly spec: ProgramSpec;
  readonly runner: WasmRunner;
  /** Runs once. What the program keeps (weights, slots, carried states) must have been written for these sizes. */
  run(call: Call, more?: ReadonlyMap<string, Numbers>): Record<string, Output>;
}

/** Compiles the module that a model's programs are in. Throws where there is no WebAssembly with SIMD. */
export async function openCode({ code: { plain, relaxed } }: ModelSpec): Promise<WebAssembly.Module> {
  const fast = relaxed === undefined ? undefined : await inflate(relaxed);
  return WebAssembly.compile(fast !== undefined && WebAssembly.validate(fast) ? fast : await inflate(plain));
}

/** Gives a program memory of its own. */
export async function openProgram(spec: ProgramSpec, code: WebAssembly.Module): Promise<OpenProgram> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const instance = await WebAssembly.instantiate(code, { env: { memory } });
  const runner = createRunner(spec.module, memory, instance.exports);
  return {
    spec,
    runner,
    run(call, more = new Map()) {
      for (const { name } of spec.module.params) {
        const value = more.get(name) ?? argumentOf(spec.params[name], call);
        if (value !== undefined) runner.write(name, value);
      }
      runner.run();
      return Object.fromEntries(spec.results.map((entry) => [entry.as, runner.read(entry.name)]));
    },
  };
}

async function inflate(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Undefined for what a program keeps itself. */
function argumentOf(role: ParamRole | undefined, call: Call): Numbers | undefined {
  switch (role?.kind) {
    case "input":
      return call.batch.arrays.get(role.name);
    case "length":
      return call.batch.lengths.get(role.time);
    case "present":
      return new Uint8Array(call.batch.sizes.get("B") ?? 0).fill(1);
    case "fresh":
      return [Number(call.fresh)];
    case "training":
      return [Number(call.training)];
    case "seed":
      return [call.seed];
    case "step":
      return [call.step];
    case "steps":
      return [call.steps];
    case "steps_per_epoch":
      return [call.stepsPerEpoch];
    case "option":
      return [role.value];
    default:
      return undefined;
  }
}
