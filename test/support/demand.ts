import type { Graph, Node } from "../../src/ir/graph.ts";
import { isNode } from "../../src/ir/graph.ts";
import type { ScalarExpression } from "../../src/ir/scalar.ts";
import { SCALAR_FUNCTIONS } from "../../src/ir/scalar_functions.ts";
import { evaluateSize, type Size, type SizeBinding } from "../../src/ir/size.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { Axis } from "../../src/ir/type.ts";
import { contract } from "../../src/op/contract.ts";
import { expand, gather, pad, rename, scatter, slice } from "../../src/op/move.ts";
import { argmax, reduce } from "../../src/op/reduce.ts";
import { constant, extent, iota } from "../../src/op/source.ts";
import { collect, collectSuffix, prefix, shift, suffix, unwindow, window } from "../../src/op/window.ts";

type Position = Readonly<Record<string, number>>;

/** A value needs itself at the same position. */
export class CircleError extends Error {}

/**
 * The meaning of an equation graph, cycles included, without any order of computation: each number is worked out when it is
 * asked for, once, from the numbers that its equation names. A choice looks only at what it chooses, a product with 0 only
 * at the 0. Shares no code with the interpreter or the scheduler but the scalar functions.
 */
export function demandGraph(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: SizeBinding,
): (id: string) => Tensor {
  const nodes = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output.id, node] as const)));
  const types = new Map(
    [...graph.params, ...graph.nodes.flatMap((node) => node.outputs)].map((value) => [value.id, value.type]),
  );
  const memo = new Map<string, number | "open">();
  const count = (size: Size): number => evaluateSize(size, sizes) ?? Number.NaN;
  const axesOf = (id: string): readonly Axis[] => types.get(id)?.axes ?? [];
  const lengthOf = (id: string, axis: string): number => {
    const found = axesOf(id).find((own) => own.id === axis);
    if (found === undefined) throw new Error(`%${id} has no axis ${axis}`);
    return count(found.size);
  };
  const clip = (at: number, length: number): number => Math.min(Math.max(at, 0), length - 1);

  const at = (id: string, position: Position): number => {
    const axes = axesOf(id);
    const key = `${id}|${axes.map((axis) => position[axis.id]).join(",")}`;
    const known = memo.get(key);
    if (known === "open") throw new CircleError(`%${key} needs itself`);
    if (known !== undefined) return known;
    memo.set(key, "open");
    try {
      const node = nodes.get(id);
      const value = node === undefined ? inputAt(id, position) : nodeAt(node, position);
      memo.set(key, value);
      return value;
    } finally {
      if (memo.get(key) === "open") memo.delete(key);
    }
  };
  const inputAt = (id: string, position: Position): number => {
    const tensor = inputs.get(id);
    if (tensor === undefined) throw new Error(`no input %${id}`);
    const offset = tensor.axes.reduce(
      (sum, axis, index) => sum * (tensor.shape[index] ?? 1) + (position[axis] ?? 0),
      0,
    );
    return tensor.data[offset] ?? Number.NaN;
  };

  /** a·b, without looking at the other where one is 0. */
  const product = (a: () => number, b: () => number): number => {
    let left: number;
    try {
      left = a();
    } catch (error) {
      if (error instanceof CircleError && b() === 0) return 0;
      throw error;
    }
    return left === 0 ? 0 : left * b();
  };
  const scalarAt = (expression: ScalarExpression, operand: (index: number) => number): number => {
    if (expression.kind === "operand") return operand(expression.index);
    if (expression.kind === "literal") return expression.value;
    const args = expression.args.map((arg) => () => scalarAt(arg, operand));
    const [a = () => 0, b = () => 0, c = () => 0] = args;
    if (expression.intrinsic === "select") return a() !== 0 ? b() : c();
    if (expression.intrinsic === "mul") return product(a, b);
    return SCALAR_FUNCTIONS[expression.intrinsic](a(), b(), c());
  };
  const each = (axes: readonly Axis[], visit: (position: Position) => void): void => {
    const [axis, ...rest] = axes;
    if (axis === undefined) {
      visit({});
      return;
    }
    for (let index = 0; index < count(axis.size); index++) {
      each(rest, (position) => visit({ ...position, [axis.id]: index }));
    }
  };

  const nodeAt = (node: Node, position: Position): number => {
    const [x = "", y = ""] = node.inputs;
    const { scalar } = node.op;
    if (scalar !== undefined) return scalarAt(scalar, (index) => at(node.inputs[index] ?? "", position));
    const here = (axis: string): number => position[axis] ?? 0;
    if (isNode(node, constant)) return node.attributes.value;
    if (isNode(node, extent)) return count(node.attributes.size);
    if (isNode(node, iota)) return here(node.attributes.axis.id);
    if (isNode(node, expand)) return at(x, position);
    if (isNode(node, rename)) {
      const { from, to } = node.attributes;
      const old = Object.fromEntries(from.map((id, index) => [id, here(to[index]?.id ?? "")]));
      return at(x, { ...position, ...old });
    }
    if (isNode(node, gather)) {
      const { axis } = node.attributes;
      return at(x, { ...position, [axis]: clip(at(y, position), lengthOf(x, axis)) });
    }
    if (isNode(node, scatter)) {
      const { axis, sum } = node.attributes;
      const over = [...axesOf(x), ...axesOf(y)].filter(
        (own, index, all) => sum.includes(own.id) && all.findIndex((other) => other.id === own.id) === index,
      );
      let total = 0;
      each(over, (inner) => {
        const place = { ...position, ...inner };
        if (clip(at(y, place), count(axis.size)) === here(axis.id)) total += at(x, place);
      });
      return total;
    }
    if (isNode(node, slice)) {
      const { axis, to, start } = node.attributes;
      return at(x, { ...position, [axis]: here(to.id) + count(start) });
    }
    if (isNode(node, pad)) {
      const { axis, to, start } = node.attributes;
      const from = here(to.id) - count(start);
      return from < 0 || from >= lengthOf(x, axis) ? 0 : at(x, { ...position, [axis]: from });
    }
    if (isNode(node, shift)) {
      const { axis, offset } = node.attributes;
      return at(x, { ...position, [axis]: clip(here(axis) + offset, lengthOf(x, axis)) });
    }
    if (isNode(node, window)) {
      const { axis, to, offset, stride } = node.attributes;
      return at(x, { ...position, [axis]: clip(here(axis) + offset + stride * here(to.id), lengthOf(x, axis)) });
    }
    if (isNode(node, unwindow)) {
      const { axis, from, offset, stride } = node.attributes;
      let total = 0;
      for (let k = 0; k < lengthOf(x, from); k++) {
        const source = here(axis) - offset - stride * k;
        if (source >= 0 && source < lengthOf(x, axis)) total += at(x, { ...position, [axis]: source, [from]: k });
      }
      return total;
    }
    if (isNode(node, prefix) || isNode(node, suffix)) {
      return at(x, { ...position, [node.attributes.axis]: here(node.attributes.to.id) });
    }
    if (isNode(node, collect) || isNode(node, collectSuffix)) {
      const { axis, from } = node.attributes;
      let total = 0;
      for (let t = 0; t < lengthOf(x, axis); t++) {
        const counts = isNode(node, collect)
          ? here(axis) < t + node.attributes.end
          : isNode(node, collectSuffix) && here(axis) >= t + node.attributes.start;
        if (counts) total += at(x, { ...position, [axis]: t, [from]: here(axis) });
      }
      return total;
    }
    if (isNode(node, contract)) {
      const over = [...axesOf(x), ...axesOf(y)].filter(
        (own, index, all) =>
          node.attributes.over.includes(own.id) && all.findIndex((other) => other.id === own.id) === index,
      );
      let total = 0;
      each(over, (inner) => {
        const place = { ...position, ...inner };
        total += product(
          () => at(x, place),
          () => at(y, place),
        );
      });
      return total;
    }
    if (isNode(node, reduce)) {
      const over = axesOf(x).filter((own) => node.attributes.axes.includes(own.id));
      const values: number[] = [];
      each(over, (inner) => values.push(at(x, { ...position, ...inner })));
      const { kind } = node.attributes;
      if (kind === "sum") return values.reduce((sum, value) => sum + value, 0);
      if (kind === "prod") return values.reduce((result, value) => result * value, 1);
      return kind === "max" || kind === "any" ? Math.max(...values) : Math.min(...values);
    }
    if (isNode(node, argmax)) {
      const { axis } = node.attributes;
      const values = Array.from({ length: lengthOf(x, axis) }, (_, index) => at(x, { ...position, [axis]: index }));
      return values.indexOf(Math.max(...values));
    }
    throw new Error(`the demand-driven evaluator does not know ${node.op.name}`);
  };

  return (id) => {
    const type = types.get(id);
    if (type === undefined) throw new Error(`no value %${id}`);
    const data: number[] = [];
    each(type.axes, (position) => data.push(at(id, position)));
    return {
      dtype: type.dtype,
      axes: type.axes.map((axis) => axis.id),
      shape: type.axes.map((axis) => count(axis.size)),
      data: Float64Array.from(data),
    };
  };
}
