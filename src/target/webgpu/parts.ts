import { isNode, type Node } from "../../ir/graph.ts";
import { constantSize, multiplySizes, type Size, sizeConstant } from "../../ir/size.ts";
import { type Axis, withoutAxes } from "../../ir/type.ts";
import { concat, put, reshape, scatter } from "../../op/move.ts";
import { type ArgAttributes, argmax } from "../../op/reduce.ts";
import {
  type AxisNames,
  type FitsOneKernel,
  type JoinedAction,
  type ProductsAction,
  renamedProducts,
} from "../../plan/joined.ts";
import type { Place } from "../../plan/place.ts";
import type { Action, Plan } from "../../plan/plan.ts";
import type { Kernel as KernelStep } from "../../plan/steps.ts";
import type { Value } from "../../plan/value.ts";
import { add, clip, type Kernel, sizeTerm } from "./context.ts";
import { evaluate, type Own } from "./evaluate.ts";
import { loadFrom, type Positions, positionAlong, storeTo } from "./memory.ts";
import { placeOf } from "./place-of.ts";
import { type Reduction, reductionOf, reductionShape } from "./reduction.ts";
import { literalCode } from "./render.ts";
import { planRows, type RowsWork } from "./rows.ts";
import type { Term } from "./shader.ts";
import { type FinishTile, planTiles, type TileWork } from "./tile.ts";

/** Work of one kind on many positions, which do not need one another. */
export type Part = {
  readonly label: string;
  /** Positions, outermost first: neighbours along the last lie next to one another in memory. */
  readonly axes: readonly Axis[];
} & (
  | { readonly kind: "each"; readonly body: (kernel: Kernel, positions: Positions) => void }
  | { readonly kind: "rows"; readonly work: RowsWork }
  | { readonly kind: "tile"; readonly work: TileWork; readonly finish: FinishTile }
  | {
      readonly kind: "reduce";
      /** How many terms a result has, as a product, and whether neighbours among them lie next to one another. */
      readonly shape: { readonly terms: readonly Size[]; readonly rows: boolean };
      /** Of one kind; with more than one, their results are joined as well. */
      readonly reductions: (kernel: Kernel) => readonly Reduction[];
      readonly finish: (kernel: Kernel, positions: Positions, value: Term) => void;
    }
);

/**
 * What an action does, part by part: parts of one action do not need one another. `shared` is how many
 * numbers threads of a group may share; `owned` is the axis of the rows that one group does all of it for.
 */
export function partsOf(
  plan: Plan,
  action: Exclude<Action, { readonly kind: "loop" }> | JoinedAction,
  shared: number,
  owned?: string,
): readonly Part[] {
  switch (action.kind) {
    case "joined":
      return [joinedPart(plan, action, shared)];
    case "kernel":
      return kernelParts(plan, action.kernel);
    case "products":
      return [
        (owned === undefined ? tilePart(plan, action, shared) : rowsPart(plan, action, owned)) ?? sumPart(plan, action),
      ];
    case "copy":
      return [copyPart(action)];
    case "pack":
      throw new Error("internal: nothing is packed for a graphics card");
    default:
      return action satisfies never;
  }
}

function kernelParts(plan: Plan, step: KernelStep): readonly Part[] {
  switch (step.kind) {
    case "map":
      return [mapPart(plan, step.outputs)];
    case "contract":
      throw new Error("internal: a contraction is planned as products");
    case "reduce":
      return [reducePart(plan, step.output, [step.output])];
    case "arg":
      return [argPart(plan, step.output)];
    case "scatter":
      return [scatterPart(plan, step.output)];
    case "put":
      return [putPart(plan, step.output)];
    case "concat":
      return concatParts(plan, step.output);
    case "merge":
      return [mergePart(plan, step.output)];
    default:
      return step satisfies never;
  }
}

/** Elementwise values over the same axes. */
function mapPart(plan: Plan, outputs: readonly Value[]): Part {
  const [first] = outputs;
  if (first === undefined) throw new Error("internal: a kernel has no output");
  return {
    kind: "each",
    label: outputs.map((output) => output.name).join(" "),
    axes: storedAxes(plan, first),
    body: (kernel, positions) => {
      writeMap(kernel, plan, outputs, positions, new Map());
    },
  };
}

