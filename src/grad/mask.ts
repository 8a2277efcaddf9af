import type { Builder } from "../ir/builder.ts";
import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import { hasAxis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import { entry } from "../op/make_move.ts";
import { orelse } from "../op/map.ts";
import { shift } from "../op/window.ts";

/**
 * What flows back to a delayed read, without a mask that does nothing: `h[t-1] else h0` makes the cotangent of the read zero
 * at t = 0, but the adjoint of the read looks only at the positions t >= 1. Without it a backward scan has no mask inside.
 */
export function withoutIdleMask(builder: Builder, node: Node | undefined, cotangent: string): string {
  const masked = builder.definition(cotangent);
  if (!isNode(node, shift) || !isNode(masked, orelse) || masked.attributes.ragged) return cotangent;
  const [value = "", otherwise = ""] = masked.inputs;
  const [range, ...more] = masked.attributes.ranges;
  const { axis, offset } = node.attributes;
  if (range === undefined || more.length > 0 || range.axis !== axis) return cotangent;
  if (make.constantValue(builder, otherwise) !== 0) return cotangent;
  return range.low <= Math.max(0, -offset) && range.high <= Math.max(0, offset) ? value : cotangent;
}

/**
 * The contributions of `h[t-1] else h0` (or `h[t+1]`) where h0 does not depend on t: h0 is read at one position only, so its
 * cotangent is the entry there instead of a sum over all positions of what is zero elsewhere. Undefined for other nodes.
 */
export function toStart(
  builder: Builder,
  node: Node,
  cotangent: string | undefined,
): readonly (string | undefined)[] | undefined {
  if (!isNode(node, orelse) || cotangent === undefined || node.attributes.ragged) return undefined;
  const [x = "", otherwise = ""] = node.inputs;
  const [range, ...more] = node.attributes.ranges;
  if (range === undefined || more.length > 0 || range.low + range.high !== 1) return undefined;
  const axis = builder.type(x).axes.find((own) => own.id === range.axis);
  if (axis === undefined || hasAxis(builder.type(otherwise), axis.id)) return undefined;
  const [toValue] = orelse.vjp?.({ builder, node, cotangents: [cotangent] }) ?? [];
  const last = make.sub(builder, make.sizeInt(builder, axis.size), make.int(builder, 1));
  const start = entry(builder, cotangent, axis.id, range.low === 1 ? make.int(builder, 0) : last);
  return [toValue, start, undefined];
}
