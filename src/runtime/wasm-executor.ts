import { feedbackOf } from "../build/feedback.ts";
import { inLayout, resultLayouts } from "../build/layout.ts";
import type { Program } from "../build/program.ts";
import type { SizeBinding } from "../ir/size.ts";
import { sameSizes } from "../ir/size.ts";
import { printPlan } from "../plan/print.ts";
import { compileWasm, type Slot, type WasmProgram } from "../target/wasm/compile.ts";
import type { Instructions } from "../target/wasm/instructions.ts";
import type { Executor, ExecutorOptions, HostArray, Prepared } from "./executor.ts";
import { keepsWithin, overBudget } from "./memory-budget.ts";
import { checkpointed, type StageChoice, USUAL_STAGES } from "./passes.ts";
import { createWasmRunner, MOST_BYTES, usableInstructions, type WasmRunner } from "./wasm.ts";
import { availableThreads, chooseThreads, whyOneThread } from "./wasm-threads.ts";

/**
 * Our own WebAssembly: what is kept stays in the program's memory. Where it is not said how many `threads` run a program, these are as many
 * as its first sizes pay for; where threads cannot share memory, there is one, and `notice` says why.
 */
export function wasmExecutor(stages: StageChoice = USUAL_STAGES, given: WasmOptions = {}): Executor {
  const notice = given.threads === 1 ? undefined : whyOneThread();
  const options = notice === undefined ? given : { ...given, threads: 1 };
  return { name: "wasm", precision: "float32", notice, prepare: (program) => prepare(program, stages, options) };
}

export interface WasmOptions extends ExecutorOptions {
  /** The best that the engine has, where nothing is said. */
  readonly instructions?: Instructions;
}

function prepare(program: Program, stages: StageChoice, options: WasmOptions): Prepared {
  const { memory = MOST_BYTES } = options;
  const usual = formOf(program, stages, options);
  const params = new Set(program.graph.params.map(({ id }) => id));
  const keptIds = new Set<string>();
  // Where a param lies depends on the sizes: until they are known, values wait here.
  const waiting = new Map<string, HostArray>();
  let opened: { readonly form: Form; readonly runner: WasmRunner } | undefined;
  let bound: SizeBinding | undefined;
  const formFor = (sizes: SizeBinding): Form => {
    const form = opened?.form ?? usual;
    if (keepsWithin(form.compiled, sizes, memory)) return form;
    const less = form === usual ? formOf(checkpointed(program, stages), stages, options) : form;
    if (!keepsWithin(less.compiled, sizes, memory)) throw overBudget(less.compiled, sizes, memory);
    return less;
  };
  const open = async (sizes: SizeBinding): Promise<WasmRunner> => {
    const form = formFor(sizes);
    if (opened?.form === form) return opened.runner;
    // What the form before has kept goes into the new one.
    for (const id of keptIds)
      if (opened !== undefined && !waiting.has(id)) waiting.set(id, opened.runner.readParam(id));
    opened?.runner.dispose();
    opened = { form, runner: await startForm(form, sizes, options) };
    return opened.runner;
  };
  /** The runner where it is bound to these sizes and nothing waits: a stream's steps are short, and so must be the way to them. */
  const ready = (sizes: SizeBinding): WasmRunner | undefined =>
    bound !== undefined && waiting.size === 0 && sameSizes(bound, sizes) ? opened?.runner : undefined;
  const bind = async (sizes: SizeBinding): Promise<WasmRunner> => {
    if (opened === undefined || bound === undefined || !sameSizes(bound, sizes)) {
      (await open(sizes)).bind(sizes);
      bound = new Map(sizes);
    }
    if (opened === undefined) throw new Error(`internal: ${program.name} has not been opened`);
    for (const [id, { data }] of waiting) opened.runner.write(id, data);
    waiting.clear();
    return opened.runner;
  };
  const keptValue = (id: string): HostArray => {
    const value = waiting.get(id) ?? opened?.runner.readParam(id);
    if (value === undefined) throw new Error(`internal: %${id} is not kept`);
    return value;
  };
  return {
    keep(id, value) {
      if (!params.has(id)) return;
      keptIds.add(id);
      waiting.set(id, value);
    },
    kept: async (id) => keptValue(id),
    async run(inputs, sizes) {
      const runner = ready(sizes) ?? (await bind(sizes));
      for (const [id, { data }] of inputs) if (params.has(id)) runner.write(id, data);
      runner.run();
      return new Map(usual.results.map(({ name }) => [name, runner.read(name)]));
    },
    dispose() {
      waiting.clear();
      opened?.runner.dispose();
    },
  };
}

/** A program as it is compiled, usual or under a budget; results have the layouts that their roles promise. */
interface Form {
  readonly compiled: WasmProgram;
  readonly results: readonly Slot[];
}

function formOf(program: Program, { off, shown, show }: StageChoice, options: WasmOptions): Form {
  const { instructions = usableInstructions() } = options;
  const feedback = feedbackOf(program);
  const compiled = compileWasm(program, feedback, {
    instructions,
    fuse: !off.has("fuse"),
    planned: (plan) => {
      if (shown.has("fuse")) show("fuse", program.name, printPlan(plan));
    },
  });
  const layouts = resultLayouts(program);
  const given = compiled.results.filter(({ name }) => !feedback.has(name));
  return { compiled, results: given.map((slot) => inLayout(slot, layouts.get(slot.name))) };
}

async function startForm(
  { compiled, results }: Form,
  sizes: SizeBinding,
  { threads }: WasmOptions,
): Promise<WasmRunner> {
  const count = threads ?? bestThreads(compiled, sizes);
  if (count === 1) return createWasmRunner({ ...compiled, results });
  const { createWasmTeam } = await import("./wasm-team.ts");
  return createWasmTeam({ ...compiled, threaded: () => ({ ...compiled.threaded(), results }) }, count);
}

function bestThreads(program: WasmProgram, sizes: SizeBinding): number {
  const cores = availableThreads();
  return cores === 1 ? 1 : chooseThreads(program.portions(), sizes, cores);
}
