import { readFileSync } from "node:fs";
import { join } from "node:path";
// In a project of its own: import { compile, instantiate } from "seqc".
import { compile, instantiate } from "../../src/index.ts";
import { createService } from "./service.ts";

/*
 * `node examples/service/main.ts [WEIGHTS.safetensors]` serves the model of examples/vite; without weights it is trained first, which takes
 * some seconds. Then: curl -N "localhost:8080/generate?prompt=The&max=60".
 */

const folder = join(import.meta.dirname, "..");
const text = readFileSync(join(folder, "browser/text.txt"), "utf8");
const letters = [...new Set(text)].sort();
const ids = [...text].map((letter) => letters.indexOf(letter));

const source = readFileSync(join(folder, "vite/char_lm.seq"), "utf8");
const [model] = compile(source, { sizes: { V: letters.length } }).models;
if (model === undefined) throw new Error("examples/vite/char_lm.seq does not compile");
const CharLM = instantiate(model);
const weights = process.argv[2];
const writer = weights === undefined ? CharLM.init(1) : await CharLM.load(readFileSync(weights));
if (weights === undefined) for await (const _ of writer.train(Array(300).fill({ ids: [ids] })));

const port = Number(process.env.PORT ?? 8080);
createService(writer, { letters, emission: "ids" }).listen(port, () =>
  console.log(`http://localhost:${port}/generate`),
);
