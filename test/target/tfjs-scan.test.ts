import { beforeAll, describe, expect, it } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import * as make from "../../src/op/make.ts";
import * as moves from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import { tanh } from "../../src/op/map.ts";
import { scan } from "../../src/op/region.ts";
import { random } from "../../src/op/source.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { lowerToTfjs } from "../../src/target/tfjs/lower.ts";
import { createTfjsRunner } from "../../src/target/tfjs/run.ts";
import { startTfjs, TF_BACKENDS } from "../support/tfjs.ts";
import { expectSameAsInterpreter, upload } from "./compare.ts";
import { axis, B, type Case, D, graphCase, H, SIZES, T, type } from "./graphs.ts";
import { lstm } from "./lstm.ts";

const S = axis("S", "T");

type Build = (b: Builder) => Readonly<Record<string, string>>;

/** A step of one carry `h` and one x: `h' = tanh(h + x)`. */
function accumulate() {
  const b = createBuilder("step");
  const h = b.param("h", type("float", B));
  const x = b.param("x", type("float", B));
  const next = b.add(tanh, [make.add(b, h, x)], {}, "h'");
  return b.finish([
    { name: "h", id: next },
    { name: "y", id: next },
  ]);
}

const CASES: Readonly<Record<string, Build>> = {
  "an LSTM and its gradient": (b) => lstm(b, { T, D, H }),
  "a reversed scan": (b) => {
    const [last = "", ys = ""] = b.addAll(
      scan,
      [b.param("h0", type("float", B)), b.param("x", type("float", B, T))],
      { axis: T, reverse: true, consts: 0, carries: 1, xs: 1, body: accumulate() },
      ["last", "ys"],
    );
    return { last, ys };
  },
  "positions, masks and values that do not change": (b) => {
    const step = createBuilder("step");
    const length = step.param("length", type("int", B));
    const w = step.param("w", type("float", D));
    const h = step.param("h", type("float", B, D));
    const t = step.param("t", type("int"));
    const keep = step.param("keep", type("bool", B));
    const inside = make.and(step, make.lt(step, t, length), keep);
    const next = make.select(step, inside, make.add(step, h, make.toFloat(step, t)), h);
    const results = [next, h, make.mul(step, w, w), t, make.lt(step, make.int(step, 2), t), make.num(step, 3)];
    const body = step.finish(results.map((id, at) => ({ name: `r${at}`, id })));
    const inputs = [
      b.param("length", type("int", B)),
      b.param("w", type("float", D)),
      make.full(b, 0.5, type("float", B, D)),
      make.iota(b, T),
      b.param("keep", type("bool", B, T)),
    ];
    const ids = b.addAll(scan, inputs, { axis: T, reverse: false, consts: 2, carries: 1, xs: 2, body }, [
      "last",
      "h",
      "square",
      "t",
      "late",
      "three",
    ]);
    return Object.fromEntries(ids.map((id) => [id, id]));
  },
  "a cache that is written and read": (b) => {
    const step = createBuilder("step");
    const buffer = step.param("buffer", type("float", S, B, D));
    const t = step.param("t", type("int"));
    const x = step.param("x", type("float", B, D));
    const written = moves.put(step, buffer, x, t, "S");
    const scores = sums.contract(step, written, x, [D]);
    const seen = make.select(step, make.le(step, make.iota(step, S), t), scores, make.num(step, 0));
    const body = step.finish([
      { name: "buffer", id: written },
      { name: "y", id: sums.contract(step, seen, written, [S]) },
    ]);
    const [whole = "", ys = ""] = b.addAll(
      scan,
      [make.full(b, 0, type("float", S, B, D)), make.iota(b, T), b.param("x", type("float", B, T, D))],
      { axis: T, reverse: false, consts: 0, carries: 1, xs: 2, body },
      ["whole", "ys"],
    );
    return { whole, ys };
  },
  "a scan in a scan": (b) => {
    const cell = createBuilder("cell");
    const left = cell.param("left", type("float", B));
    const up = cell.param("up", type("float", B));
    const d = cell.param("d", type("float", B));
    const value = make.add(cell, d, make.minimum(cell, left, up));
    const cellBody = cell.finish([
      { name: "left", id: value },
      { name: "row", id: value },
    ]);
    const row = createBuilder("row");
    const above = row.param("above", type("float", S, B));
    const costs = row.param("costs", type("float", S, B));
    const outer = row.addAll(
      scan,
      [make.full(row, 9, type("float", B)), above, costs],
      { axis: S, reverse: false, consts: 0, carries: 1, xs: 2, body: cellBody },
      ["end", "r"],
    );
    const rowBody = row.finish([
      { name: "above", id: outer[1] ?? "" },
      { name: "ends", id: outer[0] ?? "" },
    ]);
    const [last = "", ends = ""] = b.addAll(
      scan,
      [make.full(b, 0, type("float", S, B)), b.param("d", type("float", B, T, S))],
      { axis: T, reverse: false, consts: 0, carries: 1, xs: 1, body: rowBody },
      ["last", "ends"],
    );
    return { last, ends };
  },
  "random numbers in a step": (b) => {
    const step = createBuilder("step");
    const seed = step.param("seed", type("int"));
    const h = step.param("h", type("float", B));
    const noise = step.add(random, [seed], { distribution: "gaussian", stream: "walk", axes: [B] });
    const body = step.finish([{ name: "h", id: make.add(step, h, noise) }]);
    const start = make.full(b, 0, type("float", B));
    return {
      last:
        b.addAll(
          scan,
          [b.param("seed", type("int")), start],
          { axis: T, reverse: false, consts: 1, carries: 1, xs: 0, body },
          ["last"],
        )[0] ?? "",
    };
  },
};

