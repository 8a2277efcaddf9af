import { describe, expect, test } from "vitest";
import type { Program } from "../../src/build/program.ts";
import type { HostArray } from "../../src/runtime/executor.ts";
import { referenceExecutor } from "../../src/runtime/reference.ts";
import { trialOf, trialSizes } from "../../src/runtime/trial.ts";
import { compileText, forwardOf, openJob, renderFindings } from "../support/compile.ts";

/** A cell of two states, that no library has. */
const CELL = `cell Leaky(D) {
  in    x: [D]
  state h: [D], m: [D] = m0
  param a: [D], U: [to: D, D], m0: [D]
  m' = a * m + x
  h' = tanh(U @ h + m')
  out h'
}`;

const STACKED = `${CELL}
model M(D = 3) {
  time T
  in   x: [T, D]
  use  tower = stack 3 of Leaky(D)
  y, s = scan tower over x
  h = s.h
  m = s.m[1]
  emit z: [T] ~ normal(sum[D](y), 1)
}`;

const APART = `${CELL}
model M(D = 3) {
  time T
  in   x: [T, D]
  use  a = Leaky(D), b = Leaky(D), c = Leaky(D)
  p, r = scan a over x
  q, s = scan b over p
  y, u = scan c over q
  h[l in 3, d in D] = where(l == 0, r.h[d], where(l == 1, s.h[d], u.h[d]))
  m = s.m
  emit z: [T] ~ normal(sum[D](y), 1)
}`;

/** The same, each step written out. */
const STEPS = STACKED.replace("y, s = scan tower over x", "y[t], st[t] = tower(x[t], st[t-1])\n  s = st[T-1]");

/** Values by weight and input, whatever the weights are called. */
async function run(text: string, values: readonly string[] = ["y", "h", "m"], dense = true) {
  const program = compileText(text, { values, gradients: true, dense });
  const sizes = new Map([...trialSizes(program), ["T", 4]]);
  const { inputs } = trialOf(plain(program), sizes, 3);
  const named = new Map(
    program.graph.params.map(({ id }) => [id, inputs.get(alike(id)) ?? { shape: [], data: new Float64Array(1) }]),
  );
  if (!dense) named.set("T.length", { shape: [2], data: Int32Array.of(4, 2) });
  const results = await referenceExecutor().prepare(program).run(named, sizes);
  return new Map([...results].map(([name, value]) => [alike(name), value]));
}

/** `tower.0.a` is `a.a`. */
function alike(name: string): string {
  return name.replace(/tower\.([012])\b/, (_, block: string) => ["a", "b", "c"][Number(block)] ?? "");
}

function plain(program: Program): Program {
  const params = program.graph.params.map((param) => ({ ...param, id: alike(param.id) }));
  return {
    ...program,
    graph: { ...program.graph, params },
    params: new Map([...program.params].map(([id, role]) => [alike(id), role])),
  };
}

function rounded(results: ReadonlyMap<string, HostArray>): Readonly<Record<string, readonly number[]>> {
  const sorted = [...results].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([name, { data }]) => [name, Array.from(data, (value) => Math.round(value * 1e9) / 1e9)]),
  );
}

describe("a stack of cells", () => {
  test.each([true, false])("is the cells one after another, states, gradients and all (dense: %s)", async (dense) => {
    const wanted = rounded(await run(APART, ["y", "h", "m"], dense));
    expect(Object.keys(wanted).filter((name) => name.startsWith("gradient."))).toHaveLength(9);
    expect(rounded(await run(STACKED, ["y", "h", "m"], dense))).toEqual(wanted);
    expect(rounded(await run(STEPS, ["y", "h", "m"], dense))).toEqual(wanted);
  });

  test("starts from a state that has the blocks in front, or from one number", async () => {
    const from = (start: string) =>
      STACKED.replace("scan tower over x", `scan tower over x from tower.state(${start})`);
    const one = rounded(await run(from("h: 0, m: 0.25"), ["y"]));
    const each = rounded(await run(from("m: full").replace("  y, s", "  full[l in 3, d in D] = 0.25\n  y, s"), ["y"]));
    expect(each["value.y"]).toEqual(one["value.y"]);
  });

  test("shares weights and not states", async () => {
    const results = rounded(await run(STACKED.replace("stack 3", "share 3"), ["h"]));
    const [h = []] = [results["value.h"]];
    expect(new Set(h).size).toBe(h.length);
  });

  test("of none hands on what it is given, of one has an axis of size 1 in front", async () => {
    const none = rounded(await run(STACKED.replace("stack 3", "stack 0").replace(/ {2}[hm] = .*\n/g, ""), ["y", "x"]));
    expect(none["value.y"]).toEqual(none["value.x"]);
    const one = await run(STACKED.replace("stack 3", "stack 1").replace("s.m[1]", "s.m[0]"), ["h", "m"]);
    expect(one.get("value.h")?.shape).toEqual([2, 3]);
  });

  test.each([
    ["from y0", "from takes a state, this is [D]"],
    ["from tower.state(h: two)", "the states of 3 blocks are given [2, D]"],
    ["from tower.state(k: 0)", "Leaky has no state k"],
    ["from other.state()", "the state of the stack tower is needed here, this is the state of Leaky"],
  ])("%s is a mistake", (from, message) => {
    const text = STACKED.replace("scan tower over x", `scan tower over x ${from}`).replace(
      "  y, s",
      "  use other = Leaky(D)\n  y0[d in D] = 0\n  two[l in 2, d in D] = 0\n  y, s",
    );
    const job = openJob(text);
    forwardOf(job, {});
    expect(renderFindings(job)).toContain(message);
  });

  test("of cells that differ in shape has no common state to read", () => {
    const job = openJob(`cell Wide(D, K) {
  in    x: [D]
  state k: [K]
  k' = k + sum(x)
  out x + sum(k')
}
model M(D = 3) {
  time T
  in   x: [T, D]
  use  tower = stack i in 2 of Wide(D, i + 2)
  y, s = scan tower over x
  a = sum(s.k)
  emit z: [T] ~ normal(sum[D](y), 1 + a**2)
}`);
    forwardOf(job, {});
    expect(renderFindings(job)).toContain("k is [2] in one block and [3] in another");
  });
});
