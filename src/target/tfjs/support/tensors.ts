import * as tf from "@tensorflow/tfjs-core";
import { type Distribution, fillRandom } from "../../../ir/random.ts";

/** What tfjs-core lacks, made of calls that it has on every backend. */

/**
 * Whole numbers or flags as floats. On the webgpu backend `cast` alone leaves whole numbers in memory, which its `transpose` cannot
 * read as floats.
 */
export function toFloat(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const floats = tf.cast(x, "float32");
    if (tf.getBackend() !== "webgpu") return floats;
    // Flat, because kernels take six dimensions at most.
    return tf.reshape(tf.mul(tf.reshape(floats, [-1]), 1), x.shape);
  });
}

/** out[.., t, ..] = x[.., t + offset, ..] along an axis, positions outside moved to the nearest end. */
export function shift(x: tf.Tensor, axis: number, offset: number): tf.Tensor {
  const length = x.shape[axis] ?? 1;
  return tf.tidy(() => entries(x, axis, clippedPositions(length, 1, offset, 0)));
}

/** out[.., t, k, ..] = x[.., t + offset + stride*k, ..], positions outside moved to the nearest end; `count` values of k. */
export function window(x: tf.Tensor, axis: number, offset: number, stride: number, count: number): tf.Tensor {
  const length = x.shape[axis] ?? 1;
  const places = clippedPositions(length, count, offset, stride);
  return tf.tidy(() => entries(x, axis, tf.reshape(places, [length, count])));
}

/** x with the entries at `places` in the place of an axis. What stands before and behind it is one dimension: kernels take six at most. */
function entries(x: tf.Tensor, axis: number, places: tf.Tensor): tf.Tensor {
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const flat = tf.reshape(x, [product(before), x.shape[axis] ?? 1, product(after)]);
  return tf.reshape(tf.gather(flat, places, 1), [...before, ...places.shape, ...after]);
}

/** out[.., u, ..] = Σ over k of d[.., u - offset - stride*k, k, ..] where that is inside; k is the dimension after `axis`. */
export function unwindow(d: tf.Tensor, axis: number, offset: number, stride: number): tf.Tensor {
  const [length, count] = [d.shape[axis] ?? 1, d.shape[axis + 1] ?? 1];
  const [before, after] = [d.shape.slice(0, axis), d.shape.slice(axis + 2)];
  return tf.tidy(() => {
    const flat = tf.reshape(d, [product(before), length * count, product(after)]);
    // One more entry, zero, for what lies outside.
    const padded = tf.pad(flat, [NO_PADDING, [0, 1], NO_PADDING]);
    const places = new Int32Array(length * count);
    for (let u = 0; u < length; u++)
      for (let k = 0; k < count; k++) {
        const t = u - offset - stride * k;
        places[u * count + k] = t >= 0 && t < length ? t * count + k : length * count;
      }
    const sums = tf.sum(tf.gather(padded, tf.tensor2d(places, [length, count]), 1), 2);
    return tf.reshape(sums, [...before, length, ...after]);
  });
}

const NO_PADDING: [number, number] = [0, 0];

function clippedPositions(length: number, count: number, offset: number, stride: number): tf.Tensor1D {
  const places = new Int32Array(length * count);
  for (let t = 0; t < length; t++)
    for (let k = 0; k < count; k++) places[t * count + k] = Math.min(Math.max(t + offset + stride * k, 0), length - 1);
  return tf.tensor1d(places, "int32");
}

/**
 * x with `axis` looked up at `index`, whose dimensions take its place; an index outside is moved to the nearest end. The first
 * `shared` dimensions of both are the same and are looked up each on its own; then `axis` is the next one.
 */
export function take(x: tf.Tensor, index: tf.Tensor, axis: number, shared = 0): tf.Tensor {
  const length = x.shape[axis] ?? 1;
  return tf.tidy(() => {
    const inside = clipped(index, length);
    if (shared === 0) return entries(x, axis, inside);
    const [batch, rest] = [x.shape.slice(0, shared), x.shape.slice(shared + 1)];
    const rows = product(batch);
    const flat = tf.reshape(x, [rows * length, ...rest]);
    const places = tf.add(tf.reshape(inside, [rows, -1]), rowStarts(rows, length));
    return tf.reshape(tf.gather(flat, tf.reshape(places, [-1])), [...index.shape, ...rest]);
  });
}

/**
 * out[p, index[p, q], r] = Σ over q of values[p, q, r]: p are the first `kept` dimensions of both, q the others of `index`, r those
 * of `values` behind them; the new dimension has `count` entries. An index outside is moved to the nearest end.
 */
export function scatterAdd(values: tf.Tensor, index: tf.Tensor, kept: number, count: number): tf.Tensor {
  const [batch, rest] = [index.shape.slice(0, kept), values.shape.slice(index.rank)];
  const rows = product(batch);
  return tf.tidy(() => {
    const places = tf.add(tf.reshape(clipped(index, count), [rows, -1]), rowStarts(rows, count));
    const updates = tf.reshape(values, [index.size, product(rest)]);
    const sums = tf.scatterND(tf.reshape(places, [-1, 1]), updates, [rows * count, product(rest)]);
    return tf.reshape(sums, [...batch, count, ...rest]);
  });
}

