import type { Builder } from "../ir/builder.ts";
import type { Node } from "../ir/graph.ts";
import type { Axis } from "../ir/type.ts";
import { unionAxes, withoutAxes } from "../ir/type.ts";
import * as make from "../op/make.ts";
import { expand } from "../op/make_move.ts";
import { sumOver } from "../op/make_sum.ts";
import { toStart, withoutIdleMask } from "./mask.ts";
import { partAxes } from "./part.ts";
import type { Path } from "./path.ts";
import { findPath } from "./path.ts";
import type { Sums } from "./sums.ts";
import { createSums } from "./sums.ts";

/**
 * Adds the gradient of a float scalar by each of `wrt` (params or any other values) to the builder's graph, cycles included,
 * and returns their ids, each with the axes of what it belongs to. A `loss` with axes counts as its sum over them: of a
 * number for each example, whose examples do not mix, that is each example's own gradient.
 *
 * Reverse accumulation on the equation graph, before scheduling (Griewank & Walther 2008, ch. 3): the adjoint of a
 * read at t-1 is a read at t+1, so the cotangents of a recurrence form a recurrence of their own, closed through
 * reserved values. A value that the scalar does not depend on has gradient 0. Differentiable again.
 * Throws where an op on the way has no derivative: `withoutDerivative` finds it first.
 */
export function gradients(builder: Builder, loss: string, wrt: readonly string[]): readonly string[] {
  if (builder.type(loss).dtype !== "float") throw new Error(`internal: %${loss} is differentiated but is no float`);
  const start = builder.resolve(loss);
  const sources = wrt.map(builder.resolve);
  const path = findPath(builder, start, sources);
  const [obstacle] = path.obstacles;
  if (obstacle !== undefined) throw new Error(`internal: ${obstacle.op.name} has no derivative`);
  const sums = createSums(builder);
  sums.add(start, make.num(builder, 1));
  for (const group of path.groups.toReversed()) pullBackGroup(builder, path, sums, group);
  return sources.map((id) => {
    const { axes } = builder.type(id);
    const parts = [sums.get(id), sums.get(partKey(id))].flatMap((sum) => sum ?? []);
    const whole = parts.map((part) => sumOver(builder, part, withoutAxes(builder.type(part).axes, ids(axes))));
    return expand(
      builder,
      whole.reduce((sum, part) => make.add(builder, sum, part), make.num(builder, 0)),
      axes,
    );
  });
}

/** The ops between a scalar and `wrt` that no derivative is known for: where they are, `gradients` throws. */
export function withoutDerivative(builder: Builder, loss: string, wrt: readonly string[]): readonly Node[] {
  return findPath(builder, builder.resolve(loss), wrt.map(builder.resolve)).obstacles;
}

/** Where the part of a value's cotangent is summed that still tells the positions of a growing part apart; see `partAxes`. */
function partKey(id: string): string {
  return `${id}.part`;
}

interface Pass {
  readonly builder: Builder;
  readonly path: Path;
  readonly sums: Sums;
  readonly parts: ReadonlyMap<string, readonly Axis[]>;
}

function pullBackGroup(builder: Builder, path: Path, sums: Sums, group: readonly Node[]): void {
  const parts = group.length > 1 ? partAxes(builder, group) : new Map<string, readonly Axis[]>();
  const pass: Pass = { builder, path, sums, parts };
  const nodes = group.toReversed();
  for (const id of usedLater(pass, nodes)) {
    const type = builder.type(id);
    const part = parts.get(id);
    if (part === undefined) sums.reserve(id, type);
    else sums.reserve(partKey(id), { ...type, axes: unionAxes(type.axes, part) });
  }
  for (const node of nodes) {
    const run = (): void => {
      pullBack(pass, node, false);
      if (node.outputs.some((output) => parts.has(output.id))) pullBack(pass, node, true);
    };
    if (node.origin === undefined) run();
    else builder.within(node.origin, run);
  }
  sums.close();
}

/** The values of a cycle with a use that comes later than their definition, in the order in which cotangents are made. */
function usedLater({ builder, path }: Pass, nodes: readonly Node[]): readonly string[] {
  const passed = new Set<string>();
  const later = new Set<string>();
  for (const node of nodes) {
    for (const output of node.outputs) passed.add(output.id);
    for (const input of node.inputs) {
      const id = builder.resolve(input);
      if (passed.has(id) && path.active.has(id)) later.add(id);
    }
  }
  return [...later];
}

/** Adds the contributions of one node. `part`: those of the cotangents that tell the positions of a growing part apart. */
function pullBack({ builder, path, sums, parts }: Pass, node: Node, part: boolean): void {
  const beyond = part ? unionAxes(...node.outputs.map((output) => parts.get(output.id) ?? [])) : [];
  const cotangents = node.outputs.map(({ id, type }) => {
    const cotangent = sums.get(part ? partKey(id) : id);
    if (cotangent === undefined) return undefined;
    const plain = withoutIdleMask(builder, node, cotangent);
    return part ? expand(builder, plain, [...type.axes, ...beyond]) : plain;
  });
  if (cotangents.every((cotangent) => cotangent === undefined)) return;
  const start =
    part || parts.has(builder.resolve(node.inputs[1] ?? "")) ? undefined : toStart(builder, node, cotangents[0]);
  const contributions = start ?? node.op.vjp?.({ builder, node, cotangents }) ?? [];
  const isTotal = !part && node.outputs.some((output) => parts.has(output.id));
  for (const [index, input] of node.inputs.entries()) {
    const contribution = contributions[index];
    const id = builder.resolve(input);
    if (contribution === undefined || !path.active.has(id)) continue;
    const kept = isTotal ? undefined : parts.get(id);
    const own = ids([...builder.type(id).axes, ...(kept ?? [])]);
    const fitted = sumOver(builder, contribution, withoutAxes(builder.type(contribution).axes, own));
    sums.add(kept === undefined ? id : partKey(id), fitted);
  }
}

function ids(axes: readonly Axis[]): readonly string[] {
  return axes.map((axis) => axis.id);
}
