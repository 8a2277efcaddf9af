import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { readRegime } from "../../src/check/regime.ts";
import { compileStep } from "../../src/compile/program.ts";
import { compileStepOf, openJob } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { advanced, type Feed, feed, type NamedArray, randomArrays } from "../support/feed.ts";
import { readArray } from "../support/read.ts";
import { filesIn, trained } from "../support/train.ts";

const MODEL = `model GAN(Z = 3, D = 2) {
  in    real: [D]
  noise z: [Z] ~ normal(0, 1)
  use   G = MLP([Z, 4, D], act: tanh), C = MLP([D, 4, 1], act: tanh)
  fake = G(z)
  r    = C(real)
  s    = C(fake)
}`;
const CRITIC = "minimize softplus(-r) + softplus(s) on C";
const MAKER = "minimize softplus(-s) on G";

function regime(name: string, objectives: string, optim = "adam(1e-1)", data = 'csv("points.csv")'): string {
  return `train ${name} of GAN {
    data real = ${data} ${objectives} optim ${optim} clip norm(0.5) batch 4 for 6 steps seed 1
  }`;
}

const TEXT = [
  MODEL,
  regime("both", `${CRITIC} ${MAKER}`),
  regime("critic", CRITIC),
  regime("maker", MAKER),
  regime("shared", `${CRITIC} minimize softplus(-s) on G, C`),
  regime("last", "minimize softplus(-s) on G, C"),
].join("\n");

/** The weights after one step, slots included, from the same state. */
function after(program: Program, start: Readonly<Record<string, NamedArray>>): Feed {
  const before = feed(program, start, { sizes: { B: 4 } });
  return advanced(program, before, evaluate(program.graph, before));
}

function arrays(program: Program, { inputs }: Feed): Readonly<Record<string, NamedArray>> {
  return Object.fromEntries(
    [...program.params].flatMap(([id, role]) => {
      const value = inputs.get(id);
      const name =
        role.kind === "slot" ? `${role.weight}.${role.name}` : role.kind === "weight" ? role.name : undefined;
      return value === undefined || name === undefined ? [] : [[name, { shape: value.shape, data: value.data }]];
    }),
  );
}

/** Steps of two programs one after the other, and of one program at once. */
function expectTurns(together: string, first: string, second: string): void {
  const [whole, one, two] = [together, first, second].map((name) => compileStepOf(TEXT, name)) as [
    Program,
    Program,
    Program,
  ];
  const start = randomArrays(whole, { B: 4 });
  let [found, wanted] = [start, start];
  for (let step = 0; step < 2; step++) {
    found = { ...found, ...arrays(whole, after(whole, found)) };
    wanted = { ...wanted, ...arrays(one, after(one, wanted)) };
    wanted = { ...wanted, ...arrays(two, after(two, wanted)) };
  }
  for (const { name } of whole.weights) {
    for (const key of [name, `${name}.m`]) {
      const [ours, theirs] = [Array.from(found[key]?.data ?? []), Array.from(wanted[key]?.data ?? [])];
      expect(ours.length, key).toBeGreaterThan(0);
      for (const [at, value] of ours.entries()) {
        expect(value, `${key}[${at}]`).toBeCloseTo(theirs[at] ?? Number.NaN, 12);
      }
    }
  }
}

