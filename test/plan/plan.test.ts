import { describe, expect, test } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { constantSize, namedSize } from "../../src/ir/size.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as moves from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import { exp, sigmoid, tanh } from "../../src/op/map.ts";
import { concat, put } from "../../src/op/move.ts";
import { scan } from "../../src/op/region.ts";
import { readsOf, writesOf } from "../../src/plan/action-access.ts";
import { type Action, type Plan, planGraph } from "../../src/plan/plan.ts";
import { isProducts, productRuns } from "../../src/plan/product-run.ts";

const axis = (id: string, size: number | string = id): Axis => ({
  id,
  size: typeof size === "number" ? constantSize(size) : namedSize(size),
});
const B = axis("B");
const T = axis("T");
const H = axis("H", 8);
const G = axis("G", 8);
const float = (...axes: readonly Axis[]): Type => ({ dtype: "float", axes });

function planned(
  build: (b: Builder) => Readonly<Record<string, string>>,
  feedback: ReadonlyMap<string, string> = new Map(),
): Plan {
  const builder = createBuilder("planned");
  const results = Object.entries(build(builder)).map(([name, id]) => ({ name, id }));
  return planGraph(builder.finish(results), new Map(), feedback);
}

/** Actions in words, loops with what is inside them. */
function words(actions: readonly Action[]): readonly string[] {
  return actions.flatMap((action) => {
    if (action.kind === "loop") {
      const carries = action.carries.map((plan) => plan.kind).join(", ");
      return [`loop ${action.loop.axis.id} (${carries})`, ...words(action.body).map((line) => `  ${line}`)];
    }
    if (action.kind === "kernel") {
      const { kernel } = action;
      return [
        `${kernel.kind} ${(kernel.kind === "map" ? kernel.outputs : [kernel.output]).map((value) => value.name).join(" ")}`,
      ];
    }
    if (action.kind === "products")
      return [
        `products ${action.terms.length}${action.terms.some(({ pack }) => pack !== undefined && pack.made !== "when needed") ? " packed before" : ""}`,
      ];
    return [action.kind === "copy" ? `copy ${action.from.name}` : "pack"];
  });
}

describe("what is a kernel", () => {
  test("a chain joins its reader; what two read is computed once where it costs much", () => {
    const plan = planned((b) => {
      const x = b.param("x", float(B, H));
      const cheap = make.add(b, x, make.num(b, 1));
      const dear = b.add(exp, [make.mul(b, cheap, cheap)], {}, "dear");
      return {
        sum: sums.sumOver(b, dear, [H], "sum"),
        scaled: b.add(sigmoid, [make.mul(b, dear, cheap)], {}, "scaled"),
      };
    });
    expect(words(plan.actions)).toEqual(["map dear scaled", "reduce sum"]);
  });

  test("sums of products are added up in place", () => {
    const plan = planned((b) => {
      const product = (name: string) =>
        sums.contract(b, b.param(`W${name}`, float(H, G)), b.param(`x${name}`, float(B, G)), [G]);
      return { y: make.add(b, make.add(b, product("a"), product("b")), product("c")) };
    });
    expect(words(plan.actions)).toEqual(["products 3"]);
  });
});

describe("what depends on weights alone", () => {
  test("is computed before the first run, with the constants that it needs; what needs a length is not", () => {
    const plan = planned((b) => {
      const w = b.param("w", float(H));
      const slope = make.mul(b, make.toFloat(b, make.iota(b, H)), make.num(b, 0.1));
      const dear = b.add(exp, [slope], {}, "dear");
      const scaled = sums.sumOver(b, make.mul(b, w, dear), [H], "scaled");
      const steps = sums.sumOver(b, make.add(b, make.toFloat(b, make.iota(b, T)), w), [T], "steps");
      return { dear, scaled, steps };
    });
    expect(words(plan.prepare)).toEqual(["map dear", "products 1"]);
    expect(words(plan.actions)).toEqual(["reduce steps"]);
  });

  test("is computed in every run where a result replaces the weight", () => {
    const build = (b: Builder): Readonly<Record<string, string>> => {
      const w = b.param("w", float(H));
      const norm = sums.sumOver(b, make.mul(b, w, w), [H], "norm");
      return { w: make.div(b, w, norm, "next") };
    };
    expect(words(planned(build, new Map([["w", "w"]])).prepare)).toEqual([]);
    expect(words(planned(build).prepare)).toEqual(["products 1", "map next"]);
  });
});

/** h' = tanh(W h + x); c' = c + h'. */
function recurrence(b: Builder): readonly string[] {
  const inner = createBuilder("step");
  const W = inner.param("W.in", float(H, G));
  const [h, c] = [inner.param("h.in", float(B, H)), inner.param("c.in", float(B, H))];
  const x = inner.param("x.in", float(B, H));
  const product = sums.contract(inner, W, moves.rename(inner, h, ["H"], [G]), [G]);
  const next = inner.add(tanh, [make.add(inner, product, x)], {}, "next");
  const sum = make.add(inner, c, next, "sum");
  const body = inner.finish([next, sum, next, h].map((id, index) => ({ name: `r${index}`, id })));
  const zero = make.full(b, 0, float(B, H));
  const inputs = [b.param("W", float(H, G)), zero, zero, b.param("x", float(B, T, H))];
  const attributes = { axis: T, reverse: false, consts: 1, carries: 2, xs: 1, body };
  return b.addAll(scan, inputs, attributes, ["h", "c", "hs", "before"]);
}

