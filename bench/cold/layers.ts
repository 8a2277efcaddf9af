/** A first character with tfjs-layers on WebAssembly: import, load weights, one step. Prints its logits and the milliseconds it took. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import type { Tensor2D } from "@tensorflow/tfjs";
import { decodeSafetensors } from "../../src/target/tfjs/support/safetensors.ts";
import { transposed } from "../arrays.ts";

const began = performance.now();
const tf = await import("@tensorflow/tfjs");
const { setWasmPaths } = await import("@tensorflow/tfjs-backend-wasm");
const [file = "", token = "0"] = process.argv.slice(2);
const weights = decodeSafetensors(readFileSync(file));
const array = (name: string) => weights.get(name) ?? { shape: [], data: new Float32Array() };
const matrix = (name: string): Tensor2D => {
  const { shape, data } = array(name);
  const [rows = 0, columns = 0] = shape;
  return tf.tensor2d(transposed(data, rows, columns), [columns, rows]);
};
tf.env().set("PROD", true);
setWasmPaths(dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm")) + sep);
await tf.setBackend("wasm");
const [vocabulary = 0, width = 0] = array("emb.W").shape;
const [units = 0] = array("cell.b.i").shape;
const model = tf.sequential({
  layers: [
    tf.layers.embedding({ inputDim: vocabulary, outputDim: width, inputLength: 1 }),
    tf.layers.lstm({ units, recurrentActivation: "sigmoid", returnSequences: true }),
    tf.layers.dense({ units: vocabulary }),
  ],
});
const gates = ["i", "f", "g", "o"];
model.setWeights([
  tf.tensor2d(array("emb.W").data, [vocabulary, width]),
  tf.concat(
    gates.map((gate) => matrix(`cell.W.${gate}`)),
    1,
  ),
  tf.concat(
    gates.map((gate) => matrix(`cell.U.${gate}`)),
    1,
  ),
  tf.concat(gates.map((gate) => tf.tensor1d(array(`cell.b.${gate}`).data))),
  matrix("head.W"),
  tf.tensor1d(array("head.b").data),
]);
const output = model.predict(tf.tensor2d([[Number(token)]]));
if (Array.isArray(output)) throw new Error("a model with one output gave several");
const logits = [...output.dataSync()];
console.log(JSON.stringify({ milliseconds: performance.now() - began, logits }));
