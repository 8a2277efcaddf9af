import { type Attributes, isNode, type Node, type Value } from "../../ir/graph.ts";
import type { Op } from "../../ir/op.ts";
import type { Size } from "../../ir/size.ts";
import type { Axis, Type } from "../../ir/type.ts";
import type { Label, Lowered, Writer } from "./scope.ts";

/** What lowering a node has to work with. */
export interface RuleCall<A extends Attributes = Attributes> {
  readonly writer: Writer;
  readonly attributes: A;
  readonly inputs: readonly Lowered[];
  /** As the graph has them. */
  readonly inputTypes: readonly Type[];
  readonly outputs: readonly Value[];
  /** What the first output is to be called; undefined where its name says nothing. */
  readonly label: Label | undefined;
  /** Input `index`; throws where there is none. */
  input(index: number): Lowered;
  /** A size with the known names in it replaced. */
  size(size: Size): Size;
  axis(axis: Axis): Axis;
  axes(axes: readonly Axis[]): readonly Axis[];
}

/** How one op becomes calls. */
export interface Rule {
  readonly op: string;
  lower(node: Node, call: Omit<RuleCall, "attributes">): readonly Lowered[];
}

export function rule<A extends Attributes>(op: Op<A>, lower: (call: RuleCall<A>) => Lowered): Rule {
  return {
    op: op.name,
    lower: (node, call) => {
      if (!isNode(node, op)) throw new Error(`internal: the rule of ${op.name} is asked to lower ${node.op.name}`);
      return [lower({ ...call, attributes: node.attributes })];
    },
  };
}

/** An axis of input `index` by its id. */
export function inputAxis(call: RuleCall, index: number, id: string): Axis {
  const axis = call.inputTypes[index]?.axes.find((own) => own.id === id);
  if (axis === undefined) throw new Error(`internal: input ${index} of ${call.outputs[0]?.id} has no axis ${id}`);
  return call.axis(axis);
}
