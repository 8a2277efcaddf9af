import { describe, expect, test } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { constantSize, namedSize, partSize } from "../../src/ir/size.ts";
import type { Axis } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as move from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { readElse } from "../support/equations.ts";
import { explainText } from "../support/problem_text.ts";

const T: Axis = { id: "t", size: namedSize("T") };
const I: Axis = { id: "i", size: namedSize("N") };
const J: Axis = { id: "j", size: namedSize("N") };
const H: Axis = { id: "h", size: namedSize("H") };
const G: Axis = { id: "h~1", size: namedSize("H") };

interface Equations {
  readonly b: Builder;
  /** The value that a name will have. */
  readonly value: Readonly<Record<string, string>>;
}

/** Equations by name; each value has the given axes. */
function problemsOf(
  axes: readonly Axis[],
  equations: Readonly<Record<string, (equations: Equations) => string>>,
): readonly string[] {
  const b = createBuilder("refused");
  const names = Object.keys(equations);
  const value = Object.fromEntries(names.map((name) => [name, b.forward(name, { dtype: "float", axes })]));
  names.forEach((name, index) => {
    const span = { file: "test.seq", start: index, end: index + 1 };
    const defined = b.within({ name, span }, () => move.expand(b, equations[name]?.({ b, value }) ?? "", axes));
    b.close(value[name] ?? "", defined);
  });
  const graph = b.finish(names.map((name) => ({ name, id: value[name] ?? "" })));
  const scheduled = schedule(graph);
  return "problems" in scheduled ? scheduled.problems.map(explainText) : [];
}

const zero = (b: Builder): string => make.num(b, 0);
const tanh = (b: Builder, x: string): string => make.map(b, maps.tanh, x);

