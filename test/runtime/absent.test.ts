import { describe, expect, test } from "vitest";
import { createEvaluator } from "../../src/runtime/evaluate.ts";
import { TARGETS, type TargetName } from "../../src/runtime/targets.ts";
import { filesIn, prepared, type Trained, trained } from "../support/train.ts";

/** Words are always there; tags share their axis, notes have one of their own, stars are one number. */
const MODEL = `
model Reviews(V, P, N, H = 3) {
  time T, S
  in  words: tok(V)[T]
  use emb = Embed(V, H, sigma: 1), cell = GRU(H, H), tag = Linear(H, P), note = Linear(H, N), score = Linear(H, 1)
  y, s = scan cell over emb(words)
  emit tags: tok(P)[T] ~ categorical(tag(y))
  emit notes[t in S]: tok(N) ~ categorical(note(s.h))
  emit stars: [] ~ normal(score(s.h), 1)
}`;

const HEADS = { tags: "tag", notes: "note", stars: "score" } as const;
type Emission = keyof typeof HEADS;
const EMISSIONS: readonly Emission[] = ["tags", "notes", "stars"];

function regime(name: string, emission: Emission, rows: string): string {
  const others = EMISSIONS.filter((other) => other !== emission).map((other) => HEADS[other]);
  const report = emission === "stars" ? "rmse(stars)" : `accuracy(${emission})`;
  return `train ${name} of Reviews(V: 4, P: 2, N: 3) {
    data words, tags, notes, stars = jsonl("${rows}")
    minimize nll(${emission})
    freeze ${others.join(", ")}
    optim sgd(0.5)
    batch 8
    for 3 steps
    report ${report}
    seed 1
  }`;
}

const ROWS = [
  { words: [0, 1, 2, 3, 1], tags: null, notes: [2, 1], stars: null },
  { words: [3, 1], tags: [0, 1], notes: null, stars: 0.5 },
  { words: [2, 2, 0], tags: [1, 1, 0], notes: [0], stars: -1.5 },
  { words: [1], tags: null, notes: [1, 0, 2], stars: 2.5 },
];

function lines(rows: readonly object[]): string {
  return rows.map((row) => JSON.stringify(row)).join("\n");
}

/** The rows that have a value of the emission, what they lack of others filled in by hand. */
function whole(emission: Emission): string {
  const rows = ROWS.filter((row) => row[emission] !== null);
  return lines(
    rows.map(({ words, tags, notes, stars }) => ({
      words,
      tags: tags ?? words.map(() => 1),
      notes: notes ?? [0],
      stars: stars ?? 7.5,
    })),
  );
}

const FILE = filesIn({
  "reviews.seq": [
    MODEL,
    ...EMISSIONS.flatMap((name) => [regime(name, name, "rows.jsonl"), regime(`whole_${name}`, name, `${name}.jsonl`)]),
    regime("torn", "tags", "torn.jsonl"),
  ].join("\n"),
  "rows.jsonl": lines(ROWS),
  "torn.jsonl": lines([...ROWS, { words: null, tags: [1], notes: [1], stars: 1 }]),
  ...Object.fromEntries(EMISSIONS.map((name) => [`${name}.jsonl`, whole(name)])),
});

function numbersOf({ outcome }: Trained): readonly number[] {
  return [...outcome.state.weights.values()].flatMap(({ data }) => Array.from(data));
}

describe("rows without a label", () => {
  test.each(EMISSIONS)("%s: training sees only the rows that have one", async (emission) => {
    const found = await trained(FILE, { regime: emission });
    const wanted = await trained(FILE, { regime: `whole_${emission}` });
    found.losses.forEach((loss, step) => {
      expect(loss).toBeCloseTo(wanted.losses[step] ?? Number.NaN, 12);
    });
    numbersOf(found).forEach((value, at) => {
      expect(value).toBeCloseTo(numbersOf(wanted)[at] ?? Number.NaN, 6);
    });
  });

  test.each(EMISSIONS)("%s: reports count only the rows that have one", async (emission) => {
    const metrics = await Promise.all(
      [emission, `whole_${emission}`].map(async (regime) => {
        const training = await prepared(FILE, { regime });
        const evaluator = createEvaluator(await TARGETS.reference.start(), training.reports, 1);
        const { outcome } = await trained(FILE, { regime: `whole_${emission}`, steps: 1 });
        return [...(await evaluator.measure(training.feeds.trained, outcome.state.weights, async () => {}))];
      }),
    );
    expect(metrics[0]).toHaveLength(2);
    metrics[0]?.forEach(([name, value], at) => {
      expect(value, name).toBeCloseTo(metrics[1]?.[at]?.[1] ?? Number.NaN, 12);
    });
  });

  test.each<TargetName>(["wasm", "tfjs-cpu"])("%s agrees with the interpreter", async (target) => {
    for (const regime of EMISSIONS) {
      const found = await trained(FILE, { regime, target });
      const wanted = await trained(FILE, { regime });
      numbersOf(found).forEach((value, at) => {
        expect(value, regime).toBeCloseTo(numbersOf(wanted)[at] ?? Number.NaN, 5);
      });
    }
  });

  test("an input is never missing", async () => {
    await expect(prepared(FILE, { regime: "torn" })).rejects.toThrow("the value is missing");
  });
});
