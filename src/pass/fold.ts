import type { Graph, Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { evaluateSize, type SizeBinding } from "../ir/size.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Type } from "../ir/type.ts";
import { expand } from "../op/move.ts";
import { constant, random } from "../op/source.ts";
import { createDraft } from "./draft.ts";
import { createFresh, type Fresh } from "./fresh.ts";
import type { Pass } from "./pass.ts";
import { mapBodies } from "./region.ts";
import { uniform } from "./values.ts";

/**
 * Values that are known while compiling, as the ops evaluate: of constants, positions and sizes whose names are bound. A value becomes a
 * constant where all its numbers are the same one; larger ones than `MOST` numbers are left to run time.
 */
export const fold: Pass = (graph, { sizes, fresh = createFresh(graph) }) => foldRegion(graph, sizes, fresh);

const MOST = 256;

function foldRegion(graph: Graph, sizes: SizeBinding, fresh: Fresh): Graph {
  const draft = createDraft(graph, { fresh });
  const known = new Map<string, Tensor>();
  for (const node of graph.nodes) {
    const current = draft.current(node);
    draft.within(node.origin);
    if (current.op.form === "region") {
      draft.keep(mapBodies(current, (body) => foldRegion(body, sizes, fresh)));
      continue;
    }
    const value = knownValue(current, known, sizes);
    const output = current.outputs[0];
    const number = value === undefined ? undefined : sameEverywhere(value);
    if (value !== undefined && output !== undefined) known.set(output.id, value);
    if (number === undefined || output === undefined || isNode(current, constant) || isNode(current, expand)) {
      draft.keep(current);
      continue;
    }
    const id = uniform(draft, number, output.type);
    if (value !== undefined) known.set(id, value);
    draft.replace(current, id);
  }
  return draft.finish();
}

function knownValue(node: Node, known: ReadonlyMap<string, Tensor>, sizes: SizeBinding): Tensor | undefined {
  const [output] = node.outputs;
  if (output === undefined || node.outputs.length > 1 || isNode(node, random)) return undefined;
  const inputs: Tensor[] = [];
  for (const input of node.inputs) {
    const tensor = known.get(input);
    if (tensor === undefined) return undefined;
    inputs.push(tensor);
  }
  if (!isSmall(output.type, sizes) || !isBound(node, sizes)) return undefined;
  return node.op.evaluate(inputs, node.attributes, [output.type], sizes)[0];
}

function isSmall(type: Type, sizes: SizeBinding): boolean {
  let count = 1;
  for (const axis of type.axes) {
    const size = evaluateSize(axis.size, sizes);
    if (size === undefined || !Number.isInteger(size) || size < 1) return false;
    count *= size;
    if (count > MOST) return false;
  }
  return true;
}

/** Whether the sizes among the attributes are known. */
function isBound(node: Node, sizes: SizeBinding): boolean {
  return Object.values(node.attributes).every(
    (value) =>
      typeof value !== "object" ||
      !("kind" in value) ||
      value.kind !== "size" ||
      Number.isFinite(evaluateSize(value, sizes)),
  );
}

function sameEverywhere(tensor: Tensor): number | undefined {
  const first = tensor.data[0];
  return first !== undefined && tensor.data.every((value) => Object.is(value, first)) ? first : undefined;
}
