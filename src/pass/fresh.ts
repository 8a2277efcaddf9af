import type { Attribute, Graph } from "../ir/graph.ts";
import type { Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { createNames, type Names } from "../schedule/names.ts";

/** Names that nothing in a program has, bodies of loops included. */
export interface Fresh {
  value(wanted: string): string;
  axis(wanted: string, size: Size): Axis;
}

/** Looks through the program when the first name is asked for. */
export function createFresh(graph: Graph): Fresh {
  let names: Names | undefined;
  let axes: Set<string> | undefined;
  return {
    value: (wanted) => {
      names ??= createNames(graph);
      return names.fresh(wanted);
    },
    axis: (wanted, size) => {
      axes ??= axisIds(graph);
      let id = wanted;
      for (let count = 1; axes.has(id); count++) id = `${wanted}_${count}`;
      axes.add(id);
      return { id, size };
    },
  };
}

function axisIds(graph: Graph, found: Set<string> = new Set()): Set<string> {
  for (const param of graph.params) for (const axis of param.type.axes) found.add(axis.id);
  for (const node of graph.nodes) {
    for (const output of node.outputs) for (const axis of output.type.axes) found.add(axis.id);
    for (const attribute of Object.values(node.attributes)) if (isGraph(attribute)) axisIds(attribute, found);
  }
  return found;
}

function isGraph(attribute: Attribute): attribute is Graph {
  return typeof attribute === "object" && "nodes" in attribute;
}
