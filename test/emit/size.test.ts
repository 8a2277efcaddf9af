import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { afterAll, expect, test } from "vitest";
import { emitStandalone } from "../../src/emit/standalone/emit.ts";
import { STANDALONE } from "../support/typescript.ts";
import { moduleFolder } from "../target/emitted.ts";
import { programsOf, sourceText } from "./open.ts";

/* How large models are that an application delivers: minified and compressed, without weights. */

const { write, dispose } = moduleFolder();
afterAll(dispose);

const programs = programsOf(sourceText("models/char_lm.seq"), { V: 83 });
const [one, generation] = [programs.train.slice(0, 1), programs.generate.slice(0, 1)];

test.each([
  ["for use alone", true, 12_000],
  ["with a training", false, 25_000],
] as const)("a language model of characters %s", async (_, inference, most) => {
  const input = { ...programs, train: inference ? [] : one, generate: generation };
  const { path, text } = emitStandalone(input, await STANDALONE, { instructions: ["plain"], inference });
  const bundle = await rolldown({ input: write(path, text) });
  const { output } = await bundle.generate({ format: "es", minify: true });
  await bundle.close();
  expect(gzipSync(output[0].code, { level: 9 }).length).toBeLessThan(most);
});
