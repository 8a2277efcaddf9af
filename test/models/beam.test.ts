import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { wasmExecutor } from "../../src/runtime/wasm-executor.ts";
import { compileGenerationOf, compileText } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, type NamedArray, randomArrays } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

const [V, LENGTH, EXAMPLES] = [4, 3, 2] as const;
/** BOS and EOS are the last of the vocabulary. */
const END = V - 1;

const PLAIN = `model M(Vs, Vt, H = 3) {
  time S, T
  in  word: tok(Vs)[S]
  use es = Embed(Vs, H, sigma: 1), et = Embed(Vt, H, sigma: 1), enc = GRU(H, H), dec = GRU(H, H), head = Linear(H, Vt)
  m, s0 = scan enc over es(word)
  prev[t] = phones[t-1] else BOS
  y = scan dec over et(prev) from s0
  emit phones[t in T]: tok(Vt) ~ categorical(head(y[t])) until EOS
}`;

/** Keys and values of earlier tokens are kept: they too must follow the beams. */
const ATTENTION = `model M(Vs, Vt, H = 4) {
  time S, T
  in  word: tok(Vs)[S]
  use es = Embed(Vs, H, sigma: 1), et = Embed(Vt, H, sigma: 1), own = CausalAttention(H, 2), cross = Attention(H, 2), head = Linear(H, Vt)
  prev[t] = phones[t-1] else BOS
  x = et(prev)
  y = x + own(x)
  z = y + cross(y, es(word))
  emit phones[t in T]: tok(Vt) ~ categorical(head(z[t])) until EOS
}`;

const AHEAD = `model M(Vs, Vt, H = 3) {
  time T
  in  word: tok(Vs), phones: tok(Vt)[T]
  use es = Embed(Vs, H, sigma: 1), et = Embed(Vt, H, sigma: 1), dec = LSTM(H, H), head = Linear(H, Vt)
  y = scan dec over et(phones) + es(word)
  emit phones[t+1] ~ categorical(head(y[t])) until EOS
}`;

function generations(text: string, more = ""): string {
  const search = (name: string, how: string): string => `generate ${name} of M { word = 0 phones by ${how} ${more} }`;
  return [
    text,
    search("all", "beam(16)"),
    search("two", "beam(2)"),
    search("greedy", "greedy"),
    search("even", "beam(16, length_penalty: 1.5)"),
  ].join("\n");
}

const made = new Map<string, Program>();

function program(text: string, name: string): Program {
  const key = `${name} ${text}`;
  const known = made.get(key) ?? compiledProgram(text, name);
  made.set(key, known);
  return known;
}

function compiledProgram(text: string, name: string): Program {
  if (name === "forward") return compileText(text, { sizes: { Vs: 3, Vt: V }, dense: true });
  return compileGenerationOf(generations(text), name, { sizes: { Vs: 3, Vt: V }, dense: true }).program;
}

type Arrays = Readonly<Record<string, NamedArray>>;

/** Random weights and words; sharp enough that beams differ. */
function arraysOf(text: string, seed: number, spread = 2.5): Arrays {
  return randomArrays(program(text, "all"), { B: EXAMPLES, S: 4, T: LENGTH }, { seed, spread });
}

function decoded(text: string, name: string, arrays: Arrays): readonly (readonly number[])[] {
  const made = program(text, name);
  const results = evaluate(made.graph, feed(made, arrays, { sizes: { B: EXAMPLES, T: LENGTH }, training: false }));
  return rows(readArray(made, results, "choice.phones").data);
}

function rows(data: ArrayLike<number>): readonly (readonly number[])[] {
  return Array.from({ length: EXAMPLES }, (_, row) => Array.from(data).slice(row * LENGTH, (row + 1) * LENGTH));
}

/** Every sequence; behind EOS stands EOS. */
function sequences(first: readonly number[]): readonly (readonly number[])[] {
  if (first.length === LENGTH) return [first];
  const last = first.at(-1);
  const next = last === END ? [END] : Array.from({ length: V }, (_, token) => token);
  return next.flatMap((token) => sequences([...first, token]));
}