/** All are computed before any is stored, so that they may replace what they read; gives them. `given` are values at hand at these positions. */
export function writeMap(kernel: Kernel, plan: Plan, outputs: readonly Value[], positions: Positions, given: Own): Own {
  const values = new Map<Value, Term | undefined>([...given, ...outputs.map((output) => [output, undefined] as const)]);
  for (const output of outputs) values.set(output, evaluate(kernel, output, positions, values));
  for (const output of outputs) {
    const value = values.get(output);
    if (value !== undefined) storeTo(kernel, placeOf(plan, output), positions, value);
  }
  return values;
}

/** Computes a value, or reads it at `source`, into a place. */
function copyPart({ from, source, to }: Extract<Action, { readonly kind: "copy" }>): Part {
  return {
    kind: "each",
    label: `copy ${from.name}`,
    axes: byStride(from.axes, to),
    body: (kernel, positions) => {
      const value =
        source === undefined
          ? evaluate(kernel, from, positions)
          : loadFrom(kernel, source, positions, from.dtype, from.name);
      storeTo(kernel, to, positions, value);
    },
  };
}

/** One value that joins positions of others: of one value, or of several whose sum it is. */
export function reducePart(plan: Plan, output: Value, terms: readonly Value[]): Part {
  return {
    kind: "reduce",
    label: output.name,
    axes: storedAxes(plan, output),
    shape: shapeOf(plan, terms),
    reductions: (kernel) => terms.map((term) => reductionOf(kernel, term)),
    finish: (kernel, positions, value) => storeTo(kernel, placeOf(plan, output), positions, value),
  };
}

function sumPart(plan: Plan, { output, terms }: ProductsAction): Part {
  return reducePart(
    plan,
    output,
    terms.map(({ value }) => value),
  );
}

function rowsPart(plan: Plan, action: ProductsAction, axis: string): Part | undefined {
  const work = planRows(action, axis);
  const { output } = action;
  return work === undefined ? undefined : { kind: "rows", label: output.name, axes: storedAxes(plan, output), work };
}

/** Whether tiles of some sums fit into the memory that a group of threads shares. */
export function fitsTiles(shared: number): FitsOneKernel {
  return (sums) => planTiles(sums, shared) !== undefined;
}

/** Sums of products by tiles, and what is made of them while they are at hand. */
function joinedPart(plan: Plan, action: JoinedAction, shared: number): Part {
  const { sums, map } = action;
  const work = planTiles(sums.map(renamedProducts), shared);
  const [first] = map.outputs;
  if (work === undefined || first === undefined) throw new Error("internal: products are joined that fit no tile");
  return {
    kind: "tile",
    label: [...sums.map(({ products }) => products.output), ...map.outputs].map(({ name }) => name).join(" "),
    axes: storedAxes(plan, first),
    work,
    finish: (kernel, positions, values) => {
      writeJoined(kernel, plan, action, positions, values);
    },
  };
}

/** Stores what must lie in memory of some sums, and what is made of them; gives the latter. */
export function writeJoined(
  kernel: Kernel,
  plan: Plan,
  { sums, map, kept }: JoinedAction,
  positions: Positions,
  values: readonly Term[],
): Own {
  const given = sums.map(({ products: { output }, names }, index) => {
    const value = values[index];
    if (value !== undefined && kept.has(output))
      storeTo(kernel, placeOf(plan, output), ownNames(positions, names), value);
    return [output, value] as const;
  });
  return writeMap(kernel, plan, map.outputs, positions, new Map(given));
}

/** Positions under a value's own names of its axes. */
function ownNames(positions: Positions, names: AxisNames): Positions {
  return new Map([...names].map(([own, name]) => [own, positionAlong(positions, name)]));
}

/** Sums of products by tiles, where their operands lie so in memory. */
function tilePart(plan: Plan, { output, terms }: ProductsAction, shared: number): Part | undefined {
  const work = planTiles([terms.map(({ product }) => product)], shared);
  if (work === undefined) return undefined;
  return {
    kind: "tile",
    label: output.name,
    axes: storedAxes(plan, output),
    work,
    finish: (kernel, positions, [value]) => {
      if (value !== undefined) storeTo(kernel, placeOf(plan, output), positions, value);
    },
  };
}

/** The sum with the most terms decides. */
function shapeOf(plan: Plan, terms: readonly Value[]): { readonly terms: readonly Size[]; readonly rows: boolean } {
  const all = terms.map((term) => reductionShape(plan.order, term));
  const known = (sizes: readonly Size[]): number =>
    sizes.reduce((count, size) => count * (sizeConstant(size) ?? Number.POSITIVE_INFINITY), 1);
  return all.toSorted((a, b) => known(b.terms) - known(a.terms))[0] ?? { terms: [], rows: false };
}

