import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { compileGenerationOf, compileStepOf, compileText } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, type NamedArray, randomArrays } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

/** What is drawn is the best: then free running has no chance in it. */
const DIST = `dist sure {
  in    logits: [K]
  of    y: tok(K)
  log_prob = logits[y] - logsumexp(logits)
  sample   = argmax(logits)
  best     = argmax(logits)
}`;

function model(read: string, more = ""): string {
  return `${DIST}
  model M(V = 5, H = 3) {
    time S, T
    in  word: tok(V)[S] ${more}
    use es = Embed(V, H, sigma: 1), et = Embed(V, H, sigma: 1), enc = GRU(H, H), dec = GRU(H, H), head = Linear(H, V)
    m, s0 = scan enc over es(word)
    prev[t] = ${read}[t-1] else BOS
    y = scan dec over et(prev) from s0
    emit phones[t in T]: tok(V) ~ sure(head(y[t]))
  }`;
}

function regime(name: string, forcing: string): string {
  return `train ${name} of M { data word, phones = jsonl("rows.jsonl") minimize nll(phones) ${forcing} optim sgd(0.1) for 1 steps }`;
}

const TEXT = [
  model("phones"),
  regime("plain", ""),
  regime("always", "teacher_forcing phones 1"),
  regime("never", "teacher_forcing phones 0"),
  regime("falling", "teacher_forcing phones linear(1.0, 0.0, epochs: 4)"),
  "generate free of M { word = [1, 2] phones by best }",
].join("\n");

const SIZES = { B: 3, S: 4, T: 5 };
const LENGTHS = { S: [4, 3, 2], T: [5, 5, 2] };

function lossOf(program: Program, arrays: Readonly<Record<string, NamedArray>>, step = 0): number {
  const results = evaluate(program.graph, feed(program, arrays, { step, stepsPerEpoch: 10 }));
  return results.get("loss")?.data[0] ?? Number.NaN;
}

describe("teacher forcing", () => {
  const never = compileStepOf(TEXT, "never");
  const arrays = randomArrays(never, SIZES, { lengths: LENGTHS, spread: 1.5 });

  test("always is the data, as without the clause", () => {
    const [plain, always] = [compileStepOf(TEXT, "plain"), compileStepOf(TEXT, "always")];
    expect(lossOf(always, arrays)).toBeCloseTo(lossOf(plain, arrays), 12);
  });

  test("never is the decoder: the model reads what generating chooses", () => {
    const free = compileGenerationOf(TEXT, "free").program;
    const made = evaluate(free.graph, feed(free, arrays, { sizes: SIZES, training: false }));
    const chosen = readArray(free, made, "choice.phones").data;
    const told = compileText(`${model("fed", ", fed: tok(V)[T]")} ${regime("plain", "")}`, { regime: "plain" });
    const wanted = lossOf(told, { ...arrays, fed: { shape: [3, 5], data: chosen } });
    expect(lossOf(never, arrays)).toBeCloseTo(wanted, 12);
    expect(lossOf(never, arrays)).not.toBeCloseTo(lossOf(compileStepOf(TEXT, "plain"), arrays), 3);
  });

  test("a schedule goes from the one to the other, position by position", () => {
    const falling = compileStepOf(TEXT, "falling");
    expect(lossOf(falling, arrays, 0)).toBeCloseTo(lossOf(compileStepOf(TEXT, "plain"), arrays), 12);
    expect(lossOf(falling, arrays, 40)).toBeCloseTo(lossOf(never, arrays), 12);
  });

  test("has the gradient of differences", () => {
    const falling = compileStepOf(TEXT, "falling");
    const given = (name: string, by: number): Readonly<Record<string, NamedArray>> => {
      const array = arrays[name];
      if (array === undefined) throw new Error(name);
      const data = Float64Array.from(array.data);
      data[1] = (data[1] ?? 0) + by;
      return { ...arrays, [name]: { ...array, data } };
    };
    const results = evaluate(falling.graph, feed(falling, arrays, { step: 20, stepsPerEpoch: 10 }));
    for (const { name } of falling.weights) {
      const after = readArray(falling, results, `weight.${name}`).data[1] ?? Number.NaN;
      const gradient = ((arrays[name]?.data[1] ?? 0) - after) / 0.1;
      const difference = (lossOf(falling, given(name, 1e-5), 20) - lossOf(falling, given(name, -1e-5), 20)) / 2e-5;
      expect(gradient, name).toBeCloseTo(difference, 6);
    }
  });
});
