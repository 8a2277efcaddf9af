import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { evaluateSize } from "../../src/ir/size.ts";
import { expectNumbers, numbers, withRegime } from "../support/arrays.ts";
import { compileText, packageFile, readSource } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed, type NamedArray } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

/** How many numbers the weights are, by the sizes of the program and some others. */
function count(program: Program, sizes: Readonly<Record<string, number>> = {}): number {
  const known = new Map([...program.sizes, ...Object.entries(sizes)]);
  const sizeOf = (shape: Program["weights"][number]["shape"]): number =>
    shape.reduce((product, size) => product * (evaluateSize(size, known) ?? Number.NaN), 1);
  return program.weights.reduce((sum, spec) => sum + sizeOf(spec.shape), 0);
}

function layer(use: string, apply = "f(x)"): Program {
  const text = `model M(D, H, V) { time T in x: [T, D], id: tok(V) use ${use} y = ${apply} loss = sum(one_hot(id)) }`;
  return compileText(text, { sizes: { D: 5, H: 7, V: 11 }, model: "M", values: ["y"] });
}

describe("how many weights there are", () => {
  const [D, H, V] = [5, 7, 11];
  const cases: Readonly<Record<string, readonly [use: string, apply: string, wanted: number]>> = {
    Linear: ["f = Linear(D, H)", "f(x)", H * D + H],
    Embed: ["f = Embed(V, D)", "f(id)", V * D],
    MLP: ["f = MLP([D, 16, 9, H])", "f(x)", 16 * D + 16 + 9 * 16 + 9 + H * 9 + H],
    RNN: ["f = RNN(D, H)", "scan f over x", H * D + H * H + H],
    LSTM: ["f = LSTM(D, H)", "scan f over x", 4 * (H * D + H * H + H)],
    LSTMWithoutBias: ["f = LSTMWithoutBias(D, H)", "scan f over x", 4 * (H * D + H * H)],
    PeepholeLSTM: ["f = PeepholeLSTM(D, H)", "scan f over x", 4 * (H * D + H * H + H) + 3 * H],
    SplitLSTM: ["f = SplitLSTM(D, H)", "scan f over x", 4 * H * (D + H) + 4 * H],
    GRU: ["f = GRU(D, H)", "scan f over x", 3 * (H * D + H * H + H)],
    GRUResetAfter: ["f = GRUResetAfter(D, H)", "scan f over x", 3 * (H * D + H * H + 2 * H)],
    Bi: ["f = Bi(GRU, D, H)", "f(x)", 2 * 3 * (H * D + H * H + H)],
    LayerNorm: ["f = LayerNorm(D)", "f(x)", 2 * D],
    BatchNorm: ["f = BatchNorm(D)", "f(x)", 4 * D],
    Attention: ["f = Attention(D, 5)", "f(x, x)", 3 * D * D + D * D + D],
    "one instance used twice": ["f = Linear(D, D)", "f(f(x))", D * D + D],
    "a stack": ["f = stack 3 of Linear(D, D)", "f(x)", 3 * (D * D + D)],
    "a stack that shares": ["f = share 3 of Linear(D, D)", "f(x)", D * D + D],
    "a stack of sizes": [
      "f = stack i in 3 of Dense(5 * 2**i, 5 * 2**(i+1)), g = Linear(D, 5)",
      "f(g(x))",
      10 * 5 + 10 + 20 * 10 + 20 + 40 * 20 + 40 + 5 * D + 5,
    ],
    "an empty stack": ["f = stack 0 of Linear(D, D), g = Linear(D, H)", "g(f(x))", D * H + H],
  };
  for (const [name, [use, apply, wanted]] of Object.entries(cases)) {
    test(name, () => expect(count(layer(use, apply))).toBe(wanted));
  }
  test("of the sketches that say it", () => {
    const sketch = (file: string, model: string, sizes: Readonly<Record<string, number>> = {}): number => {
      const { text } = readSource(`test/syntax/sketches/${file}.seq`);
      return count(compileText(text, { model, sizes, file: packageFile(`test/syntax/sketches/${file}.seq`) }), sizes);
    };
    expect(sketch("untied", "Tied")).toBe(2 * 16 + 16 * 16 + 16 + 16 + 17);
    expect(sketch("untied", "Untied")).toBe(20 * (2 * 16 + 16 * 16 + 16) + 16 + 17);
    const characters = sketch("char_lm", "CharLM", { V: 83 });
    expect(characters).toBe(83 * 64 + 4 * (512 * 64 + 512 * 512 + 512) + 4 * (512 * 512 * 2 + 512) + 83 * 512 + 83);
    expect(characters).toBeLessThan(4_000_000);
  });
});