/** log p of a sequence up to its EOS, by the model run on it, and how long it is. */
function score(text: string, arrays: Arrays, row: number, tokens: readonly number[], given: number) {
  const forward = program(text, "forward");
  const phones = { shape: [EXAMPLES, LENGTH], data: Array.from({ length: EXAMPLES }, () => tokens).flat() };
  const results = evaluate(forward.graph, feed(forward, { ...arrays, phones }, { training: false }));
  const logits = readArray(forward, results, "phones.logits").data;
  let sum = 0;
  let count = 0;
  for (let at = given; at < LENGTH; at++) {
    const from = (row * LENGTH + at - given) * V;
    const own = Array.from(logits.slice(from, from + V));
    sum += (own[tokens[at] ?? 0] ?? 0) - Math.log(own.reduce((total, value) => total + Math.exp(value), 0));
    count++;
    if (tokens[at] === END) break;
  }
  return { sum, count };
}

function bestOf(
  text: string,
  arrays: Arrays,
  row: number,
  penalty: number,
  first: readonly number[] = [],
): readonly number[] {
  const scored = sequences(first).map((tokens) => {
    const { sum, count } = score(text, arrays, row, tokens, first.length);
    return { tokens, value: sum / ((5 + count) / 6) ** penalty };
  });
  return scored.reduce((best, one) => (one.value > best.value ? one : best)).tokens;
}

describe.each([
  ["a recurrent decoder", PLAIN],
  ["attention, whose keys and values are kept", ATTENTION],
])("beam search, %s", (_, text) => {
  test.each([1, 2, 3])("a wide one finds the best of all sequences, seed %d", (seed) => {
    const arrays = arraysOf(text, seed);
    const found = decoded(text, "all", arrays);
    for (let row = 0; row < EXAMPLES; row++) expect(found[row]).toEqual(bestOf(text, arrays, row, 0));
    const even = decoded(text, "even", arrays);
    for (let row = 0; row < EXAMPLES; row++) expect(even[row]).toEqual(bestOf(text, arrays, row, 1.5));
  });

  test("a narrow one is no worse than greedy, and differs somewhere", () => {
    let better = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const arrays = arraysOf(text, seed, 1);
      const [two, greedy] = [decoded(text, "two", arrays), decoded(text, "greedy", arrays)];
      for (let row = 0; row < EXAMPLES; row++) {
        const [ours, theirs] = [two, greedy].map((all) => score(text, arrays, row, all[row] ?? [], 0).sum);
        expect(ours).toBeGreaterThanOrEqual((theirs ?? 0) - 1e-9);
        if ((ours ?? 0) > (theirs ?? 0) + 1e-6) better++;
      }
    }
    expect(better).toBeGreaterThan(0);
  });
});

test("a beam goes on from a prompt", () => {
  const text = AHEAD;
  for (const seed of [1, 2]) {
    const arrays = arraysOf(text, seed);
    const prompt = { shape: [EXAMPLES, LENGTH], data: [0, 0, 0, 1, 1, 1] };
    const given = { ...arrays, "prompt.phones": prompt, "prompt.phones.length": { shape: [EXAMPLES], data: [1, 1] } };
    const found = decoded(text, "all", given);
    for (let row = 0; row < EXAMPLES; row++) expect(found[row]).toEqual(bestOf(text, arrays, row, 0, [row]));
  }
});

test("wasm finds what the interpreter finds", async () => {
  for (const text of [PLAIN, ATTENTION]) {
    const made = program(text, "two");
    const arrays = arraysOf(text, 5);
    const given = feed(made, arrays, { sizes: { B: EXAMPLES, T: LENGTH }, training: false });
    const prepared = wasmExecutor().prepare(made);
    const inputs = new Map([...given.inputs].map(([id, { shape, data }]) => [id, { shape, data }]));
    const results = await prepared.run(inputs, given.sizes);
    expect(rows(results.get("choice.phones")?.data ?? [])).toEqual(decoded(text, "two", arrays));
  }
});
