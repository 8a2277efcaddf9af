import type { Graph, Node, Result, Value } from "../ir/graph.ts";
import { valueTypes } from "../ir/graph.ts";
import type { SizeBinding } from "../ir/size.ts";
import { rename } from "../op/move.ts";
import { scan } from "../op/region.ts";
import type { Alignment } from "./align.ts";
import { alignments } from "./align.ts";
import type { Emitter, Types } from "./emitter.ts";
import { createEmitter } from "./emitter.ts";
import { explain } from "./explain.ts";
import type { Group } from "./group.ts";
import { createGroup, cutsEveryCircle, findGroups } from "./group.ts";
import type { Loop } from "./loop.ts";
import { buildLoop } from "./loop.ts";
import type { Names } from "./names.ts";
import { createNames } from "./names.ts";
import type { ScheduleProblem } from "./problem.ts";

export type Scheduled = { readonly graph: Graph } | { readonly problems: readonly ScheduleProblem[] };

/**
 * Finds an order of computation for an equation graph (Allen & Kennedy 1987): each circle of equations becomes a scan along
 * an axis on which all its reads look the same way, nested where several axes recur; everything else stays outside of loops,
 * in dependency order. Or says which circles have no order.
 *
 * `sizes`: the numbers of sizes that are known while compiling, as far as a window's reach depends on them. The length of
 * what is looped over is never looked at.
 */
export function schedule(graph: Graph, sizes: SizeBinding = new Map()): Scheduled {
  const context: Context = { names: createNames(graph), types: new Map(valueTypes(graph)), sizes };
  const region = { nodes: graph.nodes, results: graph.results.map((result) => result.id), fixed: [] };
  const arranged = arrange(region, context);
  return "problems" in arranged ? arranged : { graph: { ...graph, nodes: arranged.nodes } };
}

interface Context {
  readonly names: Names;
  readonly types: Types;
  readonly sizes: SizeBinding;
}

/** A graph or the body of a loop, before it has an order. */
interface Region {
  readonly nodes: readonly Node[];
  readonly results: readonly string[];
  /** The axes of the loops around it. */
  readonly fixed: readonly string[];
}

type Arranged = { readonly nodes: readonly Node[] } | { readonly problems: readonly ScheduleProblem[] };

function arrange(region: Region, context: Context): Arranged {
  const emitter = createEmitter(context.names, context.types);
  const problems: ScheduleProblem[] = [];
  const wantedOutside = createWanted(region);
  for (const { nodes, cyclic } of findGroups(region.nodes)) {
    if (!cyclic) {
      for (const node of nodes) emitter.adopt(node);
      continue;
    }
    const group = createGroup(nodes);
    problems.push(...loopOver(group, wantedOutside(group), region, emitter, context));
  }
  return problems.length > 0 ? { problems } : { nodes: neededOnly(emitter.take(), region.results) };
}

/** The values of a group that nodes outside of it, or the results, need. */
function createWanted(region: Region): (group: Group) => readonly string[] {
  const users = new Map<string, Node[]>();
  for (const node of region.nodes) {
    for (const input of node.inputs) {
      const list = users.get(input);
      if (list === undefined) users.set(input, [node]);
      else list.push(node);
    }
  }
  const results = new Set(region.results);
  return (group) => {
    const members = new Set(group.nodes);
    const isWanted = (id: string): boolean =>
      results.has(id) || (users.get(id) ?? []).some((user) => !members.has(user));
    return group.nodes.flatMap((node) => node.outputs.map((output) => output.id).filter(isWanted));
  };
}

/**
 * Adds the loop for a group, or returns why there is none. Any legal axis will do: fixing it only takes reads away, so that what
 * is legal beside it stays legal inside.
 */
function loopOver(
  group: Group,
  wanted: readonly string[],
  region: Region,
  emitter: Emitter,
  context: Context,
): readonly ScheduleProblem[] {
  const ways = alignments(group, context.sizes);
  const legal = ways.filter(isLegal);
  const way = legal.find((candidate) => cutsEveryCircle(group, candidate.isDelayed)) ?? legal[0];
  if (way === undefined) return [explain(group, ways, region.fixed, context.sizes)];
  const loop = buildLoop(group, way, wanted, { ...context, before: emitter });
  const results = [...loop.parts.carries.map((carry) => carry.next), ...loop.ys.map((y) => y.inside)];
  const body = { nodes: loop.nodes, results, fixed: [...region.fixed, way.axis.id] };
  const arranged = arrange(body, context);
  if ("problems" in arranged) return arranged.problems;
  emitScan(group, loop, arranged.nodes, results, region, emitter, context);
  return [];
}

/** No read of everything, none that goes the other way, and at least one that is not at the same position. */
function isLegal({ wholes, earlier, later }: Alignment): boolean {
  return wholes.length === 0 && earlier.length > 0 !== later.length > 0;
}

function emitScan(
  group: Group,
  loop: Loop,
  nodes: readonly Node[],
  results: readonly string[],
  region: Region,
  emitter: Emitter,
  { names, types }: Context,
): void {
  const { axis, reverse, parts, ys } = loop;
  const passed = [...parts.consts, ...parts.carries, ...parts.xs];
  const carries = parts.carries.length;
  const origin = group.nodes.find((node) => node.origin !== undefined)?.origin;
  const body: Graph = {
    name: origin?.name ?? parts.carries[0]?.name.split(".")[0] ?? "loop",
    params: passed.map(({ param }) => param),
    nodes,
    results: results.map((id, index) => ({ name: resultName(loop, index), id })),
  };
  const attributes = { axis, reverse, consts: parts.consts.length, carries, xs: parts.xs.length, body };
  const inputs = passed.map(({ outside }) => outside);
  const inferred = scan.infer(inputs.map(emitter.type), attributes);
  if (typeof inferred === "string") throw new Error(`internal: the loop over ${axis.id}: ${inferred}`);
  const ids = [
    ...parts.carries.map((carry) => names.fresh(`${carry.name}.last`)),
    ...ys.map((y) => (y.axis === axis.id ? y.id : names.fresh(`${y.id}.${axis.id}`))),
  ];
  const outputs: readonly Value[] = inferred.map((type, index) => {
    const id = ids[index] ?? "";
    // The layout of the program's results is not the loop's to choose.
    const fixed = region.fixed.length === 0 && region.results.includes(id);
    return { id, type: fixed ? emitter.type(id) : type };
  });
  emitter.adopt({ op: scan, attributes, inputs, outputs, origin });
  ys.forEach((y, index) => {
    const own = types.get(y.id)?.axes.find((candidate) => candidate.id === y.axis);
    if (y.axis === axis.id || own === undefined) return;
    emitter.define(y.id, rename, [ids[carries + index] ?? ""], { from: [axis.id], to: [own] });
  });
  for (const node of loop.again) emitter.adopt(node);
}

function resultName({ parts, ys }: Loop, index: number): string {
  return parts.carries[index]?.param.id ?? ys[index - parts.carries.length]?.id ?? "";
}

/** The nodes that the results need, in the same order. */
function neededOnly(nodes: readonly Node[], results: readonly Result["id"][]): readonly Node[] {
  const needed = new Set(results);
  const kept: Node[] = [];
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => needed.has(output.id))) continue;
    for (const input of node.inputs) needed.add(input);
    kept.push(node);
  }
  return kept.reverse();
}
