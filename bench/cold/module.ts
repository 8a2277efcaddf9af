/** A first character with a compiled model: import, load weights, one step. Prints its logits and the milliseconds it took. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

interface Loaded {
  step(states: undefined, inputs: { readonly ids: number[][] }): Promise<readonly [{ logits: { data: Float32Array } }]>;
}

const began = performance.now();
const [module = "", file = "", token = "0"] = process.argv.slice(2);
const { CharLM }: { CharLM: { load(bytes: Uint8Array): Promise<Loaded> } } = await import(pathToFileURL(module).href);
const model = await CharLM.load(readFileSync(file));
const [{ logits }] = await model.step(undefined, { ids: [[Number(token)]] });
console.log(JSON.stringify({ milliseconds: performance.now() - began, logits: [...logits.data] }));
