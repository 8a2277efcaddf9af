import type { Node, Value } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { hasAxis, type Type } from "../ir/type.ts";
import { concat, expand, gather, rename, reshape, slice } from "../op/move.ts";
import { atPosition, disappears } from "../schedule/position.ts";
import { mapCost } from "./cost.ts";
import type { Draft } from "./draft.ts";
import { entryType, type Loop, type Passed } from "./loop.ts";

/** What a number of a node costs, where a loop could compute the node at its own position; undefined where it could not. */
export function localCost(node: Node, axis: string, type: (id: string) => Type): number | undefined {
  const [output] = node.outputs;
  if (output === undefined || !hasAxis(output.type, axis) || node.inputs.length === 0) return undefined;
  const isView = VIEWS.has(node.op.name);
  if (node.op.form !== "map" && !isView) return undefined;
  if (makesAxis(node, axis)) return undefined;
  const isLocal = node.inputs.every((id, input) => {
    const own = type(id);
    return !hasAxis(own, axis) || node.op.reads(node, input, axis, own).kind === "same";
  });
  return isLocal ? mapCost(node.op) : undefined;
}

/** Whether positions along the axis are positions along others of what a node reads. */
function makesAxis(node: Node, axis: string): boolean {
  if (isNode(node, rename) || isNode(node, reshape)) return node.attributes.to.some((to) => to.id === axis);
  return (isNode(node, slice) || isNode(node, concat)) && node.attributes.to.id === axis;
}

const VIEWS: ReadonlySet<string> = new Set([concat, expand, gather, rename, reshape, slice].map((op) => op.name));

/** Builds what nodes outside of a loop compute at its positions into its body. */
export interface Transplant {
  /** Makes a param of the body, which is no xs any more, a value computed there. */
  define(param: Value, id: string): void;
  /** The loop with what has been built, in front of its own nodes. */
  finish(): Loop;
}

/** `cone`: the nodes that may be built in, by the values that they define; other values are brought in as consts or xs. */
export function createTransplant(loop: Loop, cone: ReadonlyMap<string, Node>, draft: Draft): Transplant {
  const consts: Passed[] = [...loop.consts];
  const xs: Passed[] = [...loop.xs];
  const made: Node[] = [];
  const values = new Map<string, string>();
  const { axis } = loop;

  const bring = (outside: string): string => {
    const type = draft.type(outside);
    const list = hasAxis(type, axis.id) ? xs : consts;
    const known = list.find((passed) => passed.outside === outside);
    if (known !== undefined) return known.param.id;
    const param = { id: draft.fresh.value(`${outside}.in`), type: entryType(type, axis) };
    list.push({ outside, param });
    return param.id;
  };
  const inside = (id: string): string => {
    const known = values.get(id);
    if (known !== undefined) return known;
    const node = cone.get(id);
    const value = node === undefined ? bring(id) : build(node, undefined);
    values.set(id, value);
    return value;
  };
  const build = (node: Node, output: Value | undefined): string => {
    const inputs = node.inputs.map(inside);
    if (disappears(node, axis.id) && output === undefined) return inputs[0] ?? "";
    const type = entryType(node.outputs[0]?.type ?? { dtype: "float", axes: [] }, axis);
    const name = node.outputs[0]?.id.replace("/", "") ?? node.op.name;
    const value = output ?? { id: draft.fresh.value(`${name}.in`), type };
    made.push({ ...atPosition(node, axis.id, inputs, axis.id), outputs: [value], origin: node.origin });
    return value.id;
  };

  return {
    define: (param, id) => {
      const at = xs.findIndex((passed) => passed.param.id === param.id);
      if (at >= 0) xs.splice(at, 1);
      const node = cone.get(id);
      if (node === undefined) throw new Error(`internal: %${id} cannot be computed in the loop`);
      build(node, param);
      values.set(id, param.id);
    },
    finish: () => ({ ...loop, consts, xs, nodes: [...made, ...loop.nodes] }),
  };
}

/** What a value of a cone is computed from: the values outside of the cone, and the nodes in it. */
export function coneBelow(
  id: string,
  cone: ReadonlyMap<string, Node>,
): { readonly leaves: ReadonlySet<string>; readonly nodes: ReadonlySet<Node> } {
  const leaves = new Set<string>();
  const nodes = new Set<Node>();
  const open = [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const node = cone.get(next);
    if (node === undefined) leaves.add(next);
    else if (!nodes.has(node)) {
      nodes.add(node);
      open.push(...node.inputs);
    }
  }
  return { leaves, nodes };
}
