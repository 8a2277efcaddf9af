import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import type { SizeBinding } from "../ir/size.ts";
import { contract } from "../op/contract.ts";
import { rename } from "../op/move.ts";
import type { Alignment } from "./align.ts";
import { lagOf } from "./align.ts";
import type { Edge, Group } from "./group.ts";
import { circleThrough, shortestCircle } from "./group.ts";
import type { ProblemRead, ScheduleProblem } from "./problem.ts";
import { circleOf } from "./problem.ts";

/** Why no axis can be looped over. */
export function explain(
  group: Group,
  ways: readonly Alignment[],
  fixed: readonly string[],
  sizes: SizeBinding,
): ScheduleProblem {
  const torn = ways.find((way) => way.wholes.length === 0);
  if (torn !== undefined) return twoDirections(group, torn, fixed);
  const [way] = ways;
  const whole = way?.wholes.find(({ node }) => !takesItsOwn(node)) ?? way?.wholes[0];
  if (way !== undefined && whole !== undefined) return needsAll(group, whole, way.ownAxis(whole.source), fixed);
  return withoutDelay(group, fixed, sizes);
}

function twoDirections(group: Group, way: Alignment, fixed: readonly string[]): ScheduleProblem {
  const [earlier] = way.earlier;
  // A window may reach both ways by itself.
  const later = way.later.find((edge) => edge !== earlier) ?? way.later[0];
  if (earlier === undefined || later === undefined)
    throw new Error("internal: a group with one direction has an order");
  const circle = circleOf(circleThrough(group, earlier));
  const axis = way.ownAxis(earlier.node);
  return { kind: "two-directions", circle, axis, earlier: readOf(earlier), later: readOf(later), fixed };
}

function needsAll(group: Group, whole: Edge, axis: string, fixed: readonly string[]): ScheduleProblem {
  return { kind: "all", circle: circleOf(circleThrough(group, whole)), axis, whole: readOf(whole), fixed };
}

/** Whether an op takes all positions of an axis for reasons of its own: a product with a matrix, another name. */
function takesItsOwn(node: Node): boolean {
  return isNode(node, contract) || isNode(node, rename);
}

/**
 * A circle without a read at another position. If every such circle goes through an op that needs all positions of an axis,
 * that is what stands in the way.
 */
function withoutDelay(group: Group, fixed: readonly string[], sizes: SizeBinding): ScheduleProblem {
  const wholeAxis = (edge: Edge): string | undefined =>
    edge.type.axes.find((axis) => lagOf(edge.node, edge.input, edge.type, axis.id, sizes) === "all")?.id;
  const wholes = new Map(
    group.edges.flatMap((edge) => {
      const axis = takesItsOwn(edge.node) ? undefined : wholeAxis(edge);
      return axis === undefined ? [] : [[edge, axis] as const];
    }),
  );
  const plain = shortestCircle(group, (edge) => !wholes.has(edge));
  const [whole] = wholes;
  if (plain === undefined && whole !== undefined) return needsAll(group, whole[0], whole[1], fixed);
  const nodes: readonly Node[] = plain ?? shortestCircle(group, () => true) ?? group.nodes;
  return { kind: "no-delay", circle: circleOf(nodes), nodes, fixed };
}

function readOf(edge: Edge): ProblemRead {
  return { node: edge.node, origin: edge.node.origin, source: edge.source.origin };
}
