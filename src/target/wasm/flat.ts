import { attributeKey } from "../../ir/attribute-key.ts";
import { isNode } from "../../ir/graph.ts";
import { constantSize, multiplySizes, type Size, sizeConstant } from "../../ir/size.ts";
import type { Axis } from "../../ir/type.ts";
import { expand } from "../../op/move.ts";
import { constant, extent } from "../../op/source.ts";
import type { Place } from "../../plan/place.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Value } from "../../plan/value.ts";
import { viewOf } from "../../plan/view.ts";

/** Elementwise values that can be walked as one row. */
export interface Flat {
  /** How many positions they have. */
  readonly count: number;
  /** What is computed: with equal keys it is the same, of what lies at other cells. */
  readonly key: string;
  /** Where it lies, in the order in which the key has it. */
  readonly cells: readonly number[];
}

/**
 * Elementwise values, computed outside of loops, as one row: whatever is read or written lies densely in the order of `axes`, or has none
 * of them. Undefined where that is not so, or a size is not known.
 */
export function flatten(plan: Plan, outputs: readonly Value[], axes: readonly Axis[]): Flat | undefined {
  const count = sizeConstant(countOf(axes));
  if (count === undefined) return undefined;
  const own = new Set(outputs);
  const cells: number[] = [];
  const numbers = new Map<Value, number>();
  const parts: string[] = [];
  const cellNumber = (cell: number): number => {
    const before = cells.indexOf(cell);
    return before < 0 ? cells.push(cell) - 1 : before;
  };
  const memory = (place: Place, value: Value): string | undefined => {
    const offset = sizeConstant(place.offset ?? constantSize(0));
    if (offset === undefined || place.steps.length > 0 || !liesFlat(place, value, axes)) return undefined;
    return `${value.axes.length === 0 ? "one" : "row"} ${value.dtype} ${cellNumber(place.cell)}+${offset}`;
  };
  const describe = (value: Value): string | undefined => {
    const view = own.has(value) ? undefined : viewOf(plan, value);
    if (view !== undefined && !own.has(view.root)) return memory(view.place, value);
    const { definition } = value;
    if (definition.kind !== "node") return undefined;
    const { node, inputs } = definition;
    if (isNode(node, constant)) return literalText(value, node.attributes.value);
    if (isNode(node, extent)) {
      const { size } = node.attributes;
      const known = sizeConstant(size);
      return known === undefined ? `size ${cellNumber(plan.cells.size(size))}` : literalText(value, known);
    }
    if (node.op.scalar === undefined && !isNode(node, expand)) return undefined;
    const operands = inputs.map(add);
    if (operands.includes(undefined)) return undefined;
    const attributes = isNode(node, expand) ? "" : attributeKey(node.attributes);
    return `${value.dtype} ${node.op.name} ${attributes} ${operands.join()}`;
  };
  /** The value's number among the parts. */
  const add = (value: Value): number | undefined => {
    const before = numbers.get(value);
    if (before !== undefined) return before;
    const text = describe(value);
    if (text === undefined) return undefined;
    const number = parts.push(text) - 1;
    numbers.set(value, number);
    return number;
  };
  for (const output of outputs) {
    const place = plan.places.get(output);
    const to = place && memory(place, output);
    const number = add(output);
    if (to === undefined || number === undefined) return undefined;
    parts.push(`${to} = ${number}`);
  }
  return { count, key: parts.join("; "), cells };
}

function literalText({ dtype }: Value, value: number): string {
  return `${dtype} ${Object.is(value, -0) ? "-0" : value}`;
}

function countOf(axes: readonly Axis[]): Size {
  return axes.reduce((product, { size }) => multiplySizes(product, size), constantSize(1));
}

function liesFlat({ strides }: Place, { axes: own }: Value, axes: readonly Axis[]): boolean {
  if (own.length === 0) return true;
  return (
    own.length === axes.length &&
    axes.every(
      ({ id }, at) => strides.get(id)?.text === countOf(axes.slice(at + 1)).text && own.some((axis) => axis.id === id),
    )
  );
}
