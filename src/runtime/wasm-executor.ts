import { resultLayouts } from "../build/layout.ts";
import type { Program } from "../build/program.ts";
import type { SizeBinding } from "../ir/size.ts";
import { printPlan } from "../plan/print.ts";
import { compileWasm, type Slot } from "../target/wasm/compile.ts";
import { type Executor, elementCount, feedbackOf, type HostArray, type Prepared } from "./executor.ts";
import { type StageChoice, USUAL_STAGES } from "./passes.ts";
import { createWasmRunner, type WasmArray } from "./wasm.ts";

/** Our own WebAssembly: what is kept stays in the program's memory. */
export function wasmExecutor(stages: StageChoice = USUAL_STAGES): Executor {
  return { name: "wasm", precision: "float32", prepare: (program) => prepare(program, stages) };
}

function prepare(program: Program, { off, shown, show }: StageChoice): Prepared {
  const feedback = feedbackOf(program);
  const compiled = compileWasm(program, feedback, {
    fuse: !off.has("fuse"),
    planned: (plan) => {
      if (shown.has("fuse")) show("fuse", program.name, printPlan(plan));
    },
  });
  const runner = createWasmRunner(compiled);
  const layouts = resultLayouts(program);
  const results = compiled.results.filter(({ name }) => !feedback.has(name));
  // Where a param lies depends on the sizes: until they are known, values wait here.
  const waiting = new Map<string, HostArray>();
  let bound = "";
  const bind = (sizes: SizeBinding): void => {
    const key = JSON.stringify([...sizes]);
    if (key !== bound) runner.bind(sizes);
    bound = key;
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
      return new Map(
        results.map((slot) => [slot.name, inLayout(slot, runner.read(slot.name), layouts.get(slot.name))]),
      );
    },
    dispose: () => waiting.clear(),
  };
}

/** A result in the order of axes that its role promises. */
function inLayout(slot: Slot, { shape, data }: WasmArray, layout: readonly string[] | undefined): HostArray {
  const own = slot.axes.map((axis) => axis.id);
  if (layout === undefined || layout.every((axis, at) => own[at] === axis)) return { shape, data };
  const order = layout.map((axis) => own.indexOf(axis));
  const sizes = order.map((axis) => shape[axis] ?? 1);
  const strides = order.map((axis) => elementCount(shape.slice(axis + 1)));
  const out = data.slice();
  const position = new Array<number>(sizes.length).fill(0);
  for (let index = 0; index < out.length; index++) {
    out[index] = data[position.reduce((place, at, axis) => place + at * (strides[axis] ?? 0), 0)] ?? 0;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      position[axis] = (position[axis] ?? 0) + 1;
      if ((position[axis] ?? 0) < (sizes[axis] ?? 1)) break;
      position[axis] = 0;
    }
  }
  return { shape: sizes, data: out };
}