describe("loops", () => {
  test("weights are packed before, states are read where they are collected, a step copies nothing", () => {
    const plan = planned((b) => {
      const [h = "", c = "", hs = "", before = ""] = recurrence(b);
      return { h, c, hs, before };
    });
    expect(words(plan.prepare)).toEqual(["pack"]);
    expect(words(plan.actions)).toEqual([
      ...["loop T (collected, double)", "  products 1 packed before", "  map next sum"],
    ]);
    const [hs, before] = ["hs", "before"].map((name) => plan.results.find((result) => result.name === name)?.place);
    expect(hs?.cell).toBe(before?.cell);
    expect([before?.offset?.text, hs?.offset?.text]).toEqual(["0", "8*B"]);
  });

  test("a buffer that a step writes an entry of is written in place", () => {
    const plan = planned((b) => {
      const inner = createBuilder("cache");
      const buffer = inner.param("buffer.in", float(B, T, H));
      const [x, t] = [inner.param("x.in", float(B, H)), inner.param("t.in", { dtype: "int", axes: [] })];
      const written = inner.add(put, [buffer, x, t], { axis: "T" }, "written");
      const read = sums.sumOver(inner, inner.add(sigmoid, [written], {}), [T], "read");
      const body = inner.finish([written, read].map((id, index) => ({ name: `r${index}`, id })));
      const steps = axis("steps", "T");
      const attributes = { axis: steps, reverse: false, consts: 0, carries: 1, xs: 2, body };
      const start = make.full(b, 0, float(B, T, H));
      const inputs = [start, b.param("x", float(B, steps, H)), make.iota(b, steps)];
      return { ys: b.addAll(scan, inputs, attributes, ["last", "ys"])[1] ?? "" };
    });
    expect(words(plan.actions)).toEqual(["loop steps (in place)", "  put written", "  reduce read"]);
  });

  test("parts of a concatenation are computed where they lie", () => {
    const HH = axis("HH", 16);
    const plan = planned((b) => {
      const x = b.param("x", float(B, H));
      const [a, c] = [b.add(tanh, [x], {}, "a"), b.add(sigmoid, [x], {}, "c")];
      const both = b.add(concat, [a, c], { axes: ["H", "H"], to: HH }, "both");
      return { y: sums.contract(b, b.param("W", float(HH, G)), both, [HH], "y") };
    });
    expect(words(plan.actions)).toEqual(["map a c", "products 1"]);
  });
});

describe("results that params take back", () => {
  const step =
    (late: boolean) =>
    (b: Builder): Readonly<Record<string, string>> => {
      const [w, g] = [b.param("w", float(H)), sums.sumOver(b, b.param("x", float(B, H)), [B], "g")];
      const next = make.sub(b, w, make.mul(b, g, make.num(b, 0.1)), "next");
      return {
        w: next,
        norm: late ? sums.sumOver(b, make.mul(b, w, w), [H], "norm") : sums.sumOver(b, make.mul(b, g, g), [H], "norm"),
      };
    };

  test("are written over them where nothing reads these afterwards", () => {
    expect(words(planned(step(false), new Map([["w", "w"]])).actions)).toEqual(["reduce g", "map next", "products 1"]);
  });

  test("and copied at the end where something does", () => {
    expect(words(planned(step(true), new Map([["w", "w"]])).actions)).toEqual([
      ...["reduce g", "map next", "products 1", "copy next"],
    ]);
  });
});

describe("products of one right matrix", () => {
  test("follow one another, and keep through all of them what one needs", () => {
    const K = axis("K", 8);
    const plan = planned((b) => {
      const [x, y] = [b.param("x", float(B, T, H)), b.param("y", float(B, T, K))];
      const [one, two] = [b.add(tanh, [y], {}, "one"), b.add(sigmoid, [y], {}, "two")];
      const gradient = (of: string, name: string) =>
        sums.contract(
          b,
          of,
          x,
          ["B", "T"].map((id) => axis(id)),
          name,
        );
      const first = gradient(one, "first");
      const step = make.mul(b, first, make.num(b, 0.1), "step");
      return { step, second: gradient(two, "second") };
    });
    const products = plan.actions.filter(isProducts);
    expect(productRuns(plan, plan.actions).map((run) => run.length)).toContain(2);
    const [start = 0, end = 0] = [products[0]?.first, products[1]?.last];
    const alive = products.flatMap((action) => [...readsOf(plan, action), ...writesOf(plan, action)]);
    for (const { name, first, last } of alive) expect([name, first <= start, last >= end]).toEqual([name, true, true]);
  });
});
