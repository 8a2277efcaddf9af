import type { Attributes, Node } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import type { Type } from "../ir/type.ts";
import type { Draft } from "./draft.ts";

/** A node that is or might be: an op on values, and the type that it gives. */
export interface Call<A extends Attributes = Attributes> {
  readonly op: Op;
  readonly inputs: readonly string[];
  readonly attributes: A;
  readonly type: Type;
}

export interface Simplifier {
  readonly draft: Draft;
  /** A simplified value of the op; `A` is checked by the op. */
  make<A extends Attributes>(op: Op<A>, inputs: readonly string[], attributes: A): string;
}

/** A value for the call's that costs less, which may lack axes along which it repeats; undefined where there is none. */
export type Rule = (call: Call, simplifier: Simplifier) => string | undefined;

/** A call as a node without outputs, so that `isNode` tells its attributes. */
export function callNode(call: Call): Node {
  return { op: call.op, attributes: call.attributes, inputs: call.inputs, outputs: [], origin: undefined };
}
