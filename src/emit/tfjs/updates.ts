import type { Program, ResultRole } from "../../build/program.ts";
import { orderNodes } from "../../ir/builder.ts";
import type { Graph, Result } from "../../ir/graph.ts";
import type { Type } from "../../ir/type.ts";
import { type Cone, conesOf, type UpdateArgument } from "./update-cone.ts";

/** A training step in which weights that move alike share one function. */
export interface SplitStep {
  /** The step without what the functions compute; what they are given are results of it. */
  readonly main: Program;
  readonly functions: readonly UpdateFunction[];
  readonly updates: readonly Update[];
}

/** The equations of an optimizer for one weight, as a graph: its params are the function's, its results `weight` and the slots. */
export interface UpdateFunction {
  readonly name: string;
  readonly graph: Graph;
}

/** One weight's call. */
export interface Update {
  readonly weight: string;
  readonly function: UpdateFunction;
  readonly args: readonly UpdateArgument[];
  /** Types of the function's results for this weight. */
  readonly types: ReadonlyMap<string, Type>;
}

/** Cuts the optimizer out of a training step. Weights whose update is like no other's stay in the main program. */
export function splitUpdates(program: Program): SplitStep {
  const cones = conesOf(program);
  const alike = new Map<string, Cone[]>();
  for (const cone of cones) alike.set(cone.key, [...(alike.get(cone.key) ?? []), cone]);
  const shared = [...alike.values()].filter((group) => group.length > 1);
  const updates: Update[] = [];
  const functions: UpdateFunction[] = [];
  for (const group of shared) {
    const [first] = group;
    if (first === undefined) continue;
    const name = functions.length === 0 ? "update" : `update${functions.length + 1}`;
    const shape: UpdateFunction = { name, graph: first.graph };
    functions.push(shape);
    for (const cone of group)
      updates.push({
        weight: cone.weight,
        function: shape,
        args: cone.args.map(({ argument }) => argument),
        types: cone.types,
      });
  }
  return { main: withoutUpdates(program, shared.flat()), functions, updates };
}

function withoutUpdates(program: Program, cones: readonly Cone[]): Program {
  const moved = new Set(cones.map((cone) => cone.weight));
  const isMoved = (role: ResultRole | undefined): boolean =>
    (role?.kind === "weight" && moved.has(role.name)) || (role?.kind === "slot" && moved.has(role.weight));
  const results: Result[] = program.graph.results.filter((result) => !isMoved(program.results.get(result.name)));
  const roles = new Map([...program.results].filter(([, role]) => !isMoved(role)));
  for (const cone of cones)
    for (const { argument, id, type } of cone.args) {
      if (argument.kind !== "result" || results.some((result) => result.name === argument.name)) continue;
      results.push({ name: argument.name, id });
      roles.set(
        argument.name,
        type.axes.length === 0
          ? { kind: "value", name: argument.name, axes: [] }
          : { kind: "gradient", weight: cone.weight },
      );
    }
  return {
    ...program,
    graph: { ...program.graph, nodes: orderNodes(program.graph.nodes, results), results },
    results: roles,
  };
}
