import { circles } from "../ir/circles.ts";
import { definitions, type Graph, isNode, type Node, valueTypes } from "../ir/graph.ts";
import { type Axis, hasAxis } from "../ir/type.ts";
import { select } from "../op/map.ts";
import { shift } from "../op/window.ts";

/** A value that a recurrence hands from position to position. */
export interface Recurrence {
  /** Its name in the source, with the instance's: `cell.h`. */
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
  const found = new Map<string, Recurrence>();
  const inCircle = new Set(circles(graph).flat());
  for (const node of graph.nodes) {
    const { axis } = node.attributes;
    if (!inCircle.has(node) || node.op.form !== "window" || typeof axis !== "string") continue;
    const id = withoutHold(defined, node.inputs[0] ?? "");
    const type = types.get(id);
    const along = type?.axes.find((own) => own.id === axis);
    if (along === undefined || type?.dtype !== "float" || !hasAxis(type, axis)) continue;
    found.set(`${id} ${axis}`, { name: id.replaceAll("'", ""), id, axis: along });
  }
  return [...found.values()];
}

/** Past an example's end a recurrence is held by reading itself: what it is before that is what later equations read too. */
function withoutHold(defined: ReadonlyMap<string, Node>, id: string): string {
  const node = defined.get(id);
  if (!isNode(node, select)) return id;
  const [, value = "", held = ""] = node.inputs;
  const read = defined.get(held);
  return isNode(read, shift) && read.inputs[0] === id ? value : id;
}
