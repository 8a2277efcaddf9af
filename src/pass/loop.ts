import type { Graph, Node, Origin, Value } from "../ir/graph.ts";
import { type Axis, type Type, withoutAxes } from "../ir/type.ts";
import { type ScanAttributes, scan } from "../op/region.ts";

/** A scan taken apart, so that its inputs, params, results and outputs can be changed together. */
export interface Loop {
  readonly axis: Axis;
  readonly reverse: boolean;
  readonly name: string;
  readonly origin: Origin | undefined;
  readonly consts: readonly Passed[];
  readonly carries: readonly Carry[];
  readonly xs: readonly Passed[];
  readonly ys: readonly Yielded[];
  readonly nodes: readonly Node[];
}

/** A value of the surrounding region, and what the body calls it (its entry, for an xs). */
export interface Passed {
  readonly outside: string;
  readonly param: Value;
}

export interface Carry {
  readonly start: string;
  readonly param: Value;
  /** The body's value for the next step. */
  readonly next: string;
  /** What it is behind the loop. */
  readonly last: Value;
}

/** What the body gives at every step, and the value with the loop's axis that this makes. */
export interface Yielded {
  readonly inside: string;
  readonly output: Value;
}

export function openLoop(node: Node<ScanAttributes>): Loop {
  const { axis, reverse, consts, carries, xs, body } = node.attributes;
  const passed = node.inputs.map((outside, index) => ({ outside, param: body.params[index] ?? missing(node) }));
  const results = body.results.map((result) => result.id);
  return {
    axis,
    reverse,
    name: body.name,
    origin: node.origin,
    consts: passed.slice(0, consts),
    carries: passed.slice(consts, consts + carries).map(({ outside, param }, index) => ({
      start: outside,
      param,
      next: results[index] ?? "",
      last: node.outputs[index] ?? missing(node),
    })),
    xs: passed.slice(consts + carries, consts + carries + xs),
    ys: results
      .slice(carries)
      .map((inside, index) => ({ inside, output: node.outputs[carries + index] ?? missing(node) })),
    nodes: body.nodes,
  };
}

function missing(node: Node): never {
  throw new Error(`internal: a scan of ${node.inputs.length} inputs does not fit its body`);
}

export function closeLoop(loop: Loop): Node<ScanAttributes> {
  const { axis, reverse, consts, carries, xs, ys } = loop;
  return {
    op: scan,
    attributes: {
      axis,
      reverse,
      consts: consts.length,
      carries: carries.length,
      xs: xs.length,
      body: bodyOf(loop),
    },
    inputs: [
      ...consts.map((passed) => passed.outside),
      ...carries.map((carry) => carry.start),
      ...xs.map((passed) => passed.outside),
    ],
    outputs: [...carries.map((carry) => carry.last), ...ys.map((y) => y.output)],
    origin: loop.origin,
  };
}

/** The body as a graph of its own. */
export function bodyOf({ name, consts, carries, xs, ys, nodes }: Loop): Graph {
  return {
    name,
    params: [...consts, ...carries, ...xs].map((passed) => passed.param),
    nodes,
    results: [
      ...carries.map((carry) => ({ name: carry.param.id, id: carry.next })),
      ...ys.map((y) => ({ name: y.output.id, id: y.inside })),
    ],
  };
}

/** The loop with the nodes and results of a rewritten body, whose params must be the same. */
export function withBody(loop: Loop, body: Graph): Loop {
  const results = body.results.map((result) => result.id);
  return {
    ...loop,
    nodes: body.nodes,
    carries: loop.carries.map((carry, index) => ({ ...carry, next: results[index] ?? carry.next })),
    ys: loop.ys.map((y, index) => ({ ...y, inside: results[loop.carries.length + index] ?? y.inside })),
  };
}

/** What an entry of `type` along the loop's axis is. */
export function entryType(type: Type, axis: Axis): Type {
  return { dtype: type.dtype, axes: withoutAxes(type.axes, [axis.id]) };
}

/** What values of `type`, one for each step, make together. */
export function stackedType(type: Type, axis: Axis): Type {
  return { dtype: type.dtype, axes: [axis, ...type.axes] };
}
