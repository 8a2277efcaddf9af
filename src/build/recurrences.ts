import { circles } from "../ir/circles.ts";
import { definitions, type Graph, isNode, type Node, valueTypes } from "../ir/graph.ts";
import type { Axis } from "../ir/type.ts";
import { select } from "../op/map.ts";
import { rename } from "../op/move.ts";
import { shift } from "../op/window.ts";

/** A value that a recurrence hands from position to position. */
export interface Recurrence {
  /** The name of its equation in the source, with the instance's: `cell.h`. */
  readonly name: string;
  /** The value at every position, as the graph has it. */
  readonly id: string;
  /** Along which it is handed on. */
  readonly axis: Axis;
}

/** The recurrences of an equation graph, in the order of the graph: what is read at another position in a circle of equations. */
export function recurrences(graph: Graph): readonly Recurrence[] {
  const defined = definitions(graph);
  const types = valueTypes(graph);
  const axisOf = (id: string, axis: string): Axis | undefined => types.get(id)?.axes.find((own) => own.id === axis);
  /** What is read under other names of its axes, or at a position beside, is still the same value. */
  const source = (id: string, axis: string): string => {
    const value = withoutHold(defined, id);
    const node = defined.get(value);
    const [input = ""] = node?.inputs ?? [];
    return (isNode(node, rename) || isNode(node, shift)) && axisOf(input, axis) !== undefined
      ? source(input, axis)
      : value;
  };
  const found = new Map<string, Recurrence>();
  const inCircle = new Set(circles(graph).flat());
  for (const node of graph.nodes) {
    const { axis: along } = node.attributes;
    if (!inCircle.has(node) || node.op.form !== "window" || typeof along !== "string") continue;
    const id = source(node.inputs[0] ?? "", along);
    const axis = axisOf(id, along);
    if (axis === undefined || types.get(id)?.dtype !== "float") continue;
    found.set(`${id} ${along}`, { name: nameOf(id, defined), id, axis });
  }
  return numbered([...found.values()]);
}

/** The equation's name, of a graph value that its graph names otherwise where several values are called so. */
function nameOf(id: string, defined: ReadonlyMap<string, Node>): string {
  return (defined.get(id)?.origin?.name ?? id).replaceAll("'", "");
}

/** Values of one name along one axis are told apart: an instance that is used twice keeps two states. */
function numbered(found: readonly Recurrence[]): readonly Recurrence[] {
  return found.map((one, place) => {
    const before = found
      .slice(0, place)
      .filter(({ name, axis }) => name === one.name && axis.id === one.axis.id).length;
    return before === 0 ? one : { ...one, name: `${one.name}_${before}` };
  });
}

/** Past an example's end a recurrence is held by reading itself: what it is before that is what later equations read too. */
function withoutHold(defined: ReadonlyMap<string, Node>, id: string): string {
  const node = defined.get(id);
  if (!isNode(node, select)) return id;
  const [, value = "", held = ""] = node.inputs;
  const read = defined.get(held);
  return isNode(read, shift) && read.inputs[0] === id ? value : id;
}
