import type { Builder } from "../ir/builder.ts";
import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { constantValue } from "../op/make.ts";
import { orelse } from "../op/map.ts";
import { shift } from "../op/window.ts";

/**
 * The cotangent of a delayed read without a mask that does nothing: `h[t-1] else h0` makes the cotangent of the read zero
 * at t = 0, but the adjoint of the read looks only at the positions t >= 1. Without it a backward scan has no mask inside.
 */
export function withoutIdleMask(builder: Builder, node: Node, cotangent: string): string {
  const masked = builder.definition(cotangent);
  if (!isNode(node, shift) || !isNode(masked, orelse) || masked.attributes.ragged) return cotangent;
  const [value = "", otherwise = ""] = masked.inputs;
  const [range, ...more] = masked.attributes.ranges;
  const { axis, offset } = node.attributes;
  if (range === undefined || more.length > 0 || range.axis !== axis) return cotangent;
  if (constantValue(builder, otherwise) !== 0) return cotangent;
  return range.low <= Math.max(0, -offset) && range.high <= Math.max(0, offset) ? value : cotangent;
}
