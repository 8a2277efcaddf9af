import { readFile } from "node:fs/promises";
import type { SourceText } from "../target/typescript/bundle.ts";

/** Source files whose functions emitted modules carry with them, in the order in which they stand there. */
const FILES = [
  "../ir/random.ts",
  "./initialize.ts",
  "../target/tfjs/support/tensors.ts",
  "../target/tfjs/support/safetensors.ts",
] as const;

/** Reads them: what the compiler itself runs is what emitted modules run. */
export function readTypescriptSupport(): Promise<readonly SourceText[]> {
  return Promise.all(
    FILES.map(async (path, at) => ({
      path: `support${at}.ts`,
      text: await readFile(new URL(path, import.meta.url), "utf8"),
    })),
  );
}
