import { attributeKey } from "../ir/attribute-key.ts";
import type { Attributes, Node, Origin } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import type { Type } from "../ir/type.ts";
import type { Names } from "./names.ts";

/** Types of all values of the program, those of loop bodies too: ids are unique. */
export type Types = Map<string, Type>;

/** Adds nodes to one region. Nodes made by `add` are made once. */
export interface Emitter {
  add<A extends Attributes>(op: Op<A>, inputs: readonly string[], attributes: A, name: string): string;
  /** The same with a given id, which no other value has. */
  define<A extends Attributes>(id: string, op: Op<A>, inputs: readonly string[], attributes: A): string;
  /** Takes a node as it is. */
  adopt(node: Node): void;
  /** All nodes since the last call. */
  take(): readonly Node[];
  type(id: string): Type;
}

export function createEmitter(names: Names, types: Types): Emitter {
  const known = new Map<string, string>();
  let origin: Origin | undefined;
  let nodes: Node[] = [];
  const type = (id: string): Type => {
    const found = types.get(id);
    if (found === undefined) throw new Error(`internal: no value %${id} while scheduling`);
    return found;
  };
  const key = (op: Op, inputs: readonly string[], attributes: Attributes): string =>
    `${op.name}(${inputs.join(",")})${attributeKey(attributes)}`;
  const define = <A extends Attributes>(id: string, op: Op<A>, inputs: readonly string[], attributes: A): string => {
    const inferred = op.infer(inputs.map(type), attributes);
    if (typeof inferred === "string" || inferred[0] === undefined) {
      throw new Error(`internal: ${op.name}(${inputs.map((input) => `%${input}`).join(", ")}): ${inferred}`);
    }
    types.set(id, inferred[0]);
    nodes.push({ op, attributes, inputs, outputs: [{ id, type: inferred[0] }], origin });
    return id;
  };
  return {
    add: (op, inputs, attributes, name) => {
      const text = key(op, inputs, attributes);
      const id = known.get(text) ?? define(names.fresh(name), op, inputs, attributes);
      known.set(text, id);
      return id;
    },
    define,
    adopt: (node) => {
      for (const output of node.outputs) types.set(output.id, output.type);
      const [only] = node.outputs;
      if (node.inputs.length === 0 && only !== undefined) known.set(key(node.op, [], node.attributes), only.id);
      nodes.push(node);
      origin = node.origin ?? origin;
    },
    take: () => {
      const taken = nodes;
      nodes = [];
      return taken;
    },
    type,
  };
}
