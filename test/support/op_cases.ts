import { createBuilder } from "../../src/ir/builder.ts";
import type { Attributes } from "../../src/ir/graph.ts";
import type { Op } from "../../src/ir/op.ts";
import {
  addSizes,
  constantSize,
  divideSizes,
  multiplySizes,
  namedSize,
  partSize,
  type SizeBinding,
} from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { Axis, DType, Type } from "../../src/ir/type.ts";
import { withoutAxes } from "../../src/ir/type.ts";
import { contract as contractOp } from "../../src/op/contract.ts";
import * as make from "../../src/op/make.ts";
import { contract } from "../../src/op/make_sum.ts";
import * as maps from "../../src/op/map.ts";
import * as moves from "../../src/op/move.ts";
import { argmax, argmin, reduce } from "../../src/op/reduce.ts";
import { scan } from "../../src/op/region.ts";
import { constant, extent, iota, random } from "../../src/op/source.ts";
import * as windows from "../../src/op/window.ts";
import type { Chance } from "./chance.ts";
import { randomTensor } from "./tensors.ts";

/** One legal application of an op. */
export interface OpCase {
  readonly op: Op;
  readonly attributes: Attributes;
  readonly types: readonly Type[];
  readonly inputs: readonly Tensor[];
  readonly sizes: SizeBinding;
  /** Where the cotangent must be zero, because that output is read from outside: [axes of the output] -> allowed. */
  readonly inside?: (position: ReadonlyMap<string, number>) => boolean;
}

export const SIZES: SizeBinding = new Map([
  ["B", 2],
  ["T", 4],
  ["H", 3],
  ["K", 2],
]);

const axis = (id: string, size = namedSize(id)): Axis => ({ id, size });
const B = axis("B");
const T = axis("T");
const H = axis("H");
const K = axis("K");
const S = axis("s", partSize(namedSize("T"), ":t+1"));
export const AXES: readonly Axis[] = [B, T, H, K];

const HALF = divideSizes(namedSize("T"), constantSize(2)) ?? constantSize(0);

const type = (dtype: DType, ...axes: readonly Axis[]): Type => ({ dtype, axes });

type Sketch = Omit<OpCase, "op" | "inputs" | "sizes"> & { readonly inputs?: readonly (Tensor | undefined)[] };

/** A random legal application. */
export function randomCase(op: Op, chance: Chance): OpCase {
  const sketch = op.form === "map" ? mapSketch(op, chance) : (SKETCHES[op.name] ?? unknown(op))(chance);
  const [low, high] = chance.pick([
    [-1.5, 1.5],
    [0.2, 2.5],
  ]) as [number, number];
  const inputs = sketch.types.map(
    (given, index) => sketch.inputs?.[index] ?? randomTensor(chance, given, SIZES, low, high),
  );
  return { ...sketch, op, inputs, sizes: SIZES };
}

function unknown(op: Op): never {
  throw new Error(`op_cases.ts has no case for ${op.name}`);
}

/** Elementwise ops need no sketch: any operands that the op accepts, over any axes. */
function mapSketch(op: Op, chance: Chance): Sketch {
  const attributes: Attributes =
    op.name === maps.orelse.name ? { ranges: [{ axis: "T", low: 1, high: 0 }], ragged: true } : {};
  const accepted = [1, 2, 3]
    .flatMap((count) => combinations(count))
    .filter(
      (dtypes) =>
        typeof op.infer(
          dtypes.map((dtype) => type(dtype)),
          attributes,
        ) !== "string",
    );
  const float = accepted.filter((dtypes) => dtypes.includes("float"));
  const dtypes = chance.pick(float.length > 0 && chance.uniform() < 0.8 ? float : accepted);
  return { attributes, types: dtypes.map((dtype) => type(dtype, ...chance.shuffled(chance.some(AXES)))) };
}

function combinations(count: number): readonly (readonly DType[])[] {
  if (count === 0) return [[]];
  const dtypes: readonly DType[] = ["float", "int", "bool"];
  return combinations(count - 1).flatMap((rest) => dtypes.map((dtype) => [dtype, ...rest]));
}

