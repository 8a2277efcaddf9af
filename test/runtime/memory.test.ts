import { describe, expect, test } from "vitest";
import { USUAL_STAGES } from "../../src/runtime/passes.ts";
import { wasmExecutor } from "../../src/runtime/wasm-executor.ts";
import { compileStepOf } from "../support/compile.ts";
import { randomFeed } from "../support/feed.ts";

const TEXT = `
model Tagger(D, H, C) {
  time T
  in  x: [T, D]
  use cell = LSTM(D, H), head = Linear(H, C)
  emit y: tok(C)[T] ~ categorical(head(scan cell over x))
}
train fit of Tagger { data x, y = csv("rows.csv") minimize nll(y) optim adam(0.01) for 10 steps }`;

describe("a budget of memory", () => {
  const program = compileStepOf(TEXT, "fit", { sizes: { D: 3, H: 16, C: 4 } });
  const weights = [...program.params].flatMap(([id, role]) => (role.kind === "weight" ? [id] : []));
  const long = randomFeed(program, { B: 2, T: 700 }, { spread: 0.3 });
  const short = randomFeed(program, { B: 2, T: 9 }, { spread: 0.3 });

  /** The loss of every run, and the weights at the end. */
  async function trained(
    memory: number | undefined,
    feeds: readonly (typeof long)[],
    off: readonly "checkpoint"[] = [],
  ) {
    const prepared = wasmExecutor({ ...USUAL_STAGES, off: new Set(off) }, { threads: 1, memory }).prepare(program);
    const roles = [...program.params].filter(([, role]) => role.kind === "weight" || role.kind === "slot");
    for (const [id] of roles) prepared.keep(id, host(long.inputs.get(id)));
    const numbers: number[] = [];
    for (const { inputs, sizes } of feeds) {
      const given = [...inputs].filter(([id]) => !roles.some(([kept]) => kept === id));
      const results = await prepared.run(new Map(given.map(([id, value]) => [id, host(value)])), sizes);
      numbers.push(results.get("loss")?.data[0] ?? Number.NaN);
    }
    for (const id of weights) numbers.push(...(await prepared.kept(id)).data);
    prepared.dispose();
    return numbers;
  }

  test("below it nothing changes; above it the numbers are the same up to rounding, and what was kept stays", async () => {
    const feeds = [short, long, short, long];
    const wanted = await trained(undefined, feeds);
    expect(await trained(1e8, feeds)).toEqual(wanted);
    const found = await trained(500_000, feeds);
    expect(found).not.toEqual(wanted);
    expect(found.length).toBe(wanted.length);
    found.forEach((number, at) => {
      expect(number).toBeCloseTo(wanted[at] ?? Number.NaN, 4);
    });
  });

  test("one that cannot be kept is an error, before anything has run", async () => {
    const message =
      /needs \d+ KiB of memory for .*B = 2, T = 700.*, more than the 20 KiB that it may take\n {2}hint: smaller batches or shorter sequences take less; --memory allows more/;
    await expect(trained(20_000, [long])).rejects.toThrow(message);
    await expect(trained(500_000, [long], ["checkpoint"])).rejects.toThrow(/needs 1\.\d MiB of memory/);
  });
});

function host(value: { readonly shape: readonly number[]; readonly data: ArrayLike<number> } | undefined) {
  if (value === undefined) throw new Error("no value");
  return { shape: value.shape, data: Float64Array.from(value.data) };
}
