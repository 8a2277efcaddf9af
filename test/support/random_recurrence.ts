import fc from "fast-check";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { namedSize, partSize, type SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { Axis, Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import * as move from "../../src/op/make_move.ts";
import * as sums from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";
import { type Chance, createChance } from "./chance.ts";
import { readElse } from "./equations.ts";
import { randomTensor } from "./tensors.ts";

export interface RandomRecurrence {
  readonly builder: Builder;
  readonly graph: Graph;
  readonly loss: string;
  readonly wrt: readonly string[];
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly sizes: SizeBinding;
}

const axis = (id: string): Axis => ({ id, size: namedSize(id) });
const T = axis("T");
const J = axis("J");
const H = axis("H");
const G: Axis = { id: "H~1", size: namedSize("H") };
const P = axis("P");

/** Groups of one to four equations that read themselves and one another at other positions, in one or two dimensions. */
export function recurrenceShapes(): fc.Arbitrary<RecurrenceShape> {
  return fc.record({
    seed: fc.integer(),
    equations: fc.integer({ min: 1, max: 4 }),
    depth: fc.integer({ min: 1, max: 3 }),
    length: fc.integer({ min: 1, max: 6 }),
    reverse: fc.boolean(),
    two: fc.boolean(),
  });
}

export interface RecurrenceShape {
  readonly seed: number;
  readonly equations: number;
  readonly depth: number;
  readonly length: number;
  readonly reverse: boolean;
  readonly two: boolean;
}

interface State {
  readonly b: Builder;
  readonly chance: Chance;
  readonly shape: RecurrenceShape;
  readonly values: readonly string[];
  readonly params: {
    readonly x: string;
    readonly y: string;
    readonly h0: string;
    readonly u: string;
    readonly w: string;
  };
  /** Which equation is being written: those before it may be read at the same position. */
  readonly at: number;
}

export function randomRecurrence(shape: RecurrenceShape): RandomRecurrence {
  const b = createBuilder("recurrence");
  const chance = createChance(shape.seed);
  const type: Type = { dtype: "float", axes: shape.two ? [T, J, H] : [T, H] };
  const param = (name: string, ...axes: readonly Axis[]) => b.param(name, { dtype: "float", axes });
  const params = {
    x: param("x", T, H),
    y: b.param("y", type),
    h0: param("h0", H),
    u: param("u", H, G),
    w: param("w", P),
  };
  const values = Array.from({ length: shape.equations }, (_, index) => b.forward(`v${index}.ahead`, type));
  values.forEach((reserved, at) => {
    const state: State = { b, chance, shape, values, params, at };
    const value = make.mapNamed(b, maps.tanh, [expression(state, shape.depth)], `v${at}`);
    b.close(reserved, move.expand(b, value, type.axes));
  });
  // What follows reads the group from outside, too.
  const after = expression({ b, chance, shape, values, params, at: values.length }, 2);
  const outputs = [...values, after];
  const loss = outputs
    .map((id) => make.mul(b, id, make.add(b, id, params.h0)))
    .map((score) => sums.sumOver(b, score, b.type(score).axes))
    .reduce((sum, part) => make.add(b, sum, part));
  const sizes: SizeBinding = new Map([
    ["T", shape.length],
    ["J", 3],
    ["H", 2],
    ["P", 2],
  ]);
  const inputs = new Map(
    b.finish([]).params.map((value) => [value.id, randomTensor(chance, value.type, sizes, -1, 1)] as const),
  );
  const results = outputs.map((id, index) => ({ name: `out${index}`, id }));
  const graph = b.finish([...results, { name: "loss", id: loss }]);
  return { builder: b, graph, loss, wrt: Object.values(params), inputs, sizes };
}

function expression(state: State, depth: number): string {
  const { chance } = state;
  if (depth === 0 || chance.uniform() < 0.1) return chance.uniform() < 0.75 ? reading(state) : leaf(state);
  return chance.pick(COMBINATIONS)(state, depth - 1);
}

type Combination = (state: State, depth: number) => string;

const COMBINATIONS: readonly Combination[] = [
  (s, d) => make.add(s.b, expression(s, d), expression(s, d)),
  (s, d) => make.mul(s.b, expression(s, d), make.mul(s.b, make.num(s.b, 0.7), expression(s, d))),
  (s, d) => make.map(s.b, maps.tanh, expression(s, d)),
  (s, d) => make.sub(s.b, expression(s, d), s.params.x),
  (s, d) => {
    const whole = move.expand(s.b, expression(s, d), [H]);
    return sums.contract(s.b, s.params.u, move.rename(s.b, whole, ["H"], [G]), [G]);
  },
  (s, d) => {
    const whole = move.expand(s.b, expression(s, d), [H]);
    return make.mul(s.b, make.num(s.b, 0.3), sums.sumOver(s.b, whole, [H]));
  },
  (s, d) => {
    const early = make.lt(s.b, make.iota(s.b, T), make.int(s.b, s.chance.below(4)));
    return make.select(s.b, early, expression(s, d), expression(s, d));
  },
];

function leaf({ b, chance, params }: State): string {
  return chance.pick([params.x, params.y, params.h0, make.num(b, 0.3)]);
}

/** What a read gives outside: from outside of the group, or from an earlier equation of it. */
function otherwise(state: State): string {
  const { chance, values, at } = state;
  return at > 0 && chance.uniform() < 0.2 ? chance.pick(values.slice(0, at)) : leaf(state);
}

function reading(state: State): string {
  const { b, chance, shape, values, at } = state;
  const any = chance.pick(values);
  const before = values.slice(0, at);
  const ahead = shape.reverse ? 1 : -1;
  const kinds = [
    "same",
    "delayed",
    "delayed",
    "delayed",
    "held",
    "window",
    "recent",
    "part",
    ...(shape.two ? ["beside", "beside", "diagonal"] : []),
  ];
  switch (chance.pick(kinds)) {
    case "same":
      return before.length > 0 ? chance.pick(before) : leaf(state);
    case "held": {
      const mask = make.inside(b, T, shape.reverse ? 0 : 1, shape.reverse ? 1 : 0) ?? "";
      return make.select(b, mask, move.shift(b, any, "T", ahead), otherwise(state));
    }
    case "window": {
      const first = (1 + chance.below(2)) * ahead;
      const stride = (1 + chance.below(2)) * ahead;
      const read = move.window(b, any, "T", P, first, stride);
      const position = make.add(
        b,
        make.iota(b, T),
        make.add(b, make.int(b, first), make.mul(b, make.int(b, stride), make.iota(b, P))),
      );
      const mask = make.and(b, make.le(b, make.int(b, 0), position), make.lt(b, position, make.sizeInt(b, T.size)));
      const masked = make.orelse(b, read, leaf(state), mask, { ranges: [], ragged: true });
      return sums.contract(b, state.params.w, masked, [P]);
    }
    case "recent": {
      // Ends at this position, like a causal convolution.
      const reach = 1 + chance.below(2);
      const read = move.window(
        b,
        before.length > 0 ? chance.pick(before) : state.params.y,
        "T",
        P,
        ahead * reach,
        -ahead * reach,
      );
      const first = make.inside(b, T, shape.reverse ? 0 : reach, shape.reverse ? reach : 0) ?? "";
      const mask = make.or(b, first, make.eq(b, make.iota(b, P), make.int(b, 1)));
      return sums.contract(b, state.params.w, make.select(b, mask, read, make.num(b, 0.2)), [P]);
    }
    case "part":
      return part(state, chance.uniform() < 0.5 && before.length > 0 ? chance.pick(before) : undefined, any);
    case "beside":
      return readElse(b, any, [[J, -1]], otherwise(state));
    case "diagonal":
      return readElse(
        b,
        any,
        chance.shuffled([
          [T, ahead],
          [J, chance.pick([-1, 1])],
        ] as const),
        otherwise(state),
      );
    default:
      return readElse(b, any, [[T, ahead * (1 + chance.below(chance.pick([2, 6])))]], otherwise(state));
  }
}

/** A sum over all positions on one side, with this one where that is allowed. */
function part({ b, shape, params }: State, now: string | undefined, past: string): string {
  const here = now === undefined ? 0 : 1;
  const source = now ?? past;
  const label = shape.reverse ? `T+${1 - here}:` : `:T+${here}`;
  const axis: Axis = { id: `T~${here}`, size: partSize(T.size, label) };
  const position = make.iota(b, axis);
  const read = shape.reverse ? move.suffix(b, source, "T", axis, 1 - here) : move.prefix(b, source, "T", axis, here);
  const mask = shape.reverse
    ? make.le(b, make.add(b, make.iota(b, T), make.int(b, 1 - here)), position)
    : make.lt(b, position, make.add(b, make.iota(b, T), make.int(b, here)));
  const scored = make.select(b, mask, make.mul(b, read, params.x), make.num(b, 0));
  return make.mul(b, make.num(b, 0.4), sums.sumOver(b, scored, [axis]));
}
