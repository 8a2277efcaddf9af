import { readFile } from "node:fs/promises";
import type { SupportPart } from "../emit/bundle.ts";

/** Source files whose functions modules on tfjs carry with them, in the order in which they stand there. */
const TFJS_FILES = [
  "../ir/random.ts",
  "./initialize.ts",
  "../target/tfjs/support/tensors.ts",
  "../target/tfjs/support/safetensors.ts",
] as const;

/** The same for modules that need nothing else. */
const STANDALONE_FILES = [
  "./model/model.ts",
  "./model/weights.ts",
  "./model/step.ts",
  "./model/train.ts",
  "./model/generate.ts",
  "./model/program.ts",
  "./model/on-wasm.ts",
  "./model/on-webgpu.ts",
  "./model/on-either.ts",
  "./model/arrays.ts",
  "./model/spec.ts",
  "./wasm.ts",
  "./wasm-binding.ts",
  "./gpu-program.ts",
  "./webgpu-log.ts",
  "./webgpu-array.ts",
  "./gpu-errors.ts",
  "./gpu-request.ts",
  "./gpu-constants.ts",
  "./strided.ts",
  "../target/wasm/bind.ts",
  "../target/wasm/module.ts",
  "../target/webgpu/bind.ts",
  "../target/webgpu/module.ts",
  "../target/webgpu/shader-text.ts",
  "../target/webgpu/cost.ts",
  "../plan/bound-size.ts",
  "../plan/arena.ts",
  "../plan/part.ts",
  "../plan/place.ts",
  "./hinted-error.ts",
  "./initialize.ts",
  "../ir/random.ts",
  "../ir/tensor.ts",
  "../ir/size.ts",
  "../ir/type.ts",
  "../build/program.ts",
  "../base/span.ts",
  "../base/printable.ts",
  "../target/tfjs/support/safetensors.ts",
] as const;

/** Types that these know without an import. */
const AMBIENT_FILES = ["./model/gpu-types.ts"] as const;

/** What modules on tfjs can carry with them: what the compiler itself runs is what emitted modules run. Data in the built package. */
export function readTypescriptSupport(): Promise<readonly SupportPart[]> {
  return readParts(TFJS_FILES);
}

/** What modules that need nothing else are made of beside their own code. */
export function readStandaloneSupport(): Promise<readonly SupportPart[]> {
  return readParts(STANDALONE_FILES, AMBIENT_FILES);
}

async function readParts(files: readonly string[], ambient: readonly string[] = []): Promise<readonly SupportPart[]> {
  const { splitSources } = await import("../emit/split.ts");
  const read = (path: string, at: number) =>
    readFile(new URL(path, import.meta.url), "utf8").then((text) => ({ path: `support${at}.ts`, text }));
  const sources = await Promise.all([...files, ...ambient].map(read));
  return splitSources(sources, sources.slice(files.length));
}
