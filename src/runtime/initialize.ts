import { fillRandom } from "../ir/random.ts";

/** How a weight starts: what stands behind `init`. */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  /** Mean 0, standard deviation `sigma`. */
  | { readonly kind: "normal"; readonly sigma: number }
  | { readonly kind: "uniform"; readonly low: number; readonly high: number }
  | { readonly kind: "glorot" }
  | { readonly kind: "he" }
  | { readonly kind: "orthogonal" };

/**
 * The first value of a weight, row-major. It depends on the seed, the weight's name and shape alone: a further weight changes no
 * other.
 */
export function initialize(
  initializer: Initializer,
  shape: readonly number[],
  seed: number,
  name: string,
): Float32Array {
  const size = shape.reduce((all, axis) => all * axis, 1);
  switch (initializer.kind) {
    case "constant":
      return new Float32Array(size).fill(initializer.value);
    case "normal":
      return gaussian(size, initializer.sigma, seed, name);
    case "uniform":
      return uniform(size, initializer.low, initializer.high, seed, name);
    case "glorot": {
      const bound = glorotBound(shape);
      return uniform(size, -bound, bound, seed, name);
    }
    case "he":
      return gaussian(size, Math.sqrt(2 / fanIn(shape)), seed, name);
    case "orthogonal":
      return orthogonal(shape, seed, name);
  }
}

/** √(6 / (fan in + fan out)), of the last axis and the one before it; axes before those repeat the matrix (Glorot & Bengio 2010, eq. 16). */
function glorotBound(shape: readonly number[]): number {
  const inputs = shape.at(-1) ?? 1;
  const outputs = shape.at(-2) ?? 1;
  return Math.sqrt(6 / (inputs + outputs));
}

/** All axes but the first: `W @ x` and `conv(W, x)` sum over them (He et al. 2015, eq. 10). A vector counts whole. */
function fanIn(shape: readonly number[]): number {
  const summed = shape.length < 2 ? shape : shape.slice(1);
  return Math.max(
    1,
    summed.reduce((all, axis) => all * axis, 1),
  );
}

/**
 * Rows, or columns where there are fewer of these, of length 1 and at right angles: gaussian vectors by Gram-Schmidt, each
 * projected twice against rounding (Saxe, McClelland, Ganguli 2014; Giraud et al. 2005). Axes before the last two repeat it.
 */
function orthogonal(shape: readonly number[], seed: number, name: string): Float32Array {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.at(-2) ?? 1;
  const size = shape.reduce((all, axis) => all * axis, 1);
  const drawn = new Float64Array(size);
  fillRandom(drawn, "gaussian", seed, streamOf(name));
  const result = new Float32Array(size);
  const [count, length] = rows <= columns ? [rows, columns] : [columns, rows];
  for (let base = 0; base < size; base += rows * columns) {
    const basis: Float64Array[] = [];
    for (let vector = 0; vector < count; vector++)
      basis.push(orthonormal(drawn.slice(base + vector * length, base + (vector + 1) * length), basis));
    basis.forEach((vector, at) => {
      vector.forEach((value, element) => {
        result[base + (rows <= columns ? at * columns + element : element * columns + at)] = value;
      });
    });
  }
  return result;
}

function orthonormal(vector: Float64Array, basis: readonly Float64Array[]): Float64Array {
  for (let pass = 0; pass < 2; pass++)
    for (const other of basis) {
      const along = dot(vector, other);
      for (let element = 0; element < vector.length; element++) vector[element]! -= along * other[element]!;
    }
  const norm = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / norm);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let element = 0; element < a.length; element++) sum += a[element]! * b[element]!;
  return sum;
}

function uniform(size: number, low: number, high: number, seed: number, name: string): Float32Array {
  const drawn = new Float64Array(size);
  fillRandom(drawn, "uniform", seed, streamOf(name));
  return Float32Array.from(drawn, (value) => low + (high - low) * value);
}

function gaussian(size: number, sigma: number, seed: number, name: string): Float32Array {
  const drawn = new Float64Array(size);
  fillRandom(drawn, "gaussian", seed, streamOf(name));
  return Float32Array.from(drawn, (value) => sigma * value);
}

function streamOf(name: string): string {
  return `init ${name}`;
}
