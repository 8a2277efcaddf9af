import { expect, test } from "vitest";
import { gradients } from "../../src/grad/gradients.ts";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import { namedSize } from "../../src/ir/size.ts";
import type { Axis } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as sums from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { readElse } from "../support/equations.ts";

const T: Axis = { id: "T", size: namedSize("T") };
const B: Axis = { id: "B", size: namedSize("B") };

/** `layers` recurrences one above the other, each of `width` nodes; or all in one circle. */
function tower(b: Builder, layers: number, width: number, together: boolean): string {
  let x = b.param("x", { dtype: "float", axes: [T, B] });
  const back = b.forward("back", { dtype: "float", axes: [T, B] });
  if (together) x = make.add(b, x, readElse(b, back, [[T, -1]], make.num(b, 0)));
  for (let layer = 0; layer < layers; layer++) {
    const h = b.forward(`h${layer}.ahead`, { dtype: "float", axes: [T, B] });
    let value = make.add(b, x, readElse(b, h, [[T, -1]], make.num(b, 0)));
    for (let step = 0; step < width; step++) value = make.map(b, step % 2 === 0 ? maps.tanh : maps.exp, value);
    b.close(h, value);
    x = value;
  }
  b.close(back, x);
  return x;
}

test.each([
  ["many small circles", 1000, 17, false],
  ["one large circle", 1000, 17, true],
  ["one long chain", 1, 20_000, false],
] as const)("%s of about 20,000 nodes has an order", (_name, layers, width, together) => {
  const b = createBuilder("large");
  const graph = b.finish([{ name: "y", id: tower(b, layers, width, together) }]);
  expect(schedule(graph)).toHaveProperty("graph");
});

test("a gradient of a large circle does not overflow the stack", () => {
  const b = createBuilder("large");
  const y = tower(b, 300, 20, true);
  const loss = sums.sumOver(b, y, [T, B]);
  const [dx = ""] = gradients(b, loss, ["x"]);
  expect(schedule(b.finish([{ name: "dx", id: dx }]))).toHaveProperty("graph");
});
