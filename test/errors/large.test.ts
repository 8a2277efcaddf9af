import { describe, expect, test } from "vitest";
import { diagnose } from "./diagnose.ts";

const many = (count: number, line: (place: number) => string): string =>
  Array.from({ length: count }, (_, place) => line(place)).join("\n");

function language(use: string): string {
  return `model LM(V, E = 8) {
  time T
  in  ids: tok(V)[T]
  use emb = Embed(V, E), tower = ${use}, head = Linear(E, V)
  emit ids[t+1] ~ categorical(head(tower(emb(ids[t]))))
}
`;
}

/** What a large program gives, and within how many seconds: several times what it takes. */
const LARGE: readonly (readonly [name: string, text: string, codes: readonly string[], seconds: number])[] = [
  ["a stack of 4096 layers", language("stack 4096 of Linear(E, E)"), [], 25],
  ["a stack of 4097 layers", language("stack 4097 of Linear(E, E)"), ["wrong-option"], 2],
  [
    "sizes of 2**40 and more",
    `model M(D = 2**40, H = 2**52) {
  in  x: [D]
  use f = Linear(D, H)
  emit y: [] ~ normal(sum(f(x)), 1)
}
`,
    [],
    2,
  ],
  ["a size that no computer has", "layer L(D) {\n  in x: [1e300]\n  out x\n}\n", ["wrong-kind"], 2],
  [
    "a size that multiplies out",
    `layer L(A, B, C) {\n  in x: [${many(10, () => "(A+B+C+1)").replaceAll("\n", "*")}]\n  out x\n}\n`,
    [],
    4,
  ],
  [
    "10,000 equations",
    `layer L(D) {\n  in x: [D]\n  e0 = x\n${many(10_000, (at) => `  e${at + 1} = tanh(e${at})`)}\n  out e10000\n}\n`,
    [],
    15,
  ],
  [
    "2,000 equations, each before the one that it needs",
    `layer L(D) {\n  in x: [D]\n${many(2000, (at) => `  e${at} = tanh(e${at + 1})`)}\n  e2000 = x\n  out e0\n}\n`,
    [],
    8,
  ],
  [
    "a circle of 3,000 equations",
    `layer L(D) {\n  in x: [D]\n${many(3000, (at) => `  e${at} = tanh(e${(at + 1) % 3000})`)}\n  out e0\n}\n`,
    ["too-involved"],
    5,
  ],
  [
    "200 recurrences, one on the other",
    `model M(D) {\n  time T\n  in x: [T, D]\n  h0 = x\n${many(200, (at) => `  h${at + 1}[t] = tanh(h${at}[t] + h${at + 1}[t-1] else 0)`)}\n  emit y: [] ~ normal(sum[T, D](h200), 1)\n}\n`,
    [],
    10,
  ],
  [
    "10,000 terms",
    `layer L(D) {\n  in x: [D]\n  out ${many(10_000, () => "x").replaceAll("\n", " + ")}\n}\n`,
    ["too-deep"],
    2,
  ],
  [
    "100 layers, each inside the next",
    `layer L0(D) {\n  in x: [D]\n  out x\n}\n${many(100, (at) => `layer L${at + 1}(D) {\n  in x: [D]\n  out L${at}(x, D: D)\n}`)}\n`,
    [],
    5,
  ],
  [
    "layers that each apply the one before twice",
    `layer L0(D) {\n  in x: [D]\n  out tanh(x)\n}\n${many(40, (at) => `layer L${at + 1}(D) {\n  in x: [D]\n  out L${at}(x, D: D) + L${at}(2 * x, D: D)\n}`)}\n`,
    ["too-involved"],
    10,
  ],
];

describe("large programs end, in a diagnostic or well", () => {
  test.each(LARGE)("%s", (_name, text, codes, seconds) => {
    const start = performance.now();
    const { diagnostics } = diagnose({ file: "large.seq", text });
    expect(diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code)).toEqual(codes);
    expect((performance.now() - start) / 1000).toBeLessThan(seconds);
  });
});
