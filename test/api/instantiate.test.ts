import { describe, expect, test } from "vitest";
import { compile, instantiate } from "../../src/index.ts";
import { importedText } from "../emit/open.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { expectClose } from "../target/compare.ts";

const TEXT = `cell Leaky(D, H) {
  in    x: [D]
  state h: [H]
  param W: [H, D], U: [H, H]
  h' = 0.9 * h + tanh(W @ x + U @ h)
  out h'
}
model Chars(V = 6, H = 4) {
  time T
  in  ids: tok(V)[T]
  use emb = Embed(V, H), cell = Leaky(H, H), head = Linear(H, V)
  y = scan cell over emb(ids)
  emit ids[t+1] ~ categorical(head(y[t]))
}
train quick of Chars { data ids = chars("none.txt") minimize nll(ids) optim adam(0.05) batch 2 for 3 steps seed 4 }
train slow of Chars { data ids = chars("none.txt") minimize nll(ids) optim sgd(0.01) batch 2 for 3 steps }
generate text of Chars { ids by sample(temperature: 0.9) }
generate best of Chars { ids by best }`;

interface Emitted {
  forward(inputs: object): Promise<Readonly<Record<string, { readonly data: ArrayLike<number> }>>>;
  trainQuick(batches: Iterable<object>): AsyncGenerator<{ readonly loss: number }>;
  generateText(options: object): AsyncGenerator<object>;
  save(): Promise<Uint8Array>;
}

describe("instantiate", () => {
  const compiled = compile(TEXT);
  const [chars] = compiled.models;
  if (chars === undefined) throw new Error("there is no model");
  const Chars = instantiate(chars);
  const batch = {
    ids: [
      [1, 2, 3, 4],
      [5, 4, 3, 2],
    ],
  };

  test("gives what the emitted module gives", async () => {
    const { files } = await compiled.emit("ts");
    const module = await importedText<{ readonly Chars: { init(seed: number): Emitted } }>(
      files[0] ?? { path: "none", text: "" },
    );
    const [own, emitted] = [Chars.init(2), module.Chars.init(2)];
    expect((await own.forward(batch)).logits?.data).toEqual((await emitted.forward(batch)).logits?.data);
    const losses = await Array.fromAsync(own.train([batch, batch, batch], { block: "quick" }));
    expect(losses).toEqual(await Array.fromAsync(emitted.trainQuick([batch, batch, batch])));
    expect(losses[2]?.loss).toBeLessThan(losses[0]?.loss ?? 0);
    expect(await own.save()).toEqual(await emitted.save());
    const options = { prompt: [1], max: 9, seed: 3 };
    expect(await Array.fromAsync(own.generate({ ...options, block: "text" }))).toEqual(
      await Array.fromAsync(emitted.generateText(options)),
    );
    const loaded = await Chars.load(await own.save());
    const [first, states] = await loaded.step(undefined, { ids: [[1, 2]] });
    const [second] = await loaded.step(states, { ids: [[3]] });
    const { logits } = await loaded.forward({ ids: [[1, 2, 3]] });
    const joined = [...(first.logits?.data ?? []), ...(second.logits?.data ?? [])];
    joined.forEach((value, at) => {
      expect(value).toBeCloseTo(logits?.data[at] ?? Number.NaN, 5);
    });
    own.dispose();
    await expect(own.forward(batch)).rejects.toThrow("this Chars was disposed");
  });

  test("runs on a graphics device, and where there is a card on that", { timeout: 60_000 }, async () => {
    const { device } = await testGpuDevice();
    const losses = async (target: "wasm" | "webgpu" | "auto", on?: GPUDevice): Promise<readonly number[]> => {
      const model = instantiate(chars, { target, ...(on && { device: on }) }).init(2);
      const found = [];
      for await (const { loss } of model.train([batch, batch], { block: "quick" })) found.push(loss);
      found.push(...((await model.forward({ ids: [[1, 2, 3]] })).logits?.data ?? []));
      for await (const { ids } of model.generate({ block: "best", max: 5 })) found.push(Number(ids));
      model.dispose();
      return found;
    };
    const expected = await losses("wasm");
    for (const target of ["webgpu", "auto"] as const) expectClose(target, await losses(target, device), expected, 1e-4);
    // A processor that stands in for a card is none.
    expect(await losses("auto")).toEqual(expected);
  });

  test("chooses what it finds most likely", async () => {
    const model = Chars.init(5);
    const prompt = [2, 4, 1];
    const chosen: number[] = [];
    for await (const { ids } of model.generate({ prompt, max: 20, block: "best" })) chosen.push(Number(ids));
    const whole = [...prompt, ...chosen];
    const { logits } = await model.forward({ ids: [whole] });
    const rows = whole.map((_, at) => [...(logits?.data.slice(at * 6, at * 6 + 6) ?? [])]);
    const best = rows.map((row) => row.indexOf(Math.max(...row)));
    expect(chosen).toEqual(best.slice(prompt.length - 1, -1));
    expect(new Set(chosen).size).toBeGreaterThan(2);
  });

  test("says which blocks there are, and which size is missing", async () => {
    const model = Chars.init();
    expect(() => model.train([batch])).toThrow("Chars has several train blocks: give block as one of quick, slow");
    expect(() => model.generate({ block: "txt" })).toThrow(
      "Chars has no generate block txt: give block as one of text, best",
    );
    await expect(Chars.load(new Uint8Array(3))).rejects.toThrow("no safetensors file");
    const [open] = compile("model M(V) { in x: tok(V) use e = Embed(V, 2) y = e(x) loss = sum(y) }").models;
    expect(open && (() => instantiate(open))).toThrow(
      "the size V of M is not known: compile it with sizes: { V: ... }",
    );
    const [bag] = compile("model Sum { in x: [3] use f = Linear(3, 1) emit y: [1] ~ normal(f(x), 1) }").models;
    const sum = bag && instantiate(bag).init();
    await expect(sum?.step(undefined, { x: [[1, 2, 3]] })).rejects.toThrow("Sum cannot be run in pieces");
    expect(() => sum?.train([])).toThrow("Sum has no train block");
  });
});
