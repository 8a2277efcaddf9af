import type { Builder } from "../../src/ir/builder.ts";
import { namedSize, type SizeBinding } from "../../src/ir/size.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as move from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";

/* What equations are written with in tests: axes, reads, and the few functions of a cell. */

export const axis = (id: string): Axis => ({ id, size: namedSize(id) });
export const float = (...axes: readonly Axis[]): Type => ({ dtype: "float", axes });
export const int = (...axes: readonly Axis[]): Type => ({ dtype: "int", axes });
export const B = axis("B");
export const T = axis("T");
export const S = axis("S");
export const H = axis("H");
export const H2: Axis = { id: "H~1", size: namedSize("H") };
export const D = axis("D");
export const I = axis("I");
export const J = axis("J");
export const K = axis("K");
export const P = axis("P");

export const sizes = (values: Readonly<Record<string, number>>): SizeBinding => new Map(Object.entries(values));

/** x[.. + offset ..] else d, where every offset's outside is masked. */
export function readElse(b: Builder, x: string, offsets: readonly (readonly [Axis, number])[], d: string): string {
  let id = x;
  const masks: string[] = [];
  for (const [along, offset] of offsets) {
    id = move.shift(b, id, along.id, offset);
    const mask = make.inside(b, along, Math.max(-offset, 0), Math.max(offset, 0));
    if (mask !== undefined) masks.push(mask);
  }
  const ranges = offsets.map(([along, offset]) => ({
    axis: along.id,
    low: Math.max(-offset, 0),
    high: Math.max(offset, 0),
  }));
  const mask = masks.reduce((sum, part) => make.and(b, sum, part));
  return make.orelse(b, id, d, mask, { ranges, ragged: false });
}

/** W @ x for W: [H, over] and x: [.., over]. */
export function product(b: Builder, w: string, x: string, over: Axis): string {
  return sums.contract(b, w, x, [over]);
}

/** U @ h for U: [H, H~1]. */
export function square(b: Builder, u: string, h: string): string {
  return product(b, u, move.rename(b, h, ["H"], [H2]), H2);
}

export const tanh = (b: Builder, x: string, name: string): string => make.mapNamed(b, maps.tanh, [x], name);

export const add = (b: Builder, ...terms: readonly string[]): string =>
  terms.reduce((sum, term) => make.add(b, sum, term));

export function closing(b: Builder, name: string, type: Type, equation: (self: string) => string): string {
  const self = b.forward(`${name}.ahead`, type);
  const value = move.expand(b, equation(self), type.axes);
  b.close(self, value);
  return value;
}

export const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
export const sum = (count: number, term: (index: number) => number): number =>
  range(count).reduce((total, index) => total + term(index), 0);
export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** softmax over `over` where the mask holds; 0 elsewhere, also where it holds nowhere. */
export function maskedSoftmax(b: Builder, scores: string, mask: string, over: Axis): string {
  const masked = make.select(b, mask, scores, make.num(b, -1e30));
  const top = make.stopGradient(b, sums.reduceOver(b, "max", masked, [over]));
  const weights = make.select(b, mask, make.exp(b, make.sub(b, masked, top)), make.num(b, 0));
  return make.div(b, weights, make.maximum(b, sums.sumOver(b, weights, [over]), make.num(b, 1e-30)));
}

export function logSumExp(b: Builder, x: string, over: Axis): string {
  const top = make.stopGradient(b, sums.reduceOver(b, "max", x, [over]));
  return make.add(b, top, make.log(b, sums.sumOver(b, make.exp(b, make.sub(b, x, top)), [over])));
}
