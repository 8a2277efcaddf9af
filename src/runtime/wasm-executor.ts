import { resultLayouts } from "../build/layout.ts";
import type { Program } from "../build/program.ts";
import type { SizeBinding } from "../ir/size.ts";
import { printPlan } from "../plan/print.ts";
import { compileWasm } from "../target/wasm/compile.ts";
import type { Instructions } from "../target/wasm/instructions.ts";
import { type Executor, feedbackOf, type HostArray, type Prepared } from "./executor.ts";
import { type StageChoice, USUAL_STAGES } from "./passes.ts";
import { inLayout, sameSizes } from "./result-layout.ts";
import { createWasmRunner, usableInstructions } from "./wasm.ts";

/** Our own WebAssembly: what is kept stays in the program's memory. */
export function wasmExecutor(
  stages: StageChoice = USUAL_STAGES,
  { instructions = usableInstructions() }: WasmOptions = {},
): Executor {
  return { name: "wasm", precision: "float32", prepare: (program) => prepare(program, stages, instructions) };
}

export interface WasmOptions {
  /** The best that the engine has, where nothing is said. */
  readonly instructions?: Instructions;
}

function prepare(program: Program, { off, shown, show }: StageChoice, instructions: Instructions): Prepared {
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
  const runner = createWasmRunner({ ...compiled, results });
  // Where a param lies depends on the sizes: until they are known, values wait here.
  const waiting = new Map<string, HostArray>();
  let bound: SizeBinding | undefined;
  const bind = (sizes: SizeBinding): void => {
    if (bound === undefined || !sameSizes(bound, sizes)) {
      runner.bind(sizes);
      bound = new Map(sizes);
    }
    for (const [id, { data }] of waiting) runner.write(id, data);
    waiting.clear();
  };
  const params = new Set(program.graph.params.map(({ id }) => id));
  return {
    keep(id, value) {
      if (params.has(id)) waiting.set(id, value);
    },
    kept: async (id) => waiting.get(id) ?? runner.readParam(id),
    async run(inputs, sizes) {
      bind(sizes);
      for (const [id, { data }] of inputs) if (params.has(id)) runner.write(id, data);
      runner.run();
      return new Map(results.map(({ name }) => [name, runner.read(name)]));
    },
    dispose: () => waiting.clear(),
  };
}