interface Made {
  readonly node: Node;
  readonly inputs: readonly Value[];
}

function madeBy(output: Value): Made {
  if (output.definition.kind !== "node") throw new Error(`internal: %${output.name} is no op's value`);
  return output.definition;
}

function operand(inputs: readonly Value[], index: number): Value {
  const found = inputs[index];
  if (found === undefined) throw new Error(`internal: an op lacks operand ${index}`);
  return found;
}

/** The first position of the greatest or smallest value along an axis. */
function argPart(plan: Plan, output: Value): Part {
  const { node, inputs } = madeBy(output);
  const x = operand(inputs, 0);
  const { axis } = node.attributes as ArgAttributes;
  const better = node.op.name === argmax.name ? ">" : "<";
  return {
    kind: "each",
    label: output.name,
    axes: storedAxes(plan, output),
    body: (kernel, positions) => {
      const best = kernel.variable(TYPES[x.dtype], literalCode(kernel, 0, x.dtype), "best");
      const where = kernel.variable("i32", "0", "where");
      kernel.repeat(sizeAlong(kernel, x, axis), (index) => {
        const value = evaluate(kernel, x, new Map([...positions, [axis, index]]));
        kernel.block(`if (${index.code} == 0 || ${value.code} ${better} ${best})`, () => {
          kernel.line(`${best} = ${value.code};`);
          kernel.line(`${where} = ${index.code};`);
        });
      });
      storeTo(kernel, placeOf(plan, output), positions, { code: where, depth: kernel.depth(), dtype: "int" });
    },
  };
}

export const TYPES = { float: "f32", int: "i32", bool: "bool" } as const;

function sizeAlong(kernel: Kernel, value: Value, axis: string): Term {
  const found = value.axes.find((own) => own.id === axis);
  if (found === undefined) throw new Error(`internal: %${value.name} has no axis ${axis}`);
  return sizeTerm(kernel, found.size);
}

/** Σ of d at the places that the index says: each place looks for what is its own, in the order of positions, so that sums are the same in every run. */
function scatterPart(plan: Plan, output: Value): Part {
  const { node, inputs } = madeBy(output);
  if (!isNode(node, scatter)) throw new Error(`internal: ${node.op.name} is no scatter`);
  const d = operand(inputs, 0);
  const index = operand(inputs, 1);
  const { axis, sum } = node.attributes;
  const all = [...index.axes, ...d.axes.filter((own) => !index.axes.some(({ id }) => id === own.id))];
  const summed = plan.order(all.filter(({ id }) => sum.includes(id)));
  const looking = summed.filter(({ id }) => index.axes.some((own) => own.id === id));
  const rest = withoutAxes(
    summed,
    looking.map(({ id }) => id),
  );
  return {
    kind: "each",
    label: output.name,
    axes: storedAxes(plan, output),
    body: (kernel, positions) => {
      const total = kernel.variable(TYPES[output.dtype], literalCode(kernel, 0, output.dtype));
      const here = positionAlong(positions, axis.id);
      nest(kernel, looking, positions, (found) => {
        const wanted = clip(kernel, evaluate(kernel, index, found), sizeTerm(kernel, axis.size));
        kernel.block(`if (${wanted.code} == ${here.code})`, () =>
          nest(kernel, rest, found, (at) => {
            const value = evaluate(kernel, d, at);
            kernel.line(
              output.dtype === "bool" ? `${total} = ${total} || ${value.code};` : `${total} += ${value.code};`,
            );
          }),
        );
      });
      storeTo(kernel, placeOf(plan, output), positions, { code: total, depth: kernel.depth(), dtype: output.dtype });
    },
  };
}

/** Loops inside of one thread. */
export function nest(
  kernel: Kernel,
  axes: readonly Axis[],
  positions: Positions,
  body: (positions: Positions) => void,
): void {
  const [axis, ...inner] = axes;
  if (axis === undefined) {
    body(positions);
    return;
  }
  kernel.repeat(
    sizeTerm(kernel, axis.size),
    (index) => nest(kernel, inner, new Map([...positions, [axis.id, index]]), body),
    `at_${axis.id}`,
  );
}

