import { feedbackOf } from "../build/feedback.ts";
import { inLayout, resultLayouts } from "../build/layout.ts";
import type { Program } from "../build/program.ts";
import type { SizeBinding } from "../ir/size.ts";
import { sameSizes } from "../ir/size.ts";
import { printPlan } from "../plan/print.ts";
import { compileWasm, type WasmProgram } from "../target/wasm/compile.ts";
import type { Instructions } from "../target/wasm/instructions.ts";
import type { Executor, ExecutorOptions, HostArray, Prepared } from "./executor.ts";
import { type StageChoice, USUAL_STAGES } from "./passes.ts";
import { createWasmRunner, usableInstructions, type WasmRunner } from "./wasm.ts";
import { availableThreads, chooseThreads } from "./wasm-threads.ts";

/**
 * Our own WebAssembly: what is kept stays in the program's memory. Where it is not said how many `threads` run a program, these are as many
 * as its first sizes pay for.
 */
export function wasmExecutor(stages: StageChoice = USUAL_STAGES, options: WasmOptions = {}): Executor {
  return { name: "wasm", precision: "float32", prepare: (program) => prepare(program, stages, options) };
}

export interface WasmOptions extends ExecutorOptions {
  /** The best that the engine has, where nothing is said. */
  readonly instructions?: Instructions;
}

function prepare(program: Program, { off, shown, show }: StageChoice, options: WasmOptions): Prepared {
  const { instructions = usableInstructions(), threads } = options;
  const feedback = feedbackOf(program);
  const compiled = compileWasm(program, feedback, {
    instructions,
    fuse: !off.has("fuse"),
    planned: (plan) => {
      if (shown.has("fuse")) show("fuse", program.name, printPlan(plan));
    },
  });
  const layouts = resultLayouts(program);
  const results = compiled.results
    .filter(({ name }) => !feedback.has(name))
    .map((slot) => inLayout(slot, layouts.get(slot.name)));
  let opened: WasmRunner | undefined;
  const openFor = async (sizes: SizeBinding): Promise<WasmRunner> => {
    const count = threads ?? bestThreads(compiled, sizes);
    if (count === 1) return createWasmRunner({ ...compiled, results });
    const { createWasmTeam } = await import("./wasm-team.ts");
    return createWasmTeam({ ...compiled, threaded: () => ({ ...compiled.threaded(), results }) }, count);
  };
  // Where a param lies depends on the sizes: until they are known, values wait here.
  const waiting = new Map<string, HostArray>();
  let bound: SizeBinding | undefined;
  const bind = async (sizes: SizeBinding): Promise<WasmRunner> => {
    opened ??= await openFor(sizes);
    const runner = opened;
    if (bound === undefined || !sameSizes(bound, sizes)) {
      runner.bind(sizes);
      bound = new Map(sizes);
    }
    for (const [id, { data }] of waiting) runner.write(id, data);
    waiting.clear();
    return runner;
  };
  const keptValue = (id: string): HostArray => {
    const value = waiting.get(id) ?? opened?.readParam(id);
    if (value === undefined) throw new Error(`internal: %${id} is not kept`);
    return value;
  };
  const params = new Set(program.graph.params.map(({ id }) => id));
  return {
    keep(id, value) {
      if (params.has(id)) waiting.set(id, value);
    },
    kept: async (id) => keptValue(id),
    async run(inputs, sizes) {
      const runner = await bind(sizes);
      for (const [id, { data }] of inputs) if (params.has(id)) runner.write(id, data);
      runner.run();
      return new Map(results.map(({ name }) => [name, runner.read(name)]));
    },
    dispose() {
      waiting.clear();
      opened?.dispose();
    },
  };
}

function bestThreads(program: WasmProgram, sizes: SizeBinding): number {
  const cores = availableThreads();
  return cores === 1 ? 1 : chooseThreads(program.portions(), sizes, cores);
}
