import { LEFT_OUT } from "../pass/pipeline.ts";
import type { Executor } from "./executor.ts";
import { behindPasses, type StageChoice, USUAL_STAGES } from "./passes.ts";
import type { WasmOptions } from "./wasm-executor.ts";

/**
 * Our own WebAssembly behind the passes, in Node and in browsers. Products are added in place and weights laid out by the kernels
 * themselves: packing them before would only copy.
 */
export async function startWasm(stages: StageChoice = USUAL_STAGES, options: WasmOptions = {}): Promise<Executor> {
  const { wasmExecutor } = await import("./wasm-executor.ts");
  return behindPasses(wasmExecutor(stages, options), LEFT_OUT.wasm, stages);
}
