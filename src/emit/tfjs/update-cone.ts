import type { ParamRole, Program } from "../../build/program.ts";
import { attributeKey } from "../../ir/attribute-key.ts";
import { definitions, type Graph, isNode, type Node } from "../../ir/graph.ts";
import { sameAxes, type Type } from "../../ir/type.ts";
import { constant } from "../../op/source.ts";

export type UpdateArgument =
  | { readonly kind: "weight" }
  | { readonly kind: "slot"; readonly name: string }
  /** A result of the main program. */
  | { readonly kind: "result"; readonly name: string };

/** What the optimizer computes for one weight, as a graph whose names do not depend on the weight. */
export interface Cone {
  readonly weight: string;
  /** Equal for weights that move alike. */
  readonly key: string;
  readonly graph: Graph;
  readonly args: readonly { readonly argument: UpdateArgument; readonly id: string; readonly type: Type }[];
  readonly types: ReadonlyMap<string, Type>;
}

/** For each weight the elementwise nodes that only its own update needs, from what the optimizer is given on. */
export function conesOf(program: Program): readonly Cone[] {
  const { graph } = program;
  const byValue = definitions(graph);
  const groups = new Map<string, Map<string, string>>();
  for (const { name, id } of graph.results) {
    const role = program.results.get(name);
    const group = role?.kind === "weight" ? role.name : role?.kind === "slot" ? role.weight : "";
    const entry = role?.kind === "weight" ? "weight" : role?.kind === "slot" ? role.name : name;
    groups.set(group, new Map([...(groups.get(group) ?? []), [entry, id]]));
  }
  const needed = new Map(
    [...groups].map(([group, results]) => [group, reachable(byValue, [...results.values()])] as const),
  );
  const users = new Map<Node, number>();
  for (const nodes of needed.values()) for (const node of nodes) users.set(node, (users.get(node) ?? 0) + 1);
  return [...groups].flatMap(([weight, results]) => {
    if (weight === "" || !results.has("weight")) return [];
    const own = needed.get(weight);
    const cone = coneOf(program, weight, results, (node) => users.get(node) === 1 && own?.has(node) === true);
    return cone === undefined ? [] : [cone];
  });
}

function reachable(byValue: ReadonlyMap<string, Node>, ids: readonly string[]): ReadonlySet<Node> {
  const found = new Set<Node>();
  for (const id of ids) {
    const node = byValue.get(id);
    if (node !== undefined) found.add(node);
  }
  for (const node of found)
    for (const id of node.inputs) {
      const input = byValue.get(id);
      if (input !== undefined) found.add(input);
    }
  return found;
}

function coneOf(
  program: Program,
  weight: string,
  results: ReadonlyMap<string, string>,
  isExclusive: (node: Node) => boolean,
): Cone | undefined {
  const { graph } = program;
  const roles = program.params;
  const byValue = definitions(graph);
  const files = new Set([...results].flatMap(([, id]) => byValue.get(id)?.origin?.span.file ?? []));
  const isOwn = (role: ParamRole | undefined): boolean =>
    (role?.kind === "weight" && role.name === weight) || (role?.kind === "slot" && role.weight === weight);
  const members = new Set<Node>();
  for (const node of graph.nodes) {
    if (node.op.form !== "map" || !isExclusive(node)) continue;
    const isOptimizers = node.origin !== undefined && files.has(node.origin.span.file);
    const builds = node.inputs.some((id) => isOwn(roles.get(id)) || members.has(byValue.get(id) ?? node));
    if (isOptimizers || builds) members.add(node);
  }
  if ([...results.values()].some((id) => !members.has(byValue.get(id) ?? missing(id)))) return undefined;
  return canonical(
    program,
    weight,
    results,
    graph.nodes.filter((node) => members.has(node)),
  );
}

function missing(id: string): never {
  throw new Error(`internal: the update %${id} is not computed`);
}