/** The entries at the index replaced: alone where the output lies over the buffer, else with all others taken from it. */
function putPart(plan: Plan, output: Value): Part {
  const { node, inputs } = madeBy(output);
  if (!isNode(node, put)) throw new Error(`internal: ${node.op.name} is no put`);
  const buffer = operand(inputs, 0);
  const value = operand(inputs, 1);
  const index = operand(inputs, 2);
  const { axis } = node.attributes;
  const place = placeOf(plan, output);
  const axes = storedAxes(plan, output);
  const length = axes.find((own) => own.id === axis)?.size ?? constantSize(0);
  const found = (kernel: Kernel, positions: Positions): Term =>
    clip(kernel, evaluate(kernel, index, positions), sizeTerm(kernel, length));
  const inPlace = plan.stored.has(buffer) && placeOf(plan, buffer) === place;
  return {
    kind: "each",
    label: output.name,
    axes: inPlace ? withoutAxes(axes, [axis]) : axes,
    body: (kernel, positions) => {
      const at = found(kernel, positions);
      const next = evaluate(kernel, value, positions);
      if (inPlace) {
        storeTo(kernel, place, new Map([...positions, [axis, at]]), next);
        return;
      }
      const before = evaluate(kernel, buffer, positions);
      const here = positionAlong(positions, axis);
      const code = `select(${before.code}, ${next.code}, ${at.code} == ${here.code})`;
      storeTo(kernel, place, positions, kernel.bind(kernel.depth(), output.dtype, code, output.name));
    },
  };
}

/** The inputs one after another, unless they are computed there already. */
function concatParts(plan: Plan, output: Value): readonly Part[] {
  const { node, inputs } = madeBy(output);
  if (!isNode(node, concat)) throw new Error(`internal: ${node.op.name} is no concat`);
  const { axes, to } = node.attributes;
  const place = placeOf(plan, output);
  const starts: Size[] = [];
  return inputs.flatMap((input, index): readonly Part[] => {
    const own = input.axes.find((axis) => axis.id === axes[index]);
    const count = own?.size ?? constantSize(1);
    const before = [...starts];
    starts.push(count);
    if (plan.parts.get(input)?.whole === output) return [];
    return [
      {
        kind: "each",
        label: `${output.name} ${index}`,
        axes: storedAxes(plan, output).map((axis) => (axis.id === to.id ? { ...axis, size: count } : axis)),
        body: (kernel, positions) => {
          const at = positionAlong(positions, to.id);
          const first = before.reduce((sum, size) => add(kernel, sum, sizeTerm(kernel, size)), at);
          const value = evaluate(kernel, input, own === undefined ? positions : new Map([...positions, [own.id, at]]));
          storeTo(kernel, place, new Map([...positions, [to.id, first]]), asFloat(kernel, value, output));
        },
      },
    ];
  });
}

/** An int as a float, where a float is wanted. */
export function asFloat(kernel: Kernel, value: Term, { dtype }: Pick<Value, "dtype">): Term {
  if (value.dtype !== "int" || dtype !== "float") return value;
  return kernel.bind(value.depth, "float", `f32(${value.code})`);
}

/** Several axes laid out as one: over the several, each with its own stride in the one. */
function mergePart(plan: Plan, output: Value): Part {
  const { node, inputs } = madeBy(output);
  if (!isNode(node, reshape)) throw new Error(`internal: ${node.op.name} is no reshape`);
  const x = operand(inputs, 0);
  const cut = cutPlace(placeOf(plan, output), node.attributes.to[0]?.id ?? "", node.attributes.from, x.axes);
  return {
    kind: "each",
    label: output.name,
    axes: byStride(x.axes, cut),
    body: (kernel, positions) => storeTo(kernel, cut, positions, evaluate(kernel, x, positions)),
  };
}

function cutPlace(place: Place, merged: string, from: readonly string[], axes: readonly Axis[]): Place {
  const strides = new Map<string, Size>();
  for (const [id, stride] of place.strides) {
    if (id !== merged) {
      strides.set(id, stride);
      continue;
    }
    let inner = stride;
    const parts: (readonly [string, Size])[] = [];
    for (const part of from.toReversed()) {
      parts.unshift([part, inner]);
      inner = multiplySizes(inner, axes.find((axis) => axis.id === part)?.size ?? constantSize(1));
    }
    for (const [part, own] of parts) strides.set(part, own);
  }
  return { ...place, strides };
}

/** A stored value's axes, outermost first. */
export function storedAxes(plan: Plan, value: Value): readonly Axis[] {
  return byStride(value.axes, placeOf(plan, value));
}

/** Axes in the order in which they lie at a place: strides are listed so. */
function byStride(axes: readonly Axis[], place: Place): readonly Axis[] {
  const order = [...place.strides.keys()];
  return axes.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}
