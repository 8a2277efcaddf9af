import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { evaluateSize } from "../../src/ir/size.ts";
import { createChance } from "../support/chance.ts";
import { compileStepOf, compileText, forwardOf, openJob, packageFile, readSource } from "../support/compile.ts";
import { evaluate, numberOf } from "../support/execute.ts";
import { feed, type NamedArray, randomArrays, randomFeed } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

function numbers(shape: readonly number[], seed: number, low = -2, high = 2): NamedArray {
  const chance = createChance(seed);
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, data: Float64Array.from({ length: count }, () => chance.between(low, high)) };
}

function train(model: string, objective: string, clauses = "optim sgd(0.0)"): string {
  return `${model} train check of M { data x = csv("rows.csv") minimize ${objective} ${clauses} for 1 steps }`;
}

function expectNumbers(found: ArrayLike<number>, wanted: readonly number[], what: string): void {
  expect(found.length).toBe(wanted.length);
  for (const [place, value] of wanted.entries()) {
    expect(found[place], `${what}[${place}]`).toBeCloseTo(value, 10);
  }
}

describe("BatchNorm", () => {
  const C = 3;
  const weights = {
    "n.scale": { shape: [C], data: [1.5, 0.5, -1] },
    "n.shift": { shape: [C], data: [0.1, -0.2, 0.3] },
    "n.m": { shape: [C], data: [0.4, 0.5, 0.6] },
    "n.v": { shape: [C], data: [1.1, 0.9, 2] },
  };
  /** Mean and variance of each channel over the rows that count. */
  const statistics = (
    rows: readonly (readonly number[])[],
  ): readonly { readonly mean: number; readonly variance: number }[] =>
    Array.from({ length: C }, (_, channel) => {
      const column = rows.map((row) => row[channel] ?? Number.NaN);
      const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
      return { mean, variance: column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length };
    });
  const rowsOf = ({ data }: NamedArray): readonly (readonly number[])[] =>
    Array.from({ length: data.length / C }, (_, row) => Array.from(data).slice(row * C, (row + 1) * C));
  const shapes: Readonly<
    Record<string, readonly [type: string, shape: readonly number[], lengths: readonly number[] | undefined]>
  > = {
    vectors: ["[C]", [5, C], undefined],
    images: ["[4, 2, C]", [3, 4, 2, C], undefined],
    "ragged time": ["[T, C]", [3, 6, C], [6, 3, 1]],
  };
  for (const [name, [type, shape, lengths]] of Object.entries(shapes)) {
    const model = `model M(C) { ${lengths === undefined ? "" : "time T"} in x: ${type} use n = BatchNorm(C) y = n(x) loss = sum[${type.slice(1, -1)}](y**2) }`;
    const x = numbers(shape, 3);
    const arrays = { ...weights, x, ...(lengths === undefined ? {} : { "T.length": { shape: [3], data: lengths } }) };
    const inside = (row: number): boolean => lengths === undefined || row % 6 < (lengths[Math.floor(row / 6)] ?? 0);
    const counted = statistics(rowsOf(x).filter((_, row) => inside(row)));

    test(`of ${name} uses the batch in training, the running statistics afterwards`, () => {
      const program = compileText(train(model, "loss"), { sizes: { C }, regime: "check", values: ["y"] });
      for (const training of [true, false]) {
        const y = rowsOf(readArray(program, evaluate(program.graph, feed(program, arrays, { training })), "value.y"));
        rowsOf(x).forEach((row, place) => {
          if (!inside(place)) return;
          const wanted = row.map((value, channel) => {
            const [mean, variance] = training
              ? [counted[channel]?.mean ?? 0, counted[channel]?.variance ?? 0]
              : [weights["n.m"].data[channel] ?? 0, weights["n.v"].data[channel] ?? 0];
            const scale = weights["n.scale"].data[channel] ?? 0;
            return (scale * (value - mean)) / Math.sqrt(variance + 1e-5) + (weights["n.shift"].data[channel] ?? 0);
          });
          expectNumbers(y[place] ?? [], wanted, `row ${place}`);
        });
      }
    });

    test(`of ${name} moves its running statistics at a step, and trains them not`, () => {
      const step = compileStepOf(train(model, "loss", "optim adam(0.1)"), "check", { sizes: { C } });
      const results = evaluate(step.graph, feed(step, arrays));
      const moved = (weight: "n.m" | "n.v", to: (channel: number) => number): void => {
        const wanted = weights[weight].data.map((before, channel) => before + 0.1 * (to(channel) - before));
        expectNumbers(readArray(step, results, `weight.${weight}`).data, wanted, weight);
      };
      moved("n.m", (channel) => counted[channel]?.mean ?? Number.NaN);
      moved("n.v", (channel) => counted[channel]?.variance ?? Number.NaN);
      const slots = [...step.params.values()].flatMap((role) => (role.kind === "slot" ? [role.weight] : []));
      expect([...new Set(slots)].sort()).toEqual(["n.scale", "n.shift"]);
    });
  }

  test("applied twice moves twice, in the order of the file", () => {
    const model =
      "model M(C) { in x: [C], z: [C] use n = BatchNorm(C, rate: 0.25) a = n(x) b = n(z) loss = sum(a**2) + sum(b * a) }";
    const step = compileStepOf(train(model, "loss"), "check", { sizes: { C } });
    const [x, z] = [numbers([5, C], 3), numbers([5, C], 4)];
    const results = evaluate(step.graph, feed(step, { ...weights, x, z }));
    const wanted = weights["n.m"].data.map((before, channel) =>
      [x, z].reduce((m, array) => m + 0.25 * ((statistics(rowsOf(array))[channel]?.mean ?? 0) - m), before),
    );
    expectNumbers(readArray(step, results, "weight.n.m").data, wanted, "n.m");
  });
});

