import { fillRandom } from "../../src/ir/random.ts";

const ROWS = 256;
const STEPS = 50;
const FEATURES = 64;
const CLASSES = 64;

/** Vectors and classes without any relation: enough to time a training step, `seqc train bench/models/sequence.seq lstm`. */
export function sequences(): { x: readonly (readonly (readonly number[])[])[]; y: readonly (readonly number[])[] } {
  const drawn = new Float64Array(ROWS * STEPS * FEATURES);
  fillRandom(drawn, "gaussian", 1, "bench");
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  const steps = Array.from({ length: STEPS }, (_, step) => step);
  const at = (row: number, step: number): number => (row * STEPS + step) * FEATURES;
  return {
    x: rows.map((row) => steps.map((step) => [...drawn.subarray(at(row, step), at(row, step) + FEATURES)])),
    y: rows.map((row) => steps.map((step) => (row * 7 + step * 13) % CLASSES)),
  };
}
