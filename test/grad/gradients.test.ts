import { describe, expect, test } from "vitest";
import { differentiate } from "../../src/grad/differentiate.ts";
import { gradients, withoutDerivative } from "../../src/grad/gradients.ts";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { namedSize, type SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { Axis } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as move from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { readElse } from "../support/equations.ts";

const B: Axis = { id: "B", size: namedSize("B") };
const T: Axis = { id: "T", size: namedSize("T") };
const SIZES: SizeBinding = new Map([
  ["B", 2],
  ["T", 3],
]);

function values(b: Builder, id: string, inputs: Readonly<Record<string, readonly number[]>>): readonly number[] {
  const scheduled = schedule(b.finish([{ name: "value", id }]));
  if (!("graph" in scheduled)) throw new Error("does not schedule");
  const tensors = new Map(
    scheduled.graph.params.map(({ id: param, type }): [string, Tensor] => [
      param,
      {
        dtype: type.dtype,
        axes: type.axes.map((axis) => axis.id),
        shape: type.axes.map((axis) => SIZES.get(axis.size.text) ?? 1),
        data: Float64Array.from(inputs[param] ?? []),
      },
    ]),
  );
  return [...(interpret(scheduled.graph, tensors, SIZES).get("value")?.data ?? [])];
}

describe("gradients", () => {
  test("of what a loss does not depend on are zero, with its axes", () => {
    const b = createBuilder("g");
    const x = b.param("x", { dtype: "float", axes: [B] });
    const y = b.param("y", { dtype: "float", axes: [B, T] });
    const [, dy = ""] = gradients(b, sums.sumOver(b, make.mul(b, x, x), [B]), [x, y]);
    expect(b.type(dy).axes.map((axis) => axis.id)).toEqual(["B", "T"]);
    expect(values(b, dy, { x: [1, 2], y: [1, 2, 3, 4, 5, 6] })).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("sum over all uses, and count positions along which a value is repeated", () => {
    const b = createBuilder("g");
    const x = b.param("x", { dtype: "float", axes: [] });
    const repeated = move.expand(b, make.mul(b, x, x), [B, T]);
    const loss = make.add(b, sums.sumOver(b, repeated, [B, T]), make.mul(b, make.num(b, 3), x));
    const [dx = ""] = gradients(b, loss, [x]);
    expect(values(b, dx, { x: [5] })).toEqual([6 * 2 * 5 + 3]);
  });

  test("by values in the middle, also where they are the loss", () => {
    const b = createBuilder("g");
    const x = b.param("x", { dtype: "float", axes: [B] });
    const middle = make.exp(b, x);
    const loss = sums.sumOver(b, make.mul(b, middle, middle), [B]);
    const [dm = "", dl = ""] = gradients(b, loss, [middle, loss]);
    expect(values(b, dm, { x: [0, 1] })).toEqual([2, 2 * Math.E]);
    expect(values(b, dl, { x: [0, 1] })).toEqual([1]);
  });

  test("do not pass stop_gradient, comparisons or integers", () => {
    const b = createBuilder("g");
    const x = b.param("x", { dtype: "float", axes: [] });
    const stopped = make.mul(b, make.stopGradient(b, x), x);
    const whole = make.toFloat(b, make.toInt(b, x));
    const chosen = make.select(b, make.lt(b, x, make.num(b, 10)), stopped, make.num(b, 0));
    const [dx = ""] = gradients(b, make.add(b, chosen, make.mul(b, whole, whole)), [x]);
    expect(values(b, dx, { x: [4] })).toEqual([4]);
  });

  test("of one number for each example are each example's own", () => {
    const b = createBuilder("g");
    const x = b.param("x", { dtype: "float", axes: [B, T] });
    const score = sums.sumOver(b, make.mul(b, x, make.mul(b, x, x)), [T]);
    const [dx = ""] = gradients(b, score, [x]);
    const norm = sums.sumOver(b, make.mul(b, dx, dx), [T]);
    const [again = ""] = gradients(b, norm, [x]);
    expect(values(b, dx, { x: [1, 2, 3, 4, 5, 6] })).toEqual([1, 2, 3, 4, 5, 6].map((at) => 3 * at * at));
    expect(values(b, again, { x: [1, 2, 3, 4, 5, 6] })).toEqual([1, 2, 3, 4, 5, 6].map((at) => 36 * at ** 3));
  });

  test("of a learned start is the cotangent at the start alone", () => {
    const b = createBuilder("g");
    const start = b.param("start", { dtype: "float", axes: [] });
    const h = b.forward("h", { dtype: "float", axes: [T] });
    const value = make.mul(b, readElse(b, h, [[T, -1]], start), make.num(b, 2));
    b.close(h, value);
    const [d = ""] = gradients(b, sums.sumOver(b, value, [T]), [start]);
    expect(values(b, d, { start: [1] })).toEqual([2 + 4 + 8]);
  });

  test("need a derivative of every op on the way", () => {
    const b = createBuilder("g");
    const x = b.param("x", { dtype: "float", axes: [] });
    const y = make.map(b, maps.trigamma, x);
    expect(withoutDerivative(b, y, [x]).map((node) => node.op.name)).toEqual(["trigamma"]);
    expect(() => gradients(b, y, [x])).toThrow("internal: trigamma has no derivative");
    expect(withoutDerivative(b, make.add(b, make.stopGradient(b, y), x), [x])).toEqual([]);
  });

  test("belong to the equation that they come from", () => {
    const b = createBuilder("g");
    const x = b.param("x", { dtype: "float", axes: [] });
    const origin = { name: "y", span: { file: "a.seq", start: 3, end: 9 } };
    const y = b.within(origin, () => make.exp(b, make.map(b, maps.sin, x)));
    const [dx = ""] = gradients(b, y, [x]);
    expect(b.definition(dx)?.origin).toEqual(origin);
  });
});

test("differentiate keeps the results and adds gradients, again and again", () => {
  const b = createBuilder("g");
  const x = b.param("x", { dtype: "float", axes: [] });
  const h = b.forward("h.ahead", { dtype: "float", axes: [T] });
  const value = make.mul(b, readElse(b, h, [[T, -1]], x), x, "h");
  b.close(h, value);
  const loss = sums.sumOver(b, value, [T], "loss");
  const once = differentiate(
    b.finish([
      { name: "h", id: value },
      { name: "loss", id: loss },
    ]),
    loss,
    ["x"],
  );
  expect(once.params).toEqual([{ id: "x", type: { dtype: "float", axes: [] } }]);
  expect(once.results.map((result) => result.name)).toEqual(["h", "loss", "d.x"]);
  const slope = once.results[2]?.id ?? "";
  const twice = differentiate(once, slope, ["x"]);
  const scheduled = schedule(twice);
  if (!("graph" in scheduled)) throw new Error("does not schedule");
  const input: Tensor = { dtype: "float", axes: [], shape: [], data: Float64Array.of(0.5) };
  const results = interpret(scheduled.graph, new Map([["x", input]]), SIZES);
  // x² + x³ + x⁴
  expect(results.get("loss")?.data[0]).toBeCloseTo(0.25 + 0.125 + 0.0625, 14);
  expect(twice.results.map((result) => result.name)).toEqual(["h", "loss", "d.x", "d.x"]);
  const last = twice.results[3]?.id;
  const only = schedule({ ...twice, results: [{ name: "second", id: last ?? "" }] });
  if (!("graph" in only)) throw new Error("does not schedule");
  expect(interpret(only.graph, new Map([["x", input]]), SIZES).get("second")?.data[0]).toBeCloseTo(2 + 3 + 3, 13);
});