/** The cone as a graph of its own whose names do not depend on the weight. */
function canonical(
  program: Program,
  weight: string,
  results: ReadonlyMap<string, string>,
  members: readonly Node[],
): Cone | undefined {
  const byValue = definitions(program.graph);
  const types = new Map(
    [...program.graph.params, ...program.graph.nodes.flatMap((node) => node.outputs)].map((value) => [
      value.id,
      value.type,
    ]),
  );
  const own = types.get(
    [...program.params].find(([, role]) => role.kind === "weight" && role.name === weight)?.[0] ?? "",
  );
  const inside = new Set(members);
  const renamed = new Map<string, string>();
  const taken = new Set<string>();
  const args: Cone["args"][number][] = [];
  const nodes: Node[] = [];
  const rename = (id: string, wanted: string): string => {
    let name = wanted;
    for (let count = 2; taken.has(name); count++) name = `${wanted}_${count}`;
    taken.add(name);
    renamed.set(id, name);
    return name;
  };
  const add = (node: Node): void => {
    const inputs = node.inputs.map((id) => renamed.get(id) ?? id);
    const outputs = node.outputs.map(({ id, type }) => ({ id: rename(id, id.replace(/_\d+$/, "")), type }));
    nodes.push({ ...node, inputs, outputs });
  };
  const open = (id: string): boolean => {
    const node = byValue.get(id);
    if (renamed.has(id) || (node !== undefined && inside.has(node))) return true;
    if (isNode(node, constant)) add(node);
    else {
      const type = types.get(id);
      if (type === undefined || !fits(type, own, program.params.has(id))) return false;
      const { argument, name } = argumentOf(program, weight, id, type);
      args.push({ argument, id, type: laidOutAs(type, own) });
      rename(id, name);
    }
    return true;
  };
  for (const node of members) {
    if (!node.inputs.every(open)) return undefined;
    add(node);
  }
  args.sort((a, b) => argumentRank(a.argument, results) - argumentRank(b.argument, results));
  const graph: Graph = {
    name: "update",
    params: args.map(({ id, type }) => ({ id: renamed.get(id) ?? id, type })),
    nodes,
    results: [...results].map(([name, id]) => ({ name, id: renamed.get(id) ?? id })),
  };
  return {
    weight,
    key: keyOf(graph),
    graph,
    args,
    types: new Map([...results].map(([name, id]) => [name, laidOutAs(types.get(id) ?? missing(id), own)])),
  };
}

/** Functions are given scalars and arrays of the weight's axes; what is kept outside must have them in the weight's order. */
function fits(type: Type, weight: Type | undefined, isKept: boolean): boolean {
  if (type.axes.length === 0) return true;
  if (weight === undefined || !sameAxes(type.axes, weight.axes)) return false;
  return !isKept || type.axes.every((axis, at) => axis.id === weight.axes[at]?.id);
}

/** The weight, what comes from its gradient, the slots, the rest. */
function argumentRank(argument: UpdateArgument, results: ReadonlyMap<string, string>): number {
  if (argument.kind === "weight") return 0;
  return argument.kind === "slot" ? 2 + [...results.keys()].indexOf(argument.name) : 1;
}

/** The axes of the weight in the weight's order. */
function laidOutAs(type: Type, weight: Type | undefined): Type {
  return type.axes.length === 0 || weight === undefined ? type : { dtype: type.dtype, axes: weight.axes };
}

function argumentOf(
  program: Program,
  weight: string,
  id: string,
  type: Type,
): { readonly argument: UpdateArgument; readonly name: string } {
  const role = program.params.get(id);
  if (role?.kind === "weight" && role.name === weight) return { argument: { kind: "weight" }, name: "weight" };
  if (role?.kind === "slot" && role.weight === weight)
    return { argument: { kind: "slot", name: role.name }, name: role.name };
  const name = type.axes.length > 0 ? "gradient" : (role?.kind ?? id.replace(/_\d+$/, ""));
  return { argument: { kind: "result", name: `update.${id}` }, name };
}

/** Equal for graphs that compute the same, whatever the sizes of their axes: all their values have all axes or none. */
function keyOf(graph: Graph): string {
  const params = graph.params.map((param) => `${param.id}:${param.type.axes.length > 0 ? "full" : "scalar"}`);
  const nodes = graph.nodes.map(
    (node) => `${node.outputs[0]?.id}=${node.op.name}(${node.inputs.join()})${attributeKey(node.attributes)}`,
  );
  return [...params, ...nodes, ...graph.results.map((result) => `${result.name}=${result.id}`)].join(";");
}
