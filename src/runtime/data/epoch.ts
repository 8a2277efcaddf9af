import { randomOrder } from "../../ir/random.ts";
import { type Dataset, product } from "./dataset.ts";

export interface BatchRule {
  /** How many examples, or how many tokens at most, padding counted; a longer example is a batch of its own. */
  readonly size: number;
  readonly unit: "examples" | "tokens";
  readonly seed: number;
  /** Training shuffles; what is only measured need not. */
  readonly shuffle: boolean;
}

/** How many batches' examples are sorted by length together: enough to save padding, few enough to stay random. */
const POOL = 50;

/**
 * The row numbers of each batch of an epoch: every row once. The same seed and epoch give the same batches, so a run resumes at any
 * (epoch, position). Rows of similar length come together; the order of batches is random again. The last batch may be smaller.
 */
export function epochBatches(dataset: Dataset, rule: BatchRule, epoch: number): readonly Uint32Array[] {
  const lengths = rowLengths(dataset);
  const even = lengths.every((length) => length === lengths[0]);
  const order = rule.shuffle
    ? randomOrder(dataset.rows, rule.seed, `batch rows ${epoch}`)
    : Uint32Array.from(lengths, (_, row) => row);
  const byLength = (a: number, b: number): number => lengths[a]! - lengths[b]! || 0;
  const pool = rule.shuffle ? POOL * rowsPerBatch(rule, lengths) : dataset.rows;
  const batches: Uint32Array[] = [];
  for (let from = 0; from < order.length; from += pool) {
    const rows = order.subarray(from, from + pool);
    // Array sorting is stable, so equal lengths keep their random order.
    cutBatches(even ? rows : Uint32Array.from(Array.from(rows).sort(byLength)), lengths, rule, batches);
  }
  if (!rule.shuffle || even) return batches;
  return Array.from(randomOrder(batches.length, rule.seed, `batch order ${epoch}`), (at) => batches[at]!);
}

function cutBatches(rows: Uint32Array, lengths: Uint32Array, rule: BatchRule, batches: Uint32Array[]): void {
  let from = 0;
  let longest = 0;
  for (let at = 0; at < rows.length; at++) {
    longest = Math.max(longest, lengths[rows[at]!]!);
    const cost = rule.unit === "examples" ? at + 1 - from : (at + 1 - from) * longest;
    if (cost <= rule.size || at === from) continue;
    batches.push(rows.slice(from, at));
    from = at;
    longest = lengths[rows[at]!]!;
  }
  if (from < rows.length) batches.push(rows.slice(from));
}

function rowsPerBatch(rule: BatchRule, lengths: Uint32Array): number {
  if (rule.unit === "examples") return Math.max(1, rule.size);
  const mean = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
  return Math.max(1, Math.round(rule.size / mean));
}

/** The number of positions of each row: its longest ragged column; without one, the longest first axis of token columns, else of any. */
function rowLengths(dataset: Dataset): Uint32Array {
  const columns = [...dataset.columns.values()];
  const ragged = columns.flatMap((column) => column.lengths ?? []);
  if (ragged.length > 0)
    return Uint32Array.from({ length: dataset.rows }, (_, row) =>
      ragged.reduce((most, lengths) => Math.max(most, lengths[row]!), 1),
    );
  const tokens = columns.filter((column) => column.kind === "tokens" && product(column.shape) > 1);
  const sizes = (tokens.length > 0 ? tokens : columns).map((column) => column.shape[0] ?? 1);
  return new Uint32Array(dataset.rows).fill(Math.max(1, ...sizes));
}
