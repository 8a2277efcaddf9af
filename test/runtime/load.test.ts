import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeTensors, type WritableTensor } from "../../src/runtime/safetensors.ts";
import { filesIn, prepared, trained } from "../support/train.ts";

const DATA = 'data words, kind = jsonl("rows.jsonl")';
const LOADS = `
    "lstm.weight_ih_l0" -> W.{i, f, g, o}
    "lstm.weight_hh_l0" -> U.{i, f, g, o}
    "lstm.bias_ih_l0" + "lstm.bias_hh_l0" -> b.{i, f, g, o}`;

function regime(name: string, clauses: string, data = DATA): string {
  return `train ${name} of M { ${data} minimize nll(kind) optim sgd(0.5) batch 4 for 4 steps seed 3 ${clauses} }`;
}

const FILE = filesIn({
  "m.seq": [
    `model M(V, D = 2, H = 3) {
      time T
      in  words: tok(V)[T]
      use emb = Embed(V, D, sigma: 1), enc = LSTM(D, H), head = Linear(H, 2)
      y, s = scan enc over emb(words)
      emit kind: tok(2) ~ categorical(head(s.h))
    }`,
    regime("first", ""),
    regime("second", "load emb, enc from first".replace("emb, enc", "emb"), 'data words, kind = jsonl("others.jsonl")'),
    regime("whole", "load from first"),
    regime("tuned", "load emb from first load enc from first freeze emb, enc until epoch 1"),
    regime("foreign", `load enc from "lstm.safetensors" {${LOADS}}`),
    regime("swapped", 'load head from "lstm.safetensors" { "kernel" -> W.T "bias" -> b }'),
    regime("head", 'load from "lstm.safetensors" { "kernel" -> head.W.T "bias" -> head.b }'),
    regime("misshapen", 'load head from "lstm.safetensors" { "kernel" -> W "bias" -> b }'),
    regime("misspelt", 'load head from "lstm.safetensors" { "kernl" -> W.T "bias" -> b }'),
    regime("strange", 'load enc from "lstm.safetensors" { "kernel" -> W.x }'),
    regime("named", 'load enc from "lstm.safetensors"'),
  ].join("\n"),
  "rows.jsonl": [
    '{"words": "abca", "kind": 0}',
    '{"words": "bb", "kind": 1}',
    '{"words": "acb", "kind": 0}',
    '{"words": "c", "kind": 1}',
  ].join("\n"),
  "others.jsonl": ['{"words": "cab", "kind": 0}', '{"words": "cc", "kind": 1}'].join("\n"),
});

function counted(shape: readonly number[], from: number): WritableTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return { dtype: "F32", shape, data: Float32Array.from({ length: size }, (_, at) => from + at) };
}

const TENSORS = new Map([
  ["lstm.weight_ih_l0", counted([12, 2], 0)],
  ["lstm.weight_hh_l0", counted([12, 3], 100)],
  ["lstm.bias_ih_l0", counted([12], 200)],
  ["lstm.bias_hh_l0", counted([12], 1000)],
  ["kernel", counted([3, 2], 0)],
  ["bias", counted([2], 7)],
]);
writeTensors(TENSORS);

function writeTensors(tensors: ReadonlyMap<string, WritableTensor>): void {
  writeFileSync(join(dirname(FILE), "lstm.safetensors"), Buffer.concat([...encodeTensors(tensors, new Map())]));
}

/** With other tensors in the file. */
async function withTensors(tensors: ReadonlyMap<string, WritableTensor>, work: () => Promise<void>): Promise<void> {
  writeTensors(tensors);
  await work();
  writeTensors(TENSORS);
}

const STACK = filesIn({
  "deep.seq": `model Deep(H = 2) {
      time T
      in  x: [T, H]
      use cells = stack i in 2 of GRUResetAfter(H, H)
      y, s = scan cells over x
      emit total: [] ~ normal(sum(mean[T](y)), 1)
    }
    train m of Deep {
      data x, total = jsonl("rows.jsonl")
      load cells[0] from "gru.safetensors" as TorchGRU
      load cells[1] from "gru.safetensors" as TorchGRU(layer: 1)
      freeze cells[1]
      minimize nll(total)
      optim sgd(0.5)
      for 1 steps
    }`,
  "rows.jsonl": '{"x": [[1, 2], [3, 4]], "total": 1}',
});
writeFileSync(
  join(dirname(STACK), "gru.safetensors"),
  Buffer.concat([
    ...encodeTensors(
      new Map(
        [0, 1].flatMap((layer) =>
          ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map((name) => {
            const shape = name.startsWith("weight") ? [6, 2] : [6];
            const data = new Float32Array(name.startsWith("weight") ? 12 : 6).fill(layer + 1);
            return [`${name}_l${layer}`, { dtype: "F32", shape, data }] as const;
          }),
        ),
      ),
      new Map(),
    ),
  ]),
);