/** Moves indices into 0 … length-1. */
function clipped(index: tf.Tensor, length: number): tf.Tensor {
  return tf.minimum(tf.maximum(index, tf.scalar(0, "int32")), tf.scalar(length - 1, "int32"));
}

/** [[0], [length], [2*length], …]: where each of `rows` runs of entries begins. */
function rowStarts(rows: number, length: number): tf.Tensor {
  const starts = Int32Array.from({ length: rows }, (_, row) => row * length);
  return tf.tensor2d(starts, [rows, 1], "int32");
}

/** Puts the steps of a loop together, steps first, and frees them. `shape` is the stack's, for a loop of no steps. */
export function stack(steps: tf.Tensor[], shape: number[], dtype: "float32" | "int32" | "bool" = "float32"): tf.Tensor {
  if (steps.length === 0) return tf.zeros(shape, dtype);
  const whole = tf.stack(steps);
  tf.dispose(steps);
  return whole;
}

/** Makes a dimension `length` long by zeros at its end, or by cutting it there. */
export function extended(x: tf.Tensor, axis: number, length: number): tf.Tensor {
  const own = x.shape[axis] ?? 1;
  const size = x.shape.map((all, at) => (at === axis ? Math.min(own, length) : all));
  const begin = x.shape.map(() => 0);
  const rest = x.shape.map((all, at) => (at === axis ? Math.max(0, length - own) : all));
  return tf.tidy(() =>
    tf.concat([tf.slice(x, begin, size), tf.zeros(rest, x.dtype === "float32" ? "float32" : "int32")], axis),
  );
}

/** Numbers in the open interval (0, 1), the same on every backend and device for the same seed and stream. */
export function randomUniform(seed: number | tf.Tensor, stream: string, shape: number[]): tf.Tensor {
  return drawNumbers("uniform", seed, stream, shape);
}

/** Standard normal numbers, the same on every backend and device for the same seed and stream. */
export function randomGaussian(seed: number | tf.Tensor, stream: string, shape: number[]): tf.Tensor {
  return drawNumbers("gaussian", seed, stream, shape);
}

function drawNumbers(distribution: Distribution, seed: number | tf.Tensor, stream: string, shape: number[]): tf.Tensor {
  const numbers = new Float64Array(product(shape));
  fillRandom(numbers, distribution, typeof seed === "number" ? seed : (seed.dataSync()[0] ?? 0), stream);
  return tf.tensor(Float32Array.from(numbers), shape, "float32");
}

/** log |Γ(x)|. Stirling's series eight steps up; Abramowitz & Stegun 6.1.41, below 1/2 with the reflection 6.1.17. */
export function lgamma(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const low = tf.less(x, 0.5);
    const z = tf.where(low, tf.sub(1, x), x);
    let rising = z;
    for (let step = 1; step < 8; step++) rising = tf.mul(rising, tf.add(z, step));
    const y = tf.add(z, 8);
    const inverse = tf.div(1, y);
    const square = tf.mul(inverse, inverse);
    const series = tf.mul(inverse, tf.add(1 / 12, tf.mul(square, tf.add(-1 / 360, tf.mul(square, 1 / 1260)))));
    const stirling = tf.add(tf.sub(tf.mul(tf.sub(y, 0.5), tf.log(y)), y), tf.add(0.5 * Math.log(2 * Math.PI), series));
    const above = tf.sub(stirling, tf.log(rising));
    const sine = tf.abs(tf.sin(tf.mul(Math.PI, tf.sub(x, tf.round(x)))));
    return tf.where(low, tf.sub(tf.log(tf.div(Math.PI, sine)), above), above);
  });
}

/** ψ(x) = Γ'(x)/Γ(x). Abramowitz & Stegun 6.3.18 eight steps up, below 1/2 with the reflection 6.3.7. */
export function digamma(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const low = tf.less(x, 0.5);
    const z = tf.where(low, tf.sub(1, x), x);
    let shifts = tf.div(1, z);
    for (let step = 1; step < 8; step++) shifts = tf.add(shifts, tf.div(1, tf.add(z, step)));
    const y = tf.add(z, 8);
    const inverse = tf.div(1, y);
    const square = tf.mul(inverse, inverse);
    const series = tf.mul(square, tf.add(1 / 12, tf.mul(square, tf.add(-1 / 120, tf.mul(square, 1 / 252)))));
    const above = tf.sub(tf.sub(tf.log(y), tf.add(tf.mul(0.5, inverse), series)), shifts);
    const angle = tf.mul(Math.PI, tf.sub(x, tf.round(x)));
    return tf.where(low, tf.sub(above, tf.div(tf.mul(Math.PI, tf.cos(angle)), tf.sin(angle))), above);
  });
}

function product(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}
