import type { DecodedName } from "../build/metrics.ts";

export type Tokens = readonly number[];

/** A metric of sequences: what is summed over all of them, and what the sums mean. */
export interface SequenceMetric {
  readonly size: number;
  readonly add: (sums: Float64Array, found: Tokens, wanted: Tokens) => void;
  readonly value: (sums: Float64Array) => number;
}

export const SEQUENCE_METRICS: Readonly<Record<DecodedName, SequenceMetric>> = {
  /** The share of sequences that are right from end to end. */
  exact: {
    size: 2,
    add: (sums, found, wanted) => {
      sums[0]! += found.length === wanted.length && found.every((token, at) => token === wanted[at]) ? 1 : 0;
      sums[1]! += 1;
    },
    value: ([right = 0, all = 0]) => right / all,
  },
  /** Insertions, deletions and replacements for each token of the answers. */
  edit_rate: {
    size: 2,
    add: (sums, found, wanted) => {
      sums[0]! += editDistance(found, wanted);
      sums[1]! += wanted.length;
    },
    value: ([edits = 0, tokens = 0]) => edits / tokens,
  },
  /** Of the whole corpus, n-grams up to 4, one answer each (Papineni et al. 2002). */
  bleu: { size: 10, add: addBleu, value: bleuOf },
  /** 2 · hits / (found + wanted) of spans: the longest runs of one token other than 0. */
  span_f1: {
    size: 2,
    add: (sums, found, wanted) => {
      const [ours, theirs] = [spansOf(found), spansOf(wanted)];
      sums[0]! += 2 * [...ours].filter((span) => theirs.has(span)).length;
      sums[1]! += ours.size + theirs.size;
    },
    value: ([hits = 0, both = 0]) => hits / both,
  },
};

/** Levenshtein 1966. */
export function editDistance(a: Tokens, b: Tokens): number {
  let row = Int32Array.from({ length: b.length + 1 }, (_, at) => at);
  for (const [at, token] of a.entries()) {
    const next = new Int32Array(b.length + 1);
    next[0] = at + 1;
    for (const [place, other] of b.entries()) {
      next[place + 1] = Math.min(row[place]! + (token === other ? 0 : 1), row[place + 1]! + 1, next[place]! + 1);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const LONGEST = 4;

/** Sums: the two lengths, then matches and counts by length of the n-gram. */
function addBleu(sums: Float64Array, found: Tokens, wanted: Tokens): void {
  sums[0]! += found.length;
  sums[1]! += wanted.length;
  for (let size = 1; size <= LONGEST; size++) {
    const theirs = grams(wanted, size);
    let matches = 0;
    for (const [gram, count] of grams(found, size)) matches += Math.min(count, theirs.get(gram) ?? 0);
    sums[2 * size]! += matches;
    sums[2 * size + 1]! += Math.max(0, found.length - size + 1);
  }
}

function bleuOf(sums: Float64Array): number {
  const [found = 0, wanted = 0] = sums;
  let log = 0;
  for (let size = 1; size <= LONGEST; size++)
    log += Math.log((sums[2 * size] ?? 0) / (sums[2 * size + 1] ?? 0)) / LONGEST;
  const brevity = found >= wanted ? 1 : Math.exp(1 - wanted / found);
  return Number.isFinite(log) ? brevity * Math.exp(log) : 0;
}

function grams(tokens: Tokens, size: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (let at = 0; at + size <= tokens.length; at++) {
    const gram = tokens.slice(at, at + size).join();
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function spansOf(tokens: Tokens): ReadonlySet<string> {
  const spans = new Set<string>();
  for (let from = 0; from < tokens.length; ) {
    let to = from;
    while (to < tokens.length && tokens[to] === tokens[from]) to++;
    if (tokens[from] !== 0) spans.add(`${tokens[from]} ${from} ${to}`);
    from = to;
  }
  return spans;
}