describe("weights with several uses", () => {
  /** Gradients of a model's weights, and of the same model in which every use has a weight of its own. */
  const gradientsOf = (
    text: string,
    sizes: Readonly<Record<string, number>>,
    weights: Readonly<Record<string, NamedArray>>,
    x: NamedArray,
  ) => {
    const program = compileText(withRegime(text, "loss"), { sizes, regime: "check", gradients: true });
    const results = evaluate(program.graph, feed(program, { ...weights, x }));
    return (name: string): readonly number[] => Array.from(readArray(program, results, `gradient.${name}`).data);
  };
  const sum = (...parts: readonly (readonly number[])[]): readonly number[] =>
    (parts[0] ?? []).map((_, place) => parts.reduce((total, part) => total + (part[place] ?? Number.NaN), 0));
  const [D, x, W, b] = [3, numbers([4, 3], 1), numbers([3, 3], 2), numbers([3], 3)];

  test("one instance used three times: the sum over its uses", () => {
    const shared = gradientsOf(
      "model M(D) { in x: [D] use f = Dense(D, D, act: tanh) loss = sum(f(f(f(x)))**2) }",
      { D },
      { "f.f.W": W, "f.f.b": b },
      x,
    );
    const stack = "model M(D) { in x: [D] use f = stack 3 of Dense(D, D, act: tanh) loss = sum(f(x)**2) }";
    const apart = gradientsOf(
      stack,
      { D },
      Object.assign({}, ...[0, 1, 2].map((place) => ({ [`f.${place}.f.W`]: W, [`f.${place}.f.b`]: b }))),
      x,
    );
    for (const name of ["f.W", "f.b"]) {
      expectNumbers(shared(`f.${name}`), sum(...[0, 1, 2].map((place) => apart(`f.${place}.${name}`))), name);
    }
    const stacked = gradientsOf(
      "model M(D) { in x: [D] use f = share 3 of Dense(D, D, act: tanh) loss = sum(f(x)**2) }",
      { D },
      { "f.f.W": W, "f.f.b": b },
      x,
    );
    for (const name of ["f.f.W", "f.f.b"]) expectNumbers(stacked(name), shared(name), name);
  });

  test("tied weights: the sum of both, the one transposed", () => {
    const [V, K] = [5, 3];
    const [E, bias] = [numbers([V, K], 4), numbers([V], 5)];
    const model = (tie: string): string => `model M(V, K) { in x: [K] use emb = Embed(V, K), head = Linear(K, V) ${tie}
      loss = sum(softmax(head(x)) * norm[K](emb.W)) }`;
    const tied = gradientsOf(model("tie head.W = emb.W"), { V, K }, { "emb.W": E, "head.b": bias }, x);
    const apart = gradientsOf(model(""), { V, K }, { "emb.W": E, "head.W": E, "head.b": bias }, x);
    expectNumbers(tied("emb.W"), sum(apart("emb.W"), apart("head.W")), "emb.W");
    const across = (tie: string): string =>
      `model M(V, K) { in x: [K] use up = Linear(K, V), down = Linear(V, K) ${tie} loss = sum(down(tanh(up(x)))**2) }`;
    const U = numbers([V, K], 6);
    const transposed = {
      shape: [K, V],
      data: Array.from({ length: K * V }, (_, place) => U.data[(place % V) * K + Math.floor(place / V)] ?? 0),
    };
    const others = { "up.b": bias, "down.b": b };
    const once = gradientsOf(across("tie down.W = up.W.T"), { V, K }, { "up.W": U, ...others }, x);
    const twice = gradientsOf(across(""), { V, K }, { "up.W": U, "down.W": transposed, ...others }, x);
    const back = twice("down.W").map((_, place, all) => all[(place % K) * V + Math.floor(place / K)] ?? 0);
    expectNumbers(once("up.W"), sum(twice("up.W"), back), "up.W");
  });

  test("a part of an instance is itself: its weights are the same by either name", () => {
    const text = (value: string): string =>
      `model M(D) { in x: [D] use f = Dense(D, D, act: tanh) loss = sum(f(x)**2) + ${value} }`;
    const weights = { "f.f.W": W, "f.f.b": b };
    const whole = gradientsOf(text("sum(f.f(x) * x) + sum[D, D](f.f.W**2)"), { D }, weights, x);
    const apart = gradientsOf(text("sum((f.f.W @ x + f.f.b) * x) + sum(norm(f.f.W)**2)"), { D }, weights, x);
    for (const name of ["f.f.W", "f.f.b"]) expectNumbers(whole(name), apart(name), name);
  });

  test("stop_gradient lets nothing through", () => {
    const through = gradientsOf(
      "model M(D) { in x: [D] param w: [D], v: [D] loss = sum(stop_gradient(w * x) * v) }",
      { D },
      { w: b, v: b },
      x,
    );
    expect(through("w")).toEqual([0, 0, 0]);
    expect(through("v").every((value) => value !== 0)).toBe(true);
  });
});

describe("a weight's gradient is one product outside every loop", () => {
  const cases: Readonly<Record<string, string>> = {
    "a scanned cell": "use f = LSTM(D, H) y, s = scan f over x  loss = sum(s.h**2)",
    "two directions": "use f = Bi(GRU, D, H) loss = sum[T, 2*H](f(x)**2)",
    "an equation":
      "param W: [H, D], U: [H, H], h0: [H]  h[t] = tanh(W @ x[t] + U @ h[t-1] else h0)  loss = sum[T, H](h**2)",
    "two layers": "use f = GRU(D, H), g = GRU(H, H)  loss = sum[T, H]((scan g over scan f over x)**2)",
  };
  for (const [name, body] of Object.entries(cases)) {
    test(name, () => {
      const program = compileText(withRegime(`model M(D, H) { time T in x: [T, D] ${body} }`, "loss"), {
        sizes: { D: 3, H: 4 },
        dense: true,
        regime: "check",
        gradients: true,
      });
      const { graph } = program;
      const matrices = program.weights.filter((spec) => spec.shape.length === 2);
      expect(matrices.length).toBeGreaterThan(1);
      for (const { name: weight } of matrices) {
        let id = graph.results.find((result) => result.name === `gradient.${weight}`)?.id ?? "";
        let node = graph.nodes.find((candidate) => candidate.outputs.some((output) => output.id === id));
        while (node !== undefined && node.op.form === "move") {
          id = node.inputs[0] ?? "";
          node = graph.nodes.find((candidate) => candidate.outputs.some((output) => output.id === id));
        }
        expect(node?.op.name, weight).toBe("contract");
        expect([...((node?.attributes.over as readonly string[] | undefined) ?? [])].sort(), weight).toEqual([
          "B",
          "T",
        ]);
      }
    });
  }
});