describe.each(TF_BACKENDS)("scans on %s", (backend) => {
  let library: TfLibrary;
  beforeAll(async () => {
    library = await startTfjs(backend);
  });

  it.each(Object.keys(CASES))("%s", async (name) => {
    const build = CASES[name];
    if (build !== undefined) await expectSameAsInterpreter(graphCase(name, build), library);
  });

  it.each([1, 2])("runs %i steps", async (steps) => {
    const sizes = new Map([...SIZES, ["T", steps]]);
    await expectSameAsInterpreter(
      graphCase("short", (b) => lstm(b, { T, D, H }), sizes),
      library,
    );
  });

  it("runs no steps", async () => {
    const sizes = new Map([...SIZES, ["T", 0]]);
    const build = CASES["a reversed scan"];
    if (build !== undefined) await expectSameAsInterpreter(graphCase("none", build, sizes), library);
  });

  it("leaves nothing behind when a step fails", () => {
    const one = graphCase("broken", (b) => {
      const step = createBuilder("step");
      const h = step.param("h", type("float", B));
      const x = step.param("x", type("float", B, T));
      const part = moves.shift(step, x, "T", 1);
      const body = step.finish([{ name: "h", id: make.add(step, h, sums.sumOver(step, part, [T])) }]);
      return {
        last:
          b.addAll(
            scan,
            [b.param("h0", type("float", B)), b.param("x", type("float", B, S, T))],
            { axis: S, reverse: false, consts: 0, carries: 1, xs: 1, body },
            ["last"],
          )[0] ?? "",
      };
    });
    const { tf, support } = library;
    let calls = 0;
    const shift: typeof support.shift = (...args) => {
      calls += 1;
      if (calls === 3) throw new Error("the device is gone");
      return support.shift(...args);
    };
    const program = lowerToTfjs(one.graph, new Map());
    const inputs = new Map(program.params.map((param) => [param.id, upload(tf, one.inputs.get(param.id))]));
    const before = tf.memory().numTensors;
    const run = createTfjsRunner(program, { tf, support: { ...support, shift } });
    expect(() => run(inputs, SIZES)).toThrow("the device is gone");
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([...inputs.values()]);
  });
});

describe("inputs that do not fit", () => {
  const one: Case = graphCase("plain", (b) => ({ y: make.add(b, b.param("x", type("float", B, T)), make.num(b, 1)) }));

  it("names the param, what it should be and what it is", async () => {
    const library = await startTfjs("cpu");
    const run = createTfjsRunner(lowerToTfjs(one.graph, new Map()), library);
    const x = library.tf.zeros([5, 3]);
    expect(() => run(new Map(), SIZES)).toThrow("no value is given for %x");
    expect(() => run(new Map([["x", x]]), SIZES)).toThrow("%x is [B, T] = [3, 5], its tensor [5, 3]");
    expect(() => run(new Map([["x", x]]), new Map([["B", 3]]))).toThrow("the size T is not known");
    x.dispose();
  });
});

describe("the lowered program", () => {
  it("does not grow with the length, and is the same every time", () => {
    const lower = () => JSON.stringify(lowerToTfjs(graphCase("lstm", (b) => lstm(b, { T, D, H })).graph, new Map()));
    expect(lower()).toBe(lower());
    const fixed = (length: number) =>
      JSON.stringify(lowerToTfjs(graphCase("lstm", (b) => lstm(b, { T, D, H })).graph, new Map([["T", length]])));
    expect(fixed(1000).length - fixed(10).length).toBeLessThan(500);
  });
});
