import { type Graph, isNode, type Node } from "../ir/graph.ts";
import { type ScanAttributes, scan } from "../op/region.ts";
import { coneBelow, createTransplant } from "./cone.ts";
import { mapCost } from "./cost.ts";
import { createDraft, type Draft, type Tools } from "./draft.ts";
import type { Estimate } from "./estimate.ts";
import { closeLoop, type Loop, openLoop, stackedType } from "./loop.ts";

/** A y that only other loops read, step by step, and that they could compute themselves. */
interface Candidate {
  readonly id: string;
  /** What computes it. */
  readonly node: Node;
  readonly readers: readonly Node<ScanAttributes>[];
  readonly cost: number;
  readonly elements: number;
}

/**
 * Lets loops compute what an earlier loop would keep for them. A candidate that costs no more than `cheap` additions a number is not
 * kept where its readers then read no more than before; any candidate, the largest for its cost first, while more than `memory` bytes are kept.
 */
export function recompute(
  graph: Graph,
  cheap: number,
  memory: number | undefined,
  estimate: Estimate,
  tools: Tools,
): Graph {
  const loops = graph.nodes.filter((node): node is Node<ScanAttributes> => isNode(node, scan));
  if (loops.length < 2) return graph;
  const draft = createDraft(graph, tools);
  const users = usersOf(graph, new Set(loops.flatMap((node) => node.outputs.map((output) => output.id))));
  const dropped = new Set<string>();
  const cones = loops.map((node) => coneOf(openLoop(node)));
  const elements = (ids: Iterable<string>): number =>
    [...ids].reduce((sum, id) => sum + estimate.elements(draft.type(id)), 0);
  const candidates = loops.flatMap((node, index) => candidatesOf(node, cones[index], users, draft, estimate));
  const coneFor = (id: string): ReadonlyMap<string, Node> =>
    (cones.find((cone) => cone.outputs.has(id)) ?? { nodes: () => new Map<string, Node>() }).nodes(dropped, id);
  const readsMore = ({ id, readers }: Candidate): boolean =>
    readers.some((reader) => {
      const { axis } = reader.attributes;
      const there = new Set(openLoop(reader).xs.map((x) => x.outside));
      const leaves = [...coneBelow(id, coneFor(id)).leaves];
      const added = leaves.filter(
        (leaf) => !there.has(leaf) && draft.type(leaf).axes.some((own) => own.id === axis.id),
      );
      return elements(added) > elements([id]);
    });
  for (const candidate of candidates) {
    if (candidate.cost <= cheap && !readsMore(candidate)) dropped.add(candidate.id);
  }
  const ys = loops.flatMap((node) => node.outputs.slice(node.attributes.carries).map((output) => output.id));
  let kept = 4 * elements(ys.filter((id) => !dropped.has(id)));
  const byWorth = candidates
    .filter((candidate) => !dropped.has(candidate.id))
    .sort((a, b) => b.elements / (b.cost + 1) - a.elements / (a.cost + 1));
  for (const candidate of byWorth) {
    if (memory === undefined || kept <= memory) break;
    dropped.add(candidate.id);
    kept -= 4 * candidate.elements;
  }
  if (dropped.size === 0) return graph;
  for (const { id, node, readers } of candidates) {
    if (dropped.has(id)) draft.note("sink", [node], readers[0]?.attributes.axis.id);
  }
  for (const node of graph.nodes) draft.keep(isNode(node, scan) ? withComputed(node, dropped, coneFor, draft) : node);
  return draft.finish();
}

function withComputed(
  node: Node<ScanAttributes>,
  dropped: ReadonlySet<string>,
  coneFor: (id: string) => ReadonlyMap<string, Node>,
  draft: Draft,
): Node {
  let loop = openLoop(node);
  const own = loop.xs.filter((x) => dropped.has(x.outside));
  for (const { outside, param } of own) {
    const transplant = createTransplant(loop, coneFor(outside), draft);
    transplant.define(param, outside);
    loop = transplant.finish();
  }
  return own.length === 0 ? node : closeLoop(loop);
}

