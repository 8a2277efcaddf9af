import type { Builder } from "../ir/builder.ts";
import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import type { Axis } from "../ir/type.ts";
import { unionAxes, withoutAxes } from "../ir/type.ts";
import * as make from "../op/make.ts";
import { expand } from "../op/make_move.ts";
import { sumOver } from "../op/make_sum.ts";
import { mul } from "../op/map.ts";
import { reduce } from "../op/reduce.ts";
import { toStart, withoutIdleMask } from "./mask.ts";
import { partAxes } from "./part.ts";
import type { Path } from "./path.ts";
import { findPath, variedInputs } from "./path.ts";
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
  const asked = new Set(sources);
  for (const nodes of path.groups.toReversed()) {
    const parts = nodes.length > 1 ? partAxes(builder, nodes) : new Map<string, readonly Axis[]>();
    pullBackGroup({ builder, path, asked, sums, parts }, nodes);
  }
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

/** Those of `wrt` that a scalar depends on by numbers that vary: not through a choice, an integer or a stopped gradient. */
export function reachedBy(builder: Builder, loss: string, wrt: readonly string[]): ReadonlySet<string> {
  return variedInputs(builder, builder.resolve(loss), wrt);
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
  /** What is differentiated by. */
  readonly asked: ReadonlySet<string>;
  readonly sums: Sums;
  readonly parts: ReadonlyMap<string, readonly Axis[]>;
}

function pullBackGroup(pass: Pass, group: readonly Node[]): void {
  const { builder, sums, parts } = pass;
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
function pullBack(pass: Pass, node: Node, part: boolean): void {
  const { builder, path, sums, parts } = pass;
  const beyond = part ? unionAxes(...node.outputs.map((output) => parts.get(output.id) ?? [])) : [];
  const cotangents = node.outputs.map(({ id, type }) => {
    const cotangent = sums.get(part ? partKey(id) : id);
    return cotangent === undefined || !part ? cotangent : expand(builder, cotangent, [...type.axes, ...beyond]);
  });
  if (cotangents.every((cotangent) => cotangent === undefined)) return;
  const isTotal = !part && node.outputs.some((output) => parts.has(output.id));
  const contributions = contributionsOf(pass, node, cotangents, part);
  for (const [index, input] of node.inputs.entries()) {
    const contribution = contributions[index];
    const id = builder.resolve(input);
    if (contribution === undefined || !path.active.has(id)) continue;
    addContribution(pass, id, contribution, isTotal ? undefined : parts.get(id));
  }
}

function contributionsOf(
  { builder, parts }: Pass,
  node: Node,
  cotangents: readonly (string | undefined)[],
  part: boolean,
): readonly (string | undefined)[] {
  const isPart = part || parts.has(builder.resolve(node.inputs[1] ?? ""));
  const start = isPart ? undefined : toStart(builder, node, cotangents[0]);
  return start ?? node.op.vjp?.({ builder, node, cotangents }) ?? [];
}

/** Sums a contribution over the axes that its value lacks, except those in `kept`. */
function addContribution(pass: Pass, id: string, contribution: string, kept: readonly Axis[] | undefined): void {
  const { builder, asked, sums } = pass;
  const own = ids([...builder.type(id).axes, ...(kept ?? [])]);
  const fitted = sumAway(builder, contribution, withoutAxes(builder.type(contribution).axes, own));
  const plain = asked.has(id) ? fitted : withoutIdleMask(builder, builder.definition(id), fitted);
  sums.add(kept === undefined ? id : partKey(id), plain);
}

/**
 * Sums a contribution. A product that is larger than its factors becomes a contraction and is never made; another one (what
 * reaches a bias) is mostly needed anyway, and its factors would have to leave a loop beside it.
 */
function sumAway(builder: Builder, value: string, axes: readonly Axis[]): string {
  const node = builder.definition(value);
  const size = builder.type(value).axes.length;
  const grows = !isNode(node, mul) || node.inputs.some((factor) => builder.type(factor).axes.length < size);
  return axes.length === 0 || grows
    ? sumOver(builder, value, axes)
    : builder.add(reduce, [value], { kind: "sum", axes: ids(axes) });
}

function ids(axes: readonly Axis[]): readonly string[] {
  return axes.map((axis) => axis.id);
}