describe("no delay", () => {
  test("two values need each other at the same position", () => {
    const found = problemsOf([T], {
      a: ({ b, value }) => tanh(b, make.add(b, value.b ?? "", make.num(b, 1))),
      b: ({ b, value }) => make.mul(b, value.a ?? "", make.num(b, 0.5)),
    });
    expect(found).toEqual(["no-delay: a → b"]);
  });

  test("the nodes of one equation count once, and a way round through another read does not hide the circle", () => {
    const found = problemsOf([T], {
      a: ({ b, value }) => tanh(b, make.add(b, tanh(b, value.c ?? ""), readElse(b, value.a ?? "", [[T, -1]], zero(b)))),
      b: ({ b, value }) => tanh(b, tanh(b, value.a ?? "")),
      c: ({ b, value }) => make.mul(b, value.b ?? "", value.b ?? ""),
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^no-delay, t fixed: (a → c → b|c → b → a|b → a → c)$/);
  });

  test("a product with a matrix is no reason", () => {
    const u = (b: Builder) => b.param("u", { dtype: "float", axes: [H, G] });
    const found = problemsOf([T, H], {
      y: ({ b, value }) => sums.contract(b, u(b), move.rename(b, tanh(b, value.y ?? ""), ["h"], [G]), [G]),
    });
    expect(found).toEqual(["no-delay: y"]);
  });

  test("with the outer index fixed", () => {
    const found = problemsOf([I, J], {
      r: ({ b, value }) => make.add(b, readElse(b, value.r ?? "", [[I, -1]], zero(b)), tanh(b, value.s ?? "")),
      s: ({ b, value }) => tanh(b, value.r ?? ""),
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^no-delay, i fixed: (r → s|s → r)$/);
  });
});

describe("two directions", () => {
  test("earlier and later", () => {
    const found = problemsOf([T], {
      h: ({ b, value }) =>
        make.add(
          b,
          readElse(b, value.h ?? "", [[T, -1]], zero(b)),
          make.mul(b, make.num(b, 0.5), readElse(b, value.h ?? "", [[T, 2]], zero(b))),
        ),
    });
    expect(found).toEqual(["two-directions along t: h reads h earlier, h reads h later"]);
  });

  test("through another equation", () => {
    const found = problemsOf([T], {
      a: ({ b, value }) => tanh(b, readElse(b, value.b ?? "", [[T, -1]], zero(b))),
      b: ({ b, value }) => tanh(b, readElse(b, value.a ?? "", [[T, 1]], zero(b))),
    });
    expect(found).toEqual(["two-directions along t: a reads b earlier, b reads a later"]);
  });

  test("a slice and a window that reach both ways", () => {
    const part: Axis = { id: "t~1", size: partSize(T.size, ":t+2") };
    const slice = problemsOf([T], {
      h: ({ b, value }) => {
        const mask = make.lt(b, make.iota(b, part), make.add(b, make.iota(b, T), make.int(b, 2)));
        const read = move.prefix(b, value.h ?? "", "t", part, 2);
        return make.mul(b, make.num(b, 0.1), sums.sumOver(b, make.select(b, mask, read, zero(b)), [part]));
      },
    });
    expect(slice).toEqual(["two-directions along t: h reads h earlier, h reads h later"]);
    const three: Axis = { id: "k", size: constantSize(3) };
    const window = problemsOf([T], {
      h: ({ b, value }) => tanh(b, sums.sumOver(b, move.window(b, value.h ?? "", "t", three, -1, 1), [three])),
    });
    expect(window).toEqual(["two-directions along t: h reads h earlier, h reads h later"]);
  });

  test("inside a loop over the other index", () => {
    const found = problemsOf([I, J], {
      r: ({ b, value }) =>
        make.add(
          b,
          readElse(b, value.r ?? "", [[I, -1]], zero(b)),
          make.add(
            b,
            readElse(b, value.r ?? "", [[J, -1]], zero(b)),
            tanh(b, readElse(b, value.r ?? "", [[J, 1]], zero(b))),
          ),
        ),
    });
    expect(found).toEqual(["two-directions along j, i fixed: r reads r earlier, r reads r later"]);
  });
});

describe("all", () => {
  test("a mean of itself", () => {
    const found = problemsOf([T], {
      m: ({ b, value }) => make.mul(b, make.num(b, 0.5), sums.sumOver(b, value.h ?? "", [T])),
      h: ({ b, value }) => tanh(b, value.m ?? ""),
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^all along t: m reads all of h; (m → h|h → m)$/);
  });

  test("a delayed read beside it does not help", () => {
    const found = problemsOf([T], {
      h: ({ b, value }) =>
        tanh(
          b,
          make.add(b, readElse(b, value.h ?? "", [[T, -1]], zero(b)), sums.reduceOver(b, "max", value.h ?? "", [T])),
        ),
    });
    expect(found).toEqual(["all along t: h reads all of h; h"]);
  });

  test("positions that are computed", () => {
    const found = problemsOf([T], {
      h: ({ b, value }) => {
        const position = make.map(b, maps.toInt, readElse(b, value.h ?? "", [[T, -1]], zero(b)));
        return tanh(b, move.gather(b, value.h ?? "", position, "t"));
      },
    });
    expect(found).toEqual(["all along t: h reads all of h; h"]);
  });

  test("swapped indices that no order serves", () => {
    const found = problemsOf([I, J], {
      a: ({ b, value }) =>
        tanh(
          b,
          make.add(
            b,
            readElse(b, value.a ?? "", [[I, -1]], zero(b)),
            readElse(b, move.rename(b, value.a ?? "", ["i", "j"], [J, I]), [[I, -1]], zero(b)),
          ),
        ),
    });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^all along [ij]: a reads all of a; a$/);
  });
});

test("every circle is reported", () => {
  const found = problemsOf([T], {
    a: ({ b, value }) => tanh(b, value.a ?? ""),
    c: ({ b, value }) => make.mul(b, make.num(b, 2), sums.reduceOver(b, "max", value.c ?? "", [T])),
  });
  expect(found).toEqual(["no-delay: a", "all along t: c reads all of c; c"]);
});
