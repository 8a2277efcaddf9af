import { isNode, type Node } from "../ir/graph.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import { contract } from "../op/contract.ts";
import { type ScanAttributes, scan } from "../op/region.ts";
import type { Draft } from "./draft.ts";
import type { Estimate } from "./estimate.ts";
import { entryType } from "./loop.ts";

/** Loops that can run as one, and what is computed between them position by position, in order. */
export type Chain = readonly Late[];

/** A node whose step is so many steps behind that of the first loop. */
export interface Late {
  readonly node: Node;
  readonly lag: number;
  /** Of what is no loop: what it is at one position. */
  readonly entry?: Type;
}

/** What comes of a chain's loops: at which lag, whether a step later than it is made, or in a way that does not go step by step. */
type Origin = { readonly lag: number; readonly later: boolean } | "otherwise";

/** Chains of a region's loops that have `least` weights or more in every step; no loop is in two of them. */
export function chainsOf(nodes: readonly Node[], draft: Draft, estimate: Estimate, least: number): readonly Chain[] {
  const taken = new Set<Node>();
  const chains: Chain[] = [];
  for (const [index, node] of nodes.entries()) {
    if (!isNode(node, scan) || taken.has(node) || weightsOf(node, estimate) < least) continue;
    const rest = nodes.slice(index + 1).filter((other) => !taken.has(other));
    const chain = chainFrom(node, rest, draft, (other) => weightsOf(other, estimate) >= least);
    if (chain.length === 1 || !hasOrder(nodes, [...chains, chain])) continue;
    chains.push(chain);
    for (const member of chain) taken.add(member.node);
  }
  return chains;
}

/** Whether there is an order of computation where each chain is computed as one: of two that need parts of each other, one stays apart. */
function hasOrder(nodes: readonly Node[], chains: readonly Chain[]): boolean {
  const wholes = new Map<Node, Node>();
  for (const chain of chains) for (const { node } of chain) wholes.set(node, chain[0]?.node ?? node);
  const wholeOf = (node: Node): Node => wholes.get(node) ?? node;
  const makers = new Map(nodes.flatMap((node) => node.outputs.map(({ id }) => [id, wholeOf(node)] as const)));
  const readers = new Map<Node, Set<Node>>();
  const waits = new Map<Node, number>();
  for (const node of nodes) {
    const whole = wholeOf(node);
    if (!waits.has(whole)) waits.set(whole, 0);
    for (const input of node.inputs) {
      const maker = makers.get(input);
      const known = maker && (readers.get(maker) ?? new Set());
      if (maker === undefined || known === undefined || maker === whole || known.has(whole)) continue;
      readers.set(maker, known.add(whole));
      waits.set(whole, (waits.get(whole) ?? 0) + 1);
    }
  }
  const ready = [...waits].flatMap(([node, count]) => (count === 0 ? [node] : []));
  for (const node of ready) {
    for (const reader of readers.get(node) ?? []) {
      const left = (waits.get(reader) ?? 0) - 1;
      waits.set(reader, left);
      if (left === 0) ready.push(reader);
    }
  }
  return ready.length === waits.size;
}

function chainFrom(
  first: Node<ScanAttributes>,
  rest: readonly Node[],
  draft: Draft,
  isLarge: (node: Node<ScanAttributes>) => boolean,
): Chain {
  const { axis, reverse } = first.attributes;
  const origins = new Map<string, Origin>();
  const members: Late[] = [];
  const between = new Map<string, Late>();
  const add = (node: Node<ScanAttributes>, lag: number): void => {
    members.push({ node, lag });
    node.outputs.forEach(({ id }, at) => {
      origins.set(id, at < node.attributes.carries ? "otherwise" : { lag, later: true });
    });
  };
  add(first, 0);
  for (const node of rest) {
    const found = node.inputs.map((input) => origins.get(input));
    if (found.every((origin) => origin === undefined)) continue;
    const lag = lagOf(found);
    if (isNode(node, scan)) {
      const { axis: own, reverse: back, consts, carries } = node.attributes;
      const isFree = found.slice(0, consts + carries).every((origin) => origin === undefined);
      if (own.id === axis.id && back === reverse && lag !== undefined && isFree && isLarge(node)) {
        add(node, lag);
        continue;
      }
    } else {
      const entry = lag === undefined ? undefined : entryOf(node, axis, draft);
      if (lag !== undefined && entry !== undefined) {
        for (const { id } of node.outputs) {
          origins.set(id, { lag, later: false });
          between.set(id, { node, lag, entry });
        }
        continue;
      }
    }
    for (const { id } of node.outputs) origins.set(id, "otherwise");
  }
  const needed = new Set<Node>();
  const need = (node: Node): void => {
    if (needed.has(node)) return;
    needed.add(node);
    for (const input of node.inputs) {
      const maker = between.get(input);
      if (maker !== undefined) need(maker.node);
    }
  };
  for (const { node } of members) need(node);
  const late = new Map([...members, ...between.values()].map((one) => [one.node, one]));
  return [first, ...rest].flatMap((node) => (needed.has(node) ? (late.get(node) ?? []) : []));
}

/** How late a value is that is made of others; undefined where one of them does not come step by step. */
function lagOf(origins: readonly (Origin | undefined)[]): number | undefined {
  let lag = 0;
  for (const origin of origins) {
    if (origin === "otherwise") return undefined;
    if (origin !== undefined) lag = Math.max(lag, origin.lag + (origin.later ? 1 : 0));
  }
  return lag;
}

/** What a node is at one position of an axis, if it reads all at its own; undefined where it does not, or names the axis. */
function entryOf({ op, inputs, attributes, outputs }: Node, axis: Axis, draft: Draft): Type | undefined {
  const [output, ...more] = outputs;
  if (op.form === "region" || output === undefined || more.length > 0 || !hasAxis(output.type, axis.id))
    return undefined;
  const types = inputs.map(draft.type);
  const node = { op, inputs, attributes, outputs, origin: undefined };
  const isOwn = types.every((type, at) => !hasAxis(type, axis.id) || op.reads(node, at, axis.id, type).kind === "same");
  if (!isOwn) return undefined;
  const entries = types.map((type) => entryType(type, axis));
  const made = op.infer(entries, attributes);
  const found = typeof made === "string" ? undefined : made[0];
  return found !== undefined && isSame(found, entryType(output.type, axis)) ? found : undefined;
}

function isSame(a: Type, b: Type): boolean {
  return a.dtype === b.dtype && a.axes.length === b.axes.length && a.axes.every(({ id }) => hasAxis(b, id));
}

/** How many numbers of what is the same in all steps a step multiplies by. */
function weightsOf({ attributes: { body, consts } }: Node<ScanAttributes>, estimate: Estimate): number {
  const fixed = new Map(body.params.slice(0, consts).map((param) => [param.id, param.type]));
  return body.nodes.reduce((sum, node) => {
    if (!isNode(node, contract)) return sum;
    const weights = node.inputs.map((input) => fixed.get(input)).filter((type) => type !== undefined);
    return sum + weights.reduce((most, type) => Math.max(most, estimate.elements(type)), 0);
  }, 0);
}
