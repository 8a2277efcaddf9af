import type { Builder } from "../ir/builder.ts";
import { circles } from "../ir/circles.ts";
import { definitions, type Graph, type Node, valueTypes } from "../ir/graph.ts";
import { type Axis, hasAxis } from "../ir/type.ts";
import { expand } from "../op/make_move.ts";

/** A graph in a builder, in which params are told apart by the position that reads them. */
export interface ByPosition {
  /** The new id of each of the graph's values. */
  readonly ids: ReadonlyMap<string, string>;
  /**
   * By param: the value, with the axis, that every read at the axis' positions goes to. A derivative by it is the derivative by the
   * param, split by position: each is the "immediate" partial derivative of Pascanu, Mikolov & Bengio 2013 (eq. 5), carried to the loss.
   * A param that is not read at any position is absent, as is one that only a recurrence over another axis reads.
   */
  readonly varying: ReadonlyMap<string, string>;
  /** Params that are read there with the axis in another place: these reads are not told apart. */
  readonly mixed: ReadonlySet<string>;
}

/**
 * Adds a graph, cycles included, to a builder; `params` are given the axis where what is computed of them meets it. `values` are the
 * builder's values for the graph's params.
 */
export function copyByPosition(
  builder: Builder,
  graph: Graph,
  values: ReadonlyMap<string, string>,
  params: readonly string[],
  axis: Axis,
): ByPosition {
  const types = valueTypes(graph);
  const defined = definitions(graph);
  const meets = (id: string): boolean => {
    const type = types.get(id);
    return type !== undefined && hasAxis(type, axis.id);
  };
  const meetsNode = (node: Node): boolean => node.inputs.some(meets) || node.outputs.some(({ id }) => meets(id));
  const recurrent = new Set(circles(graph).flat());
  const sources = new Map<string, ReadonlySet<string>>(params.map((id) => [id, new Set([id])]));
  const ids = new Map(values);
  const reserved = new Map<string, string>();
  const varied = new Map<string, string>();
  const mixed = new Set<string>();

  /** The params that a value is computed of without the axis. */
  const sourcesOf = (id: string): ReadonlySet<string> => {
    const known = sources.get(id);
    if (known !== undefined) return known;
    const node = defined.get(id);
    const isOwn = node === undefined || meetsNode(node) || recurrent.has(node);
    const found = new Set(isOwn ? [] : node.inputs.flatMap((input) => [...sourcesOf(input)]));
    sources.set(id, found);
    return found;
  };
  const plain = (id: string): string => {
    const known = ids.get(id);
    if (known !== undefined) return known;
    const type = types.get(id);
    if (type === undefined) throw new Error(`internal: no value %${id} in graph ${graph.name}`);
    const ahead = builder.forward(`${id}.ahead`, type);
    reserved.set(id, ahead);
    ids.set(id, ahead);
    return ahead;
  };
  /** A value that lacks the axis, computed anew at every position. */
  const varying = (id: string): string => {
    const known = varied.get(id);
    if (known !== undefined || sourcesOf(id).size === 0) return known ?? plain(id);
    const node = defined.get(id);
    if (node === undefined) varied.set(id, expand(builder, plain(id), [axis]));
    else {
      const outputs = add(node, node.inputs.map(varying));
      node.outputs.forEach((output, index) => {
        varied.set(output.id, outputs[index] ?? "");
      });
    }
    return varied.get(id) ?? plain(id);
  };
  const add = (node: Node, inputs: readonly string[]): readonly string[] => {
    const names = node.outputs.map((output) => output.id);
    const run = () => builder.addAll(node.op, inputs, node.attributes, names);
    return node.origin === undefined ? run() : builder.within(node.origin, run);
  };

  const inputsOf = (node: Node): readonly string[] => {
    const own = node.inputs.map(plain);
    if (!meetsNode(node)) return own;
    const told = node.inputs.map((id, place) => (meets(id) ? (own[place] ?? "") : varying(id)));
    if (typeof node.op.infer(told.map(builder.type), node.attributes) !== "string") return told;
    for (const param of node.inputs.filter((id) => !meets(id)).flatMap((id) => [...sourcesOf(id)])) mixed.add(param);
    return own;
  };

  for (const node of graph.nodes) {
    const outputs = add(node, inputsOf(node));
    node.outputs.forEach((output, index) => {
      const id = outputs[index] ?? "";
      ids.set(output.id, id);
      const ahead = reserved.get(output.id);
      if (ahead !== undefined) builder.close(ahead, id);
    });
  }
  const told = params.map((id) => [id, meets(id) ? ids.get(id) : varied.get(id)] as const);
  return { ids, varying: new Map(told.flatMap(([id, value]) => (value === undefined ? [] : [[id, value]]))), mixed };
}