describe("dropout", () => {
  const model = "model M(D) { in x: [D] param w: [D] y = dropout(w * x, p: 0.3) loss = sum(y) }";
  const program = compileText(train(model, "loss"), {
    sizes: { D: 100 },
    regime: "check",
    values: ["y"],
    gradients: true,
  });
  const arrays = {
    x: { shape: [200, 100], data: new Float64Array(20_000).fill(1) },
    w: { shape: [100], data: new Float64Array(100).fill(2) },
  };
  const run = (training: boolean, seed: number): ReturnType<typeof evaluate> =>
    evaluate(program.graph, feed(program, arrays, { training, seed }));

  test("leaves 0.7 of the values, scaled so that their mean stays", () => {
    const y = Array.from(readArray(program, run(true, 5), "value.y").data);
    const kept = y.filter((value) => value !== 0);
    expect(kept.every((value) => Math.abs(value - 2 / 0.7) < 1e-12)).toBe(true);
    expect(Math.abs(kept.length / y.length - 0.7)).toBeLessThan(4 * Math.sqrt(0.21 / y.length));
  });
  test("changes nothing in evaluation", () => {
    expect(Array.from(readArray(program, run(false, 5), "value.y").data).every((value) => value === 2)).toBe(true);
  });
  test("drops others for another seed, the same for the same", () => {
    const [first, again, other] = [5, 5, 6].map((seed) =>
      Array.from(readArray(program, run(true, seed), "value.y").data),
    );
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
  });
  test("drops the same in the gradient", () => {
    const results = run(true, 5);
    const y = readArray(program, results, "value.y").data;
    const wanted = Array.from(
      { length: 100 },
      (_, place) =>
        Array.from({ length: 200 }, (_value, row) => (y[row * 100 + place] ?? 0) / 2).reduce(
          (sum, value) => sum + value,
          0,
        ) / 200,
    );
    expectNumbers(readArray(program, results, "gradient.w").data, wanted, "gradient");
  });
  test("two places drop apart", () => {
    const two = compileText(
      train("model M { in x: [] a = dropout(x, p: 0.5) b = dropout(x, p: 0.5) loss = a + b }", "loss"),
      {
        regime: "check",
        values: ["a", "b"],
      },
    );
    const results = evaluate(two.graph, feed(two, { x: { shape: [4000], data: new Float64Array(4000).fill(1) } }));
    const [a, b] = ["a", "b"].map((name) => Array.from(readArray(two, results, `value.${name}`).data));
    const both = a?.filter((value, place) => value !== 0 && b?.[place] !== 0).length ?? 0;
    expect(Math.abs(both / 4000 - 0.25)).toBeLessThan(4 * Math.sqrt(0.1875 / 4000));
  });
});

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
    const program = compileText(train(text, "loss"), { sizes, regime: "check", gradients: true });
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
      const program = compileText(train(`model M(D, H) { time T in x: [T, D] ${body} }`, "loss"), {
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

describe("equal numbers are not equal names", () => {
  const cases: Readonly<Record<string, readonly [body: string, code: string]>> = {
    added: ["in a: [E], b: [H]  loss = sum(a + b)", "shape-mismatch"],
    "multiplied by a matrix": ["in a: [E] param U: [H, H]  loss = sum(U @ a)", "product-mismatch"],
    "chosen between": ["in a: [E], b: [H]  loss = sum(where(a > 0, a, b))", "shape-mismatch"],
    "given to a layer": ["in a: [E] use f = Linear(H, 2)  loss = sum(f(a))", "shape-mismatch"],
    "given to a cell": ["time T in a: [T, E] use f = GRU(H, H)  loss = sum[T, H](scan f over a)", "shape-mismatch"],
    "as a state": [
      "time T in a: [T, E], s0: [E] use f = GRU(E, H)  y = scan f over a from f.state(h: s0)  loss = sum[T, H](y)",
      "shape-mismatch",
    ],
    "tokens of another vocabulary": ["in a: tok(E) use f = Embed(H, 3)  loss = sum(f(a))", "token-size"],
    "an index of another axis": ["in a: [E], b: [H]  c[i in E] = a[i] * b[i]  loss = sum(c)", "two-ranges"],
    tied: [
      "in a: [E] use f = Linear(E, 2), g = Linear(H, 2) tie g.W = f.W  b[i in H] = 1.0  loss = sum(f(a)) + sum(g(b))",
      "shape-mismatch",
    ],
  };
  for (const [name, [body, code]] of Object.entries(cases)) {
    test(name, () => {
      const job = openJob(train(`model M(E, H) { ${body} }`, "loss"), { sizes: { E: 6, H: 6 } });
      const program = forwardOf(job, { regime: "check" });
      expect(program).toBeUndefined();
      expect(job.report.diagnostics.map((found) => found.code)).toContain(code);
    });
  }
  test("labels tell equal axes apart", () => {
    const text = train(
      "model M(K) { in x: [K] param A: [next: K, prev: K] y = softmax[next](A) loss = sum[next, prev](y * A) + sum(x) }",
      "loss",
    );
    const program = compileText(text, { sizes: { K: 3 }, regime: "check", values: ["y"] });
    const results = evaluate(program.graph, randomFeed(program, { B: 1, K: 3 }));
    const { data } = readArray(program, results, "value.y");
    for (const column of [0, 1, 2]) {
      expect([0, 1, 2].reduce((total, row) => total + (data[row * 3 + column] ?? 0), 0)).toBeCloseTo(1, 12);
    }
  });
});

describe("sizes of 1", () => {
  const model = (D: string, H: string): string =>
    `model M(V, K) { time T in x: [T, ${D}], y: [${D}] use f = LSTM(${D}, ${H}), g = Linear(${H}, K), e = Embed(V, ${D})
      z = scan f over x
      w[t] = sum(g(z[t])) + e.W[0] @ x[t] + x[t] @ y
      loss = sum(w) + sum(concat(y, y)) }`;
  test("written out or given by name are the same", () => {
    const arrays = (program: Program): Record<string, NamedArray> =>
      randomArrays(program, { B: 2, T: 4, V: 3, K: 2, D: 1, H: 1 });
    const fixed = compileText(train(model("1", "1"), "loss"), { sizes: { V: 3, K: 2 }, regime: "check" });
    const named = compileText(train(model("D", "H").replace("(V, K)", "(V, K, D = 1, H = 1)"), "loss"), {
      sizes: { V: 3, K: 2 },
      regime: "check",
    });
    const loss = (program: Program): number =>
      numberOf(evaluate(program.graph, feed(program, arrays(program))), "loss");
    expect(loss(named)).toBeCloseTo(loss(fixed), 12);
    expect(Number.isFinite(loss(fixed))).toBe(true);
  });
  test("one example, one position", () => {
    const program = compileText(train(model("2", "3"), "loss"), {
      sizes: { V: 3, K: 2 },
      regime: "check",
      gradients: true,
    });
    const results = evaluate(program.graph, randomFeed(program, { B: 1, T: 1, V: 3, K: 2 }));
    for (const [name, { data }] of results) expect(Array.from(data).every(Number.isFinite), name).toBe(true);
  });
});