function usersOf(graph: Graph, ids: ReadonlySet<string>): ReadonlyMap<string, readonly Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    for (const input of new Set(node.inputs.filter((id) => ids.has(id)))) {
      const list = users.get(input);
      if (list === undefined) users.set(input, [node]);
      else list.push(node);
    }
  }
  return users;
}

/** What a loop computes at each step, as values of all steps: those that it is given and gives by their names outside. */
interface LoopCone {
  readonly outputs: ReadonlySet<string>;
  /** The nodes by value, down to what is kept. `wanted` is a y that is not, with those of `dropped`. */
  nodes(dropped: ReadonlySet<string>, wanted: string): ReadonlyMap<string, Node>;
}

function coneOf(loop: Loop): LoopCone {
  const given = new Map<string, string>([...loop.consts, ...loop.xs].map(({ outside, param }) => [param.id, outside]));
  const ys = new Map<string, string>();
  for (const { inside, output } of loop.ys) if (!ys.has(inside)) ys.set(inside, output.id);
  const carries = new Set(loop.carries.map((carry) => carry.param.id));
  // Values that have no name outside get one that nothing there has.
  const name = (id: string): string => given.get(id) ?? ys.get(id) ?? `/${id}`;
  const local = new Map<string, Node>();
  for (const node of loop.nodes) {
    const [output] = node.outputs;
    if (output === undefined || node.outputs.length > 1) continue;
    const isCheapForm = node.op.form === "map" || node.op.form === "move" || node.op.form === "source";
    const isKnown = (id: string): boolean => given.has(id) || ys.has(id) || local.has(id);
    const fits = node.inputs.every((id) => isKnown(id) && !(carries.has(id) && !ys.has(id)));
    if (!isCheapForm || node.op.name === "random" || !fits) continue;
    const type = stackedType(output.type, loop.axis);
    local.set(output.id, { ...node, inputs: node.inputs.map(name), outputs: [{ id: name(output.id), type }] });
  }
  return {
    outputs: new Set(loop.ys.map((y) => y.output.id)),
    nodes: (dropped, wanted) => {
      const found = new Map<string, Node>();
      for (const [inside, node] of local) {
        const id = name(inside);
        const isKept = ys.has(inside) && id !== wanted && !dropped.has(id);
        if (!isKept) found.set(id, node);
      }
      return found;
    },
  };
}

function candidatesOf(
  node: Node<ScanAttributes>,
  cone: LoopCone | undefined,
  users: ReadonlyMap<string, readonly Node[]>,
  draft: Draft,
  estimate: Estimate,
): readonly Candidate[] {
  const { axis, carries } = node.attributes;
  const none = new Set<string>();
  return node.outputs.slice(carries).flatMap((output) => {
    const readers = users.get(output.id) ?? [];
    const loops = readers.filter((reader): reader is Node<ScanAttributes> => readsStepwise(reader, output.id, axis.id));
    const nodes = cone?.nodes(none, output.id);
    if (nodes?.has(output.id) !== true || loops.length === 0 || loops.length < readers.length) return [];
    if (draft.isResult(output.id)) return [];
    const made = nodes.get(output.id);
    if (made === undefined) return [];
    return [
      {
        id: output.id,
        node: made,
        readers: loops,
        cost: coneCost(output.id, nodes),
        elements: estimate.elements(output.type),
      },
    ];
  });
}

/** Whether a loop along the axis reads a value as an xs and in no other way. */
function readsStepwise(reader: Node, id: string, axis: string): boolean {
  if (!isNode(reader, scan) || reader.attributes.axis.id !== axis) return false;
  const entries = reader.attributes.consts + reader.attributes.carries;
  return !reader.inputs.slice(0, entries).includes(id);
}

function coneCost(id: string, cone: ReadonlyMap<string, Node>): number {
  return [...coneBelow(id, cone).nodes].reduce((sum, node) => sum + mapCost(node.op), 0);
}
