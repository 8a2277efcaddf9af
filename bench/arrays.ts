import { type Distribution, fillRandom } from "../src/ir/random.ts";

/** Row-major numbers, as seqc has them outside of any device. */
export interface FloatArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The same numbers in every run, by name. */
export function randomFloats(name: string, count: number, distribution: Distribution, scale = 1): Float32Array {
  const drawn = new Float64Array(count);
  fillRandom(drawn, distribution, 1, name);
  return Float32Array.from(drawn, (value) => value * scale);
}

export function randomClasses(name: string, count: number, classes: number): Int32Array {
  return Int32Array.from(randomFloats(name, count, "uniform"), (value) => Math.min(classes - 1, value * classes));
}

export function oneHot(classes: Int32Array, count: number): Float32Array {
  const data = new Float32Array(classes.length * count);
  classes.forEach((one, row) => {
    data[row * count + one] = 1;
  });
  return data;
}

export function transposed(data: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[column * rows + row] = data[row * columns + column] ?? Number.NaN;
  return result;
}

/** [a, b, c] to [b, a, c]: batch first to time first, and back. */
export function swapped(data: Float32Array, a: number, b: number, c: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(data.length);
  for (let i = 0; i < a; i++)
    for (let j = 0; j < b; j++) result.set(data.subarray((i * b + j) * c, (i * b + j + 1) * c), (j * a + i) * c);
  return result;
}

export function joined(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const result = new Float32Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

export function difference(after: Float32Array, before: Float32Array): Float32Array {
  return after.map((value, at) => value - (before[at] ?? Number.NaN));
}
