import { expect, test } from "vitest";
import { compileText } from "../support/compile.ts";
import { evaluate } from "../support/execute.ts";
import { feed } from "../support/feed.ts";
import { readArray } from "../support/read.ts";

const TEXT = `model M(N = 6) {
  time T
  in x: [N], y: [T]
  up = sort(x)
  greatest, places = top_k(x, k: 3)
  long = sort(y)
}`;

test("sort and top_k, ties in their order, padding left out", () => {
  const program = compileText(TEXT, { values: ["up", "greatest", "places", "long"] });
  const x = [3, -1, 2, 3, 0, 2.5];
  const y = [4, 1, 3, 9, 2, 1, -7, -8];
  const arrays = {
    x: { shape: [2, 6], data: [...x, ...x.map((value) => 0 - value)] },
    y: { shape: [2, 4], data: y },
    "T.length": { shape: [2], data: [3, 2] },
  };
  const results = evaluate(program.graph, feed(program, arrays));
  const rows = (name: string, size: number): readonly (readonly number[])[] => {
    const data = Array.from(readArray(program, results, `value.${name}`).data, (value) => value + 0);
    return [data.slice(0, size), data.slice(size, 2 * size)];
  };
  expect(rows("up", 6)).toEqual([
    [-1, 0, 2, 2.5, 3, 3],
    [-3, -3, -2.5, -2, 0, 1],
  ]);
  expect(rows("greatest", 3)).toEqual([
    [3, 3, 2.5],
    [1, 0, -2],
  ]);
  expect(rows("places", 3)).toEqual([
    [0, 3, 5],
    [1, 4, 2],
  ]);
  const long = rows("long", 4);
  expect(long[0]?.slice(0, 3)).toEqual([1, 3, 4]);
  expect(long[1]?.slice(0, 2)).toEqual([1, 2]);
});