describe("load", () => {
  test("takes a part, or all weights, from an earlier regime by name", async () => {
    const first = await trained(FILE, { regime: "first" });
    const [part, whole] = await Promise.all(
      ["second", "whole"].map((name) => prepared(FILE, { regime: name, earlier: { first } })),
    );
    const { weights } = first.outcome.state;
    expect([...(part?.loaded.keys() ?? [])]).toEqual(["emb.W"]);
    expect([...(whole?.loaded.keys() ?? [])].sort()).toEqual([...weights.keys()].sort());
    for (const [name, { data }] of weights) expect(whole?.loaded.get(name)?.data).toEqual(data);
  });

  test("goes on where the earlier regime ended", async () => {
    const first = await trained(FILE, { regime: "first" });
    const whole = await trained(FILE, { regime: "whole", earlier: { first } });
    expect(whole.losses[0]).toBeLessThan(first.losses[0] ?? 0);
    expect(whole.losses[0]).toBeLessThan(first.losses.at(-1) ?? 0);
  });

  test("an embedding keeps its vocabulary: a token means what it meant", async () => {
    const first = await trained(FILE, { regime: "first" });
    const second = await prepared(FILE, { regime: "second", earlier: { first } });
    expect(second.vocabularies.get("V")?.tokens).toEqual(first.training.vocabularies.get("V")?.tokens);
  });

  test("what is loaded and frozen stays until it is not", async () => {
    const first = await trained(FILE, { regime: "first" });
    const tuned = await trained(FILE, { regime: "tuned", steps: 1, earlier: { first } });
    const later = await trained(FILE, { regime: "tuned", steps: 2, earlier: { first } });
    const weight = ({ outcome }: typeof tuned): unknown => outcome.state.weights.get("enc.U.i")?.data;
    expect(weight(tuned)).toEqual(weight(first));
    expect(weight(later)).not.toEqual(weight(first));
  });

  test("a foreign file is cut by its declared gate order", async () => {
    const { loaded } = await prepared(FILE, { regime: "foreign" });
    expect(Array.from(loaded.get("enc.W.i")?.data ?? [])).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Array.from(loaded.get("enc.W.g")?.data ?? [])).toEqual([12, 13, 14, 15, 16, 17]);
    expect(Array.from(loaded.get("enc.W.o")?.data ?? [])).toEqual([18, 19, 20, 21, 22, 23]);
    expect(Array.from(loaded.get("enc.U.f")?.data ?? [])).toEqual([109, 110, 111, 112, 113, 114, 115, 116, 117]);
    expect(Array.from(loaded.get("enc.b.f")?.data ?? [])).toEqual([1206, 1208, 1210]);
    expect(loaded.get("enc.U.o")?.shape).toEqual([3, 3]);
  });

  test("instances that a mapping does not name start as they would", async () => {
    const { loaded } = await prepared(FILE, { regime: "head" });
    expect([...loaded.keys()].sort()).toEqual(["head.W", "head.b"]);
  });

  test("a tensor the other way round is swapped", async () => {
    const { loaded } = await prepared(FILE, { regime: "swapped" });
    expect(loaded.get("head.W")?.shape).toEqual([2, 3]);
    expect(Array.from(loaded.get("head.W")?.data ?? [])).toEqual([0, 2, 4, 1, 3, 5]);
  });

  test.each([
    ["misshapen", '[2, 3] for head.W   "kernel" [3, 2]\n  hint: write -> W.T'],
    ["misspelt", '[3, 2] for head.W   no "kernl"\n  hint: did you mean "kernel"?'],
    ["whole", "train first has not been run"],
  ])("%s: says what does not fit", async (regime, message) => {
    await expect(prepared(FILE, { regime })).rejects.toThrow(message);
  });

  test("blocks of a stack are parts by their places", async () => {
    const { loaded, freezes } = await prepared(STACK);
    expect(loaded.get("cells.0.U.n")?.data).toEqual(new Float64Array(4).fill(1));
    expect(loaded.get("cells.1.U.n")?.data).toEqual(new Float64Array(4).fill(2));
    expect(freezes.flatMap(({ weights }) => [...weights]).every((name) => name.startsWith("cells.1."))).toBe(true);
  });

  test("types that are no weights', and numbers beyond them, are listed beside what is needed", async () => {
    const tensors = new Map<string, WritableTensor>([
      ["lstm.weight_ih_l0", { dtype: "I32", shape: [12, 2], data: new Int32Array(24) }],
      ["lstm.weight_hh_l0", { dtype: "F64", shape: [12, 3], data: new Float64Array(36).fill(1e300) }],
      ["lstm.bias_ih_l0", counted([12], 0)],
    ]);
    await withTensors(tensors, async () => {
      await expect(prepared(FILE, { regime: "foreign" })).rejects.toThrow(
        [
          '[12, 2] for enc.W.{i, f, g, o}   "lstm.weight_ih_l0" [12, 2], I32',
          '[12, 3] for enc.U.{i, f, g, o}   "lstm.weight_hh_l0" [12, 3], with 1e+300',
          '[12] for enc.b.{i, f, g, o}      no "lstm.bias_hh_l0"',
        ].join("\n    "),
      );
    });
  });

  test("a mapping to a weight that the model has not is found before data are read", async () => {
    await expect(prepared(FILE, { regime: "strange" })).rejects.toThrow(/error\[unknown-name\].*enc\.W\.x/);
  });

  test("weights that a file lacks are listed beside those that it has", async () => {
    await expect(prepared(FILE, { regime: "named" })).rejects.toThrow(
      /the model has +the file has[\s\S]*enc\.U\.f \[3, 3\] +-/,
    );
  });
});
