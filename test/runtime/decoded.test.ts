import { describe, expect, test } from "vitest";
import type { DecodedName } from "../../src/build/metrics.ts";
import { createEvaluator } from "../../src/runtime/evaluate.ts";
import { SEQUENCE_METRICS, type Tokens } from "../../src/runtime/sequence-metrics.ts";
import { TARGETS, type TargetName } from "../../src/runtime/targets.ts";
import { compileReportsOf, compileText } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, randomArrays } from "../support/feed.ts";
import { readArray } from "../support/read.ts";
import { filesIn, prepared, trained } from "../support/train.ts";

function measured(name: DecodedName, pairs: readonly (readonly [found: Tokens, wanted: Tokens])[]): number {
  const metric = SEQUENCE_METRICS[name];
  const sums = new Float64Array(metric.size);
  for (const [found, wanted] of pairs) metric.add(sums, found, wanted);
  return metric.value(sums);
}

describe("metrics of sequences", () => {
  test("exact", () =>
    expect(
      measured("exact", [
        [
          [1, 2],
          [1, 2],
        ],
        [[1], [1, 2]],
        [[], []],
        [[3], [4]],
      ]),
    ).toBe(0.5));

  test("edit rate: insertions, deletions and replacements for each token of the answers", () => {
    expect(
      measured("edit_rate", [
        [
          [1, 2, 3],
          [1, 3],
        ],
        [[5], [6]],
        [[], [7, 8]],
      ]),
    ).toBe(4 / 5);
    // kitten, sitting
    expect(
      measured("edit_rate", [
        [
          [1, 2, 3, 3, 4, 5],
          [6, 2, 3, 3, 2, 5, 7],
        ],
      ]),
    ).toBe(3 / 7);
  });

  test("bleu", () => {
    // All n-grams of the shorter one match: the brevity penalty alone.
    expect(
      measured("bleu", [
        [
          [1, 2, 3, 4, 5],
          [1, 2, 3, 4, 5, 6],
        ],
      ]),
    ).toBeCloseTo(Math.exp(1 - 6 / 5), 12);
    const [one, two, three, four] = [5 / 6, 3 / 5, 2 / 4, 1 / 3];
    expect(
      measured("bleu", [
        [
          [1, 2, 3, 4, 9, 5],
          [1, 2, 3, 4, 5, 6],
        ],
      ]),
    ).toBeCloseTo((one * two * three * four) ** 0.25, 12);
    expect(
      measured("bleu", [
        [
          [1, 2],
          [1, 2],
        ],
      ]),
    ).toBe(0);
  });

  test("spans are runs of one token other than 0", () => {
    // Found: 1 at 1-2, 2 at 4. Wanted: 1 at 1-2, 2 at 3-4.
    expect(
      measured("span_f1", [
        [
          [0, 1, 1, 0, 2],
          [0, 1, 1, 2, 2],
        ],
      ]),
    ).toBe(0.5);
  });
});

const FILE = filesIn({
  "spell.seq": `
    model Spell(Vs, Vt, H = 12) {
      time S, T
      in  word: tok(Vs)[S]
      use es = Embed(Vs, H, sigma: 1), et = Embed(Vt, H, sigma: 1), enc = GRU(H, H), dec = GRU(H, H), head = Linear(H, Vt)
      m, s0 = scan enc over es(word)
      prev[t] = phones[t-1] else BOS
      y = scan dec over et(prev) from s0
      emit phones[t in T]: tok(Vt) ~ categorical(head(y[t])) until EOS
    }
    train spell of Spell {
      data word, phones = jsonl("words.jsonl")
      val word, phones = jsonl("words.jsonl")
      minimize nll(phones) optim adam(3e-2) batch 4 for 60 epochs
      report wer = 1 - exact(phones by greedy), per = edit_rate(phones), bleu(phones by best)
      seed 1
    }`,
  "words.jsonl": ["abc", "cab", "b", "acca"]
    .map((word) =>
      JSON.stringify({
        word,
        phones: [...word]
          .reverse()
          .map((letter) => letter.toUpperCase())
          .join(""),
      }),
    )
    .join("\n"),
});

describe("reports of what is decoded", () => {
  test.each<TargetName>(["reference", "wasm"])(
    "%s: what has been learned is decoded without the answers",
    async (target) => {
      const { training, outcome } = await trained(FILE, { target });
      expect(outcome.metrics.get("val.wer")).toBe(0);
      expect(outcome.metrics.get("val.per")).toBe(0);
      const start = await trained(FILE, { target, steps: 1 });
      const evaluator = createEvaluator(await TARGETS[target].start(), training.reports, 1);
      const metrics = await evaluator.measure(training.feeds.trained, start.outcome.state.weights, async () => {});
      expect(metrics.get("wer")).toBe(1);
      expect(metrics.get("per")).toBeGreaterThan(0.5);
    },
  );

  test("a watched metric falls or rises as its expression says", async () => {
    const { reports } = await prepared(FILE);
    expect(reports.names).toEqual(["loss", "wer", "per", "bleu(phones by best)"]);
    expect(reports.decoded.map(({ name }) => name)).toEqual(["exact", "edit_rate", "bleu"]);
  });
});

const TAGS = `model M(K = 3) {
  time T
  in  x: [T]
  use f = Linear(1, K)
  emit y: tok(K)[T] ~ categorical(f(reshape(x, [T, 1])))
}
train check of M { data x, y = csv("rows.csv") minimize nll(y, smoothing: 0.25) optim sgd(0.1) for 1 steps report nll(y), f1(y by best, of: 1) }`;

describe("metrics beside the loss", () => {
  const program = compileText(TAGS, { regime: "check", gradients: false, values: [] });
  const arrays = randomArrays(program, { B: 3, T: 5 }, { lengths: { T: [5, 3, 2] }, seed: 4 });
  const results = evaluate(program.graph, feed(program, arrays));
  const logits = readArray(program, results, "y.logits").data;
  const truth = Array.from(arrays.y?.data ?? []);
  const inside = truth.map((_, at) => at % 5 < ([5, 3, 2][Math.floor(at / 5)] ?? 0));
  const row = (at: number): readonly number[] => Array.from(logits.slice(3 * at, 3 * at + 3));
  const logs = (at: number): readonly number[] => {
    const norm = Math.log(row(at).reduce((sum, value) => sum + Math.exp(value), 0));
    return row(at).map((value) => value - norm);
  };

  test("labels are smoothed over the vocabulary", () => {
    const costs = truth.flatMap((token, at) => {
      const own = logs(at);
      const even = -own.reduce((sum, value) => sum + value) / 3;
      return inside[at] ? [-0.75 * (own[token] ?? 0) + 0.25 * even] : [];
    });
    const mean = costs.reduce((sum, cost) => sum + cost) / costs.length;
    expect(results.get("loss")?.data[0]).toBeCloseTo(mean, 10);
  });

  test("f1 of one token", () => {
    const { totals, decoded } = compileReportsOf(TAGS, "check");
    expect(decoded).toEqual([]);
    const given = evaluate(totals.graph, feed(totals, arrays, { training: false }));
    const best = truth.map((_, at) => row(at).indexOf(Math.max(...row(at))));
    const count = (is: (at: number) => boolean): number => truth.filter((_, at) => inside[at] && is(at)).length;
    const hits = count((at) => best[at] === 1 && truth[at] === 1);
    const both = count((at) => best[at] === 1) + count((at) => truth[at] === 1);
    expect(both).toBeGreaterThan(0);
    expect(given.get("sum.2")?.data[0]).toBe(2 * hits);
    expect(given.get("count.2")?.data[0]).toBe(both);
  });
});