describe("players", () => {
  test("take turns: each sees what those before it have learned", () => expectTurns("both", "critic", "maker"));

  test("that share weights go on with one optimizer", () => expectTurns("shared", "critic", "last"));

  test("that rest cost no gradient and move nothing", () => {
    const job = openJob(TEXT);
    const block = job.modules.entry.tree.declarations.find((one) => one.kind === "train" && one.name.text === "both");
    if (block?.kind !== "train") throw new Error("no regime");
    const made = compileStep(job, readRegime(block, job.report), new Set(), new Set([1]));
    const critic = compileStepOf(TEXT, "critic");
    const written = (program: Program | undefined): readonly string[] =>
      [...(program?.results ?? [])].flatMap(([, role]) => (role.kind === "weight" ? [role.name] : [])).sort();
    expect(written(made)).toEqual(written(critic));
    const contractions = (program: Program | undefined): number =>
      program?.graph.nodes.filter((node) => node.op.name === "contract").length ?? 0;
    // The generator's loss is still shown: one more forward pass of the critic, which has learned.
    expect(contractions(made)).toBe(contractions(critic) + 2);
    expect(contractions(compileStepOf(TEXT, "both"))).toBeGreaterThan(contractions(made));
    expect([...(made?.results.keys() ?? [])]).toContain("term.softplus(-s) on G");
  });

  test("a loss of all players is the sum of theirs", () => {
    const program = compileStepOf(TEXT, "both");
    const results = evaluate(program.graph, feed(program, randomArrays(program, { B: 4 }), {}));
    const terms = [...program.results.keys()].filter((name) => name.startsWith("term."));
    const value = (name: string): number => readArray(program, results, name).data[0] ?? Number.NaN;
    expect(terms).toHaveLength(2);
    expect(value("loss")).toBeCloseTo(
      terms.map(value).reduce((sum, term) => sum + term),
      12,
    );
  });
});

const ROWS = ["real", "[0.5, 1]", "[1, -1]", "[2, 0]", "[-1, 0.25]"]
  .slice(1)
  .map((row) => `{"real": ${row}}`)
  .join("\n");
const FILE = filesIn({
  "gan.seq": [
    MODEL,
    regime("rare", `${CRITIC} ${MAKER} every 3`, "sgd(0.1)", 'jsonl("rows.jsonl")'),
    `model Apart(D = 2) { in a: [D], b: [D] use F = Linear(D, D) loss = mean((F(a) - b)**2) }`,
    `train apart of Apart { data a = jsonl("rows.jsonl").real data b = jsonl("others.jsonl").b
      minimize loss optim sgd(0.1) batch 3 for 8 steps seed 2 }`,
  ].join("\n"),
  "rows.jsonl": ROWS,
  "others.jsonl": ["[0, 1]", "[1, 1]", "[2, 2]", "[3, 1]", "[4, 5]"].map((row) => `{"b": ${row}}`).join("\n"),
});

describe("training with players", () => {
  test("one that plays every third step moves at the third and the sixth", async () => {
    const norms: string[] = [];
    for (const steps of [1, 2, 3, 4, 5, 6]) {
      const { outcome } = await trained(FILE, { regime: "rare", steps });
      norms.push(["G", "C"].map((part) => String(outcome.state.weights.get(`${part}.top.f.W`)?.data.join())).join("|"));
    }
    const moved = (part: 0 | 1): readonly boolean[] =>
      norms.slice(1).map((now, at) => now.split("|")[part] !== norms[at]?.split("|")[part]);
    expect(moved(0)).toEqual([false, true, false, false, true]);
    expect(moved(1)).toEqual([true, true, true, true, true]);
  });

  test("wasm gives the interpreter's numbers", async () => {
    const [wanted, found] = [
      await trained(FILE, { regime: "rare" }),
      await trained(FILE, { regime: "rare", target: "wasm" }),
    ];
    for (const [at, loss] of found.losses.entries()) expect(loss).toBeCloseTo(wanted.losses[at] ?? Number.NaN, 4);
  });

  test("separate data lines are shuffled apart, and a batch is as large as the smallest", async () => {
    const { training } = await trained(FILE, { regime: "apart" });
    const { train } = training.feeds;
    const met = new Map<number, Set<number>>();
    for (let epoch = 0; epoch < 4; epoch++) {
      for (let position = 0; position < train.count(epoch); position++) {
        const { size, columns } = train.batch(epoch, position);
        const [a, b] = [columns.get("a")?.data ?? [], columns.get("b")?.data ?? []];
        expect([a.length, b.length]).toEqual([2 * size, 2 * size]);
        for (let row = 0; row < size; row++) {
          const partners = met.get(a[2 * row] ?? 0) ?? new Set();
          met.set(a[2 * row] ?? 0, partners.add(b[2 * row] ?? 0));
        }
      }
    }
    expect([...met.values()].some((partners) => partners.size > 1)).toBe(true);
    expect(train.batch(1, 0)).toEqual(train.batch(1, 0));
  });
});
