import fc from "fast-check";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import type { Attributes, Graph } from "../../src/ir/graph.ts";
import type { Op } from "../../src/ir/op.ts";
import { printGraph } from "../../src/ir/print.ts";
import { addSizes, constantSize, namedSize, type SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { type Axis, type DType, hasAxis, type Type, withoutAxes } from "../../src/ir/type.ts";
import { contract } from "../../src/op/contract.ts";
import * as maps from "../../src/op/map.ts";
import { concat, expand, gather, pad, rename, slice } from "../../src/op/move.ts";
import { argmax, reduce } from "../../src/op/reduce.ts";
import { scan } from "../../src/op/region.ts";
import { constant, extent, iota } from "../../src/op/source.ts";
import { shift, unwindow, window } from "../../src/op/window.ts";
import { type Chance, createChance } from "./chance.ts";
import { randomTensor } from "./tensors.ts";

export interface RandomGraph {
  readonly graph: Graph;
  /** By param id. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly sizes: SizeBinding;
  /** How fast-check shows it. */
  readonly [fc.toStringMethod]: () => string;
}

export interface RandomGraphOptions {
  /** About how many ops; default 12. */
  readonly steps?: number;
  /** Whether scans may occur; default true. */
  readonly scans?: boolean;
}

/** Graphs for properties of passes and targets; a failing one shrinks to fewer steps. */
export function randomGraphs(options: RandomGraphOptions = {}): fc.Arbitrary<RandomGraph> {
  const steps = options.steps ?? 12;
  return fc
    .tuple(fc.integer(), fc.integer({ min: 1, max: steps }))
    .map(([seed, count]) => randomGraph(seed, { ...options, steps: count }));
}

/**
 * A well-formed scheduled graph of mixed ops over the axes B, T, H and E, whose values stay small and smooth enough to compare
 * to a relative tolerance. Results are a few of its values, the last among them.
 */
export function randomGraph(seed: number, options: RandomGraphOptions = {}): RandomGraph {
  const chance = createChance(seed);
  const b = createBuilder("random");
  const inputs = new Map<string, Tensor>();
  const floats: string[] = [];
  for (const [index, axes] of PARAM_AXES.entries()) {
    const type: Type = { dtype: "float", axes };
    const id = b.param(`p${index}`, type);
    inputs.set(id, randomTensor(chance, type, SIZES));
    floats.push(id);
  }
  const state: State = { b, chance, floats, fresh: 0 };
  const kinds = Object.keys(STEPS).filter((kind) => options.scans !== false || kind !== "scan");
  for (let step = 0; step < (options.steps ?? 12); step++) {
    const made = STEPS[chance.pick(kinds)]?.(state);
    if (made !== undefined && b.type(made).axes.length <= 4) floats.push(made);
  }
  const last = floats.at(-1) ?? "";
  const ends = [...new Set([...chance.some(floats.slice(-4)), last])];
  const graph = b.finish(ends.map((id, index) => ({ name: `out${index}`, id })));
  return { graph, inputs, sizes: SIZES, [fc.toStringMethod]: () => `seed ${seed}\n${printGraph(graph)}` };
}

const axis = (id: string): Axis => ({ id, size: namedSize(id) });
const B = axis("B");
const T = axis("T");
const H = axis("H");
const E = axis("E");
const SIZES: SizeBinding = new Map([
  ["B", 2],
  ["T", 5],
  ["H", 3],
  ["E", 4],
]);
const PARAM_AXES: readonly (readonly Axis[])[] = [[B, T, H], [H, E], [B, T, E], [H], [B, H], []];

interface State {
  readonly b: Builder;
  readonly chance: Chance;
  readonly floats: readonly string[];
  fresh: number;
}

/** A float value, with the axis if asked. */
function pick(state: State, having?: Axis): string | undefined {
  const found = state.floats.filter((id) => having === undefined || hasAxis(state.b.type(id), having.id));
  return found.length === 0 ? undefined : state.chance.pick(found);
}

function has(state: State, id: string, own: Axis): boolean {
  return hasAxis(state.b.type(id), own.id);
}

function fresh(state: State, name: string, size = constantSize(2)): Axis {
  state.fresh++;
  return { id: `${name}~${state.fresh}`, size };
}

function add<A extends Attributes>(state: State, op: Op<A>, ids: readonly string[], attributes: A): string {
  return state.b.add(op, ids, attributes);
}

/** Values that could grow go through tanh. */
function bounded(state: State, id: string): string {
  return add(state, maps.tanh, [id], {});
}

function number(state: State, value: number, dtype: DType = "float"): string {
  return add(state, constant, [], { value, dtype });
}

/** 0 <= position + offset < size on T. */
function insideT(state: State, offset: number): string {
  const at = add(state, maps.add, [add(state, iota, [], { axis: T }), number(state, offset, "int")], {});
  const size = add(state, maps.toInt, [add(state, extent, [], { size: T.size })], {});
  const low = add(state, maps.le, [number(state, 0, "int"), at], {});
  return add(state, maps.and, [low, add(state, maps.lt, [at, size], {})], {});
}

const STEPS: Readonly<Record<string, (state: State) => string | undefined>> = {
  unary: (state) => {
    const op = state.chance.pick([maps.tanh, maps.sigmoid, maps.sin, maps.neg, maps.softplus, maps.abs, maps.erf]);
    const x = pick(state);
    return x && add(state, op, [x], {});
  },
  binary: (state) => {
    const op = state.chance.pick([maps.add, maps.sub, maps.maximum, maps.minimum]);
    const [x, y] = [pick(state), pick(state)];
    return x && y && add(state, op, [x, y], {});
  },
  product: (state) => {
    const [x, y] = [pick(state), pick(state)];
    return x && y && bounded(state, add(state, maps.mul, [x, y], {}));
  },
  constant: (state) => {
    const x = pick(state);
    const op = state.chance.pick([maps.add, maps.mul, maps.sub]);
    return x && add(state, op, [x, number(state, state.chance.pick([0, 1, -1, 0.5]))], {});
  },
  quotient: (state) => {
    const [x, y] = [pick(state), pick(state)];
    if (x === undefined || y === undefined) return undefined;
    const positive = add(state, maps.add, [number(state, 1), add(state, maps.abs, [y], {})], {});
    return add(state, maps.div, [x, positive], {});
  },
  select: (state) => {
    const [x, y, z] = [pick(state), pick(state), pick(state)];
    return x && y && z && add(state, maps.select, [add(state, maps.lt, [x, y], {}), z, x], {});
  },
  reduce: (state) => {
    const x = pick(state);
    if (x === undefined) return undefined;
    const axes = state.chance.some(state.b.type(x).axes).map((own) => own.id);
    const kind = state.chance.pick(["sum", "max", "min"] as const);
    return axes.length === 0 ? undefined : bounded(state, add(state, reduce, [x], { kind, axes }));
  },
  sumOfProduct: (state) => {
    const [x, y] = [pick(state, H), pick(state, H)];
    const product = x && y && add(state, maps.mul, [x, y], {});
    return product && bounded(state, add(state, reduce, [product], { kind: "sum", axes: ["H"] }));
  },
  contract: (state) => {
    const own = state.chance.pick([H, E, T]);
    const [x, y] = [pick(state, own), pick(state, own)];
    return x && y && bounded(state, add(state, contract, [x, y], { over: [own.id] }));
  },
  expand: (state) => {
    const x = pick(state);
    return x && add(state, expand, [x], { axes: [state.chance.pick([B, H, E])] });
  },
  renamed: (state) => {
    const x = pick(state, H);
    const to = fresh(state, "H", namedSize("H"));
    const other = x && add(state, rename, [x], { from: ["H"], to: [to] });
    return other && bounded(state, add(state, reduce, [other], { kind: "sum", axes: [to.id] }));
  },
  delayed: (state) => {
    const x = pick(state, T);
    const start = pick(state);
    if (x === undefined || start === undefined) return undefined;
    const offset = state.chance.pick([-2, -1, 1]);
    const moved = add(state, shift, [x], { axis: "T", offset });
    const range = { axis: "T", low: Math.max(-offset, 0), high: Math.max(offset, 0) };
    return add(state, maps.orelse, [moved, start, insideT(state, offset)], { ranges: [range], ragged: false });
  },
  windowed: (state) => {
    const x = pick(state, T);
    const k = fresh(state, "k", constantSize(3));
    const windows = x && add(state, window, [x], { axis: "T", to: k, offset: -2, stride: 1 });
    if (windows === undefined) return undefined;
    const back = state.chance.uniform() < 0.3;
    return bounded(
      state,
      back
        ? add(state, unwindow, [windows], { axis: "T", from: k.id, offset: -2, stride: 1 })
        : add(state, reduce, [windows], { kind: "sum", axes: [k.id] }),
    );
  },
  cut: (state) => {
    const x = pick(state, T);
    const to = fresh(state, "part");
    const start = constantSize(state.chance.below(3));
    const part = x && add(state, slice, [x], { axis: "T", to, start });
    return part && add(state, pad, [part], { axis: to.id, to: T, start });
  },
  joined: (state) => {
    const [x, y] = [pick(state, H), pick(state)];
    if (x === undefined || y === undefined || has(state, y, H)) return undefined;
    const to = fresh(state, "all", addSizes(namedSize("H"), constantSize(1)));
    const whole = add(state, concat, [x, y], { axes: ["H", ""], to });
    return bounded(state, add(state, reduce, [whole], { kind: "sum", axes: [to.id] }));
  },
  looked: (state) => {
    const [x, y] = [pick(state, H), pick(state, H)];
    const best = y && add(state, argmax, [y], { axis: "H" });
    return x && best && add(state, gather, [x, best], { axis: "H" });
  },
  scan: (state) => {
    const x = pick(state, T);
    const weight = pick(state);
    if (x === undefined || weight === undefined || has(state, weight, T)) return undefined;
    return randomScan(state, x, weight);
  },
};

/** h' = tanh(w*h + x) or one like it, y a mix of h', h and x; the state has the axes of w and x. */
function randomScan(state: State, x: string, weight: string): string {
  const { b, chance } = state;
  const inner = createBuilder("step");
  const weightType = b.type(weight);
  const entryType: Type = { dtype: "float", axes: withoutAxes(b.type(x).axes, ["T"]) };
  const stateAxes = [
    ...entryType.axes,
    ...withoutAxes(
      weightType.axes,
      entryType.axes.map((own) => own.id),
    ),
  ];
  const w = inner.param("w", weightType);
  const carry = inner.param("h", { dtype: "float", axes: stateAxes });
  const value = inner.param("x", entryType);
  const gate = chance.pick([maps.mul, maps.add, maps.maximum]);
  const next = inner.add(maps.tanh, [inner.add(maps.add, [inner.add(gate, [w, carry], {}), value], {})], {});
  const y = inner.add(chance.pick([maps.sub, maps.minimum]), [next, chance.pick([value, carry])], {});
  const body = inner.finish([
    { name: "h", id: next },
    { name: "y", id: y },
  ]);
  const zero = number(state, 0);
  const start = stateAxes.length === 0 ? zero : add(state, expand, [zero], { axes: stateAxes });
  const attributes = { axis: T, reverse: chance.uniform() < 0.5, consts: 1, carries: 1, xs: 1, body };
  return b.addAll(scan, [weight, start, x], attributes, ["last", "ys"])[chance.below(2)] ?? "";
}