/** Axes among B, H, K that an op does not touch. */
const others = (chance: Chance, ...touched: readonly Axis[]): readonly Axis[] =>
  chance.some(
    withoutAxes(
      [B, H, K],
      touched.map((own) => own.id),
    ),
  );
const mix = (chance: Chance, dtype: DType, ...axes: readonly Axis[]): Type => type(dtype, ...chance.shuffled(axes));

const SKETCHES: Readonly<Record<string, (chance: Chance) => Sketch>> = {
  [constant.name]: (chance) => ({ types: [], attributes: { value: chance.between(-2, 2), dtype: "float" } }),
  [iota.name]: () => ({ types: [], attributes: { axis: T } }),
  [extent.name]: () => ({ types: [], attributes: { size: multiplySizes(namedSize("B"), namedSize("H")) } }),
  [random.name]: (chance) => ({
    types: [type("int")],
    attributes: { distribution: chance.pick(["uniform", "gaussian"]), stream: "s", axes: [T, H] },
  }),
  [moves.expand.name]: (chance) => ({
    types: [mix(chance, "float", ...others(chance, H), T)],
    attributes: { axes: [H] },
  }),
  [moves.rename.name]: (chance) => ({
    types: [mix(chance, "float", T, H, ...others(chance, H))],
    attributes: chance.pick([
      { from: ["T"], to: [axis("U", namedSize("T"))] },
      { from: ["H", "T"], to: [axis("I", namedSize("H")), axis("U", namedSize("T"))] },
    ]),
  }),
  [moves.gather.name]: (chance) => ({
    types: [mix(chance, "float", T, ...others(chance)), mix(chance, "int", ...others(chance), ...chance.some([T]))],
    attributes: { axis: "T" },
  }),
  [moves.scatter.name]: (chance) => {
    const d = mix(chance, "float", ...others(chance));
    const index = mix(chance, "int", ...others(chance));
    return {
      types: [d, index],
      attributes: { axis: T, sum: chance.some([...new Set([...d.axes, ...index.axes].map((own) => own.id))]) },
    };
  },
  [moves.slice.name]: (chance) => ({
    types: [mix(chance, "float", T, ...others(chance))],
    attributes: { axis: "T", to: axis("part", constantSize(2)), start: constantSize(chance.below(3)) },
  }),
  [moves.pad.name]: (chance) => ({
    types: [mix(chance, "float", K, ...others(chance, K))],
    attributes: { axis: "K", to: T, start: constantSize(chance.below(3)) },
  }),
  [moves.concat.name]: (chance) => ({
    types: [mix(chance, "float", T, ...others(chance, H, K)), mix(chance, "float", B), mix(chance, "float", H, B)],
    attributes: {
      axes: ["T", "", "H"],
      to: axis("all", addSizes(addSizes(namedSize("T"), constantSize(1)), namedSize("H"))),
    },
  }),
  [moves.reshape.name]: (chance) => ({
    types: [mix(chance, "float", T, H, ...others(chance, H, K))],
    attributes: chance.pick([
      { from: ["T", "H"], to: [axis("TH", multiplySizes(namedSize("T"), namedSize("H")))] },
      { from: ["H", "T"], to: [axis("twice", multiplySizes(namedSize("H"), constantSize(2))), axis("half", HALF)] },
    ]),
  }),
  [moves.put.name]: (chance) => ({
    types: [
      mix(chance, "float", T, ...others(chance)),
      mix(chance, "float", ...others(chance)),
      mix(chance, "int", ...others(chance)),
    ],
    attributes: { axis: "T" },
  }),
  [windows.shift.name]: (chance) => {
    const offset = chance.pick([-5, -2, -1, 1, 2]);
    return {
      types: [mix(chance, "float", T, ...others(chance))],
      attributes: { axis: "T", offset },
      inside: (position) => within(position, offset),
    };
  },
  [windows.window.name]: (chance) => {
    const offset = chance.pick([-3, -1, 0, 1]);
    const stride = chance.pick([-1, 1, 2]);
    return {
      types: [mix(chance, "float", T, ...others(chance))],
      attributes: { axis: "T", to: axis("k", chance.pick([constantSize(3), namedSize("H")])), offset, stride },
      inside: (position) => within(position, offset + stride * (position.get("k") ?? 0)),
    };
  },
  [windows.unwindow.name]: (chance) => ({
    types: [mix(chance, "float", T, axis("k", chance.pick([constantSize(3)])), ...others(chance))],
    attributes: { axis: "T", from: "k", offset: chance.pick([-3, -1, 0, 1]), stride: chance.pick([-1, 1, 2]) },
  }),
  [windows.prefix.name]: (chance) => ({
    types: [mix(chance, "float", T, ...others(chance))],
    attributes: { axis: "T", to: S, end: chance.pick([0, 1]) },
  }),
  [windows.suffix.name]: (chance) => ({
    types: [mix(chance, "float", T, ...others(chance))],
    attributes: { axis: "T", to: S, start: chance.pick([0, 1]) },
  }),
  [windows.collect.name]: (chance) => ({
    types: [mix(chance, "float", T, S, ...others(chance))],
    attributes: { axis: "T", from: "s", end: chance.pick([-1, 0, 1]) },
  }),
  [windows.collectSuffix.name]: (chance) => ({
    types: [mix(chance, "float", T, S, ...others(chance))],
    attributes: { axis: "T", from: "s", start: chance.pick([-1, 0, 1]) },
  }),
  [reduce.name]: (chance) => {
    const kind = chance.pick(["sum", "max", "min", "prod", "any", "all"]);
    const given = mix(chance, kind === "any" || kind === "all" ? "bool" : "float", T, ...others(chance));
    return {
      types: [given],
      attributes: { kind, axes: ["T", ...chance.some(withoutAxes(given.axes, ["T"])).map((own) => own.id)] },
    };
  },
  [argmax.name]: (chance) => ({ types: [mix(chance, "float", T, ...others(chance))], attributes: { axis: "T" } }),
  [argmin.name]: (chance) => ({ types: [mix(chance, "float", T, ...others(chance))], attributes: { axis: "T" } }),
  [contractOp.name]: (chance) => {
    const left = mix(chance, "float", ...chance.some(AXES));
    const right = mix(chance, "float", ...chance.some(AXES));
    const ids = [...new Set([...left.axes, ...right.axes].map((own) => own.id))];
    return { types: [left, right], attributes: { over: chance.some(ids) } };
  },
  [scan.name]: (chance) => {
    const reverse = chance.uniform() < 0.5;
    return { types: SCAN_TYPES, attributes: { ...SCAN_ATTRIBUTES, reverse } };
  },
};

function within(position: ReadonlyMap<string, number>, offset: number): boolean {
  const at = (position.get("T") ?? 0) + offset;
  return at >= 0 && at < 4;
}

/** h' = tanh(U h + x), y = h' x, over T, with the batch axis B. */
const SCAN_TYPES: readonly Type[] = [
  type("float", H, axis("I", namedSize("H"))),
  type("float", B, H),
  type("float", T, B, H),
];
const SCAN_ATTRIBUTES = (() => {
  const b = createBuilder("step");
  const [u = "", h = "", x = ""] = ["U", "h", "x"].map((name, index) =>
    b.param(name, { dtype: "float", axes: withoutAxes(SCAN_TYPES[index]?.axes ?? [], ["T"]) }),
  );
  const renamed = b.add(moves.rename, [h], { from: ["H"], to: [axis("I", namedSize("H"))] });
  const next = make.map(b, maps.tanh, make.add(b, contract(b, u, renamed, [axis("I", namedSize("H"))]), x));
  const body = b.finish([
    { name: "h", id: next },
    { name: "y", id: make.mul(b, next, x) },
  ]);
  return { axis: T, consts: 1, carries: 1, xs: 1, body };
})();
