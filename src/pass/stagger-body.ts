import type { Attributes, Node, Value } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import type { Size } from "../ir/size.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import { select } from "../op/map.ts";
import { expand, pad, slice } from "../op/move.ts";
import { constant } from "../op/source.ts";
import type { Draft } from "./draft.ts";
import { type Carry, entryType, type Loop, type Passed, stackedType, type Yielded } from "./loop.ts";

/** The axis that loops have had, the one that their common loop has, and where on it a loop of some lag begins. */
export interface Common {
  readonly axis: Axis;
  readonly late: Axis;
  readonly offset: (lag: number) => Size;
}

/** The body of loops that run as one, each some steps behind the first, while it is put together. */
export interface Staggered {
  /** Brings in a loop; values of it that are `read` elsewhere are there what they were. */
  loop(loop: Loop, lag: number, read: ReadonlySet<string>): void;
  /** Brings in what is computed position by position, and is `entry` at one. */
  node(node: Node, entry: Type, lag: number, read: ReadonlySet<string>): void;
  finish(): Pick<Loop, "consts" | "carries" | "xs" | "ys" | "nodes">;
}

/** A value of the surrounding region as a step has it. */
interface Produced extends Value {
  readonly lag: number;
  /** A state that holds it in the next step; undefined: none does so far. */
  readonly state: string | undefined;
}

export function createStaggered({ axis, late, offset }: Common, draft: Draft): Staggered {
  const consts = new Map<string, Passed>();
  const xs = new Map<string, Passed>();
  const carries: Carry[] = [];
  const ys: Yielded[] = [];
  const nodes: Node[] = [];
  const produced = new Map<string, Produced>();
  const states = new Map<string, string>();
  const masks = new Map<number, string>();
  const { fresh } = draft;

  const passed = (list: Map<string, Passed>, key: string, outside: string): string => {
    const known = list.get(key);
    if (known !== undefined) return known.param.id;
    const param = { id: fresh.value(`${outside}.in`), type: entryType(draft.type(outside), late) };
    list.set(key, { outside, param });
    return param.id;
  };
  /** At each position what it is `offset` positions before, and zero outside. */
  const padded = (outside: string, lag: number): string =>
    draft.add(pad, [outside], { axis: axis.id, to: late, start: offset(lag) });
  const given = (outside: string, lag: number): string => {
    if (!hasAxis(draft.type(outside), axis.id)) return passed(consts, outside, outside);
    const key = `${outside} ${lag}`;
    const known = xs.get(key);
    return known === undefined ? passed(xs, key, padded(outside, lag)) : known.param.id;
  };
  /** Whether a loop of some lag has a position in this step. */
  const isInside = (lag: number): string => {
    const known = masks.get(lag);
    if (known !== undefined) return known;
    const everywhere = draft.add(expand, [draft.add(constant, [], { value: 1, dtype: "bool" })], { axes: [axis] });
    const made = passed(xs, `inside ${lag}`, padded(everywhere, lag));
    masks.set(lag, made);
    return made;
  };
  const zeros = ({ dtype, axes }: Type): string => {
    const zero = draft.add(constant, [], { value: 0, dtype });
    return axes.length === 0 ? zero : draft.add(expand, [zero], { axes });
  };
  /** A state that holds a value of the step before. */
  const held = ({ id, type }: Value): string => {
    const known = states.get(id);
    if (known !== undefined) return known;
    const param = { id: fresh.value(`${id}.before`), type };
    carries.push({ start: zeros(type), param, next: id, last: { id: fresh.value(`${id}.last`), type } });
    states.set(id, param.id);
    return param.id;
  };
  const read = (outside: string, lag: number): string => {
    const own = produced.get(outside);
    if (own === undefined) return given(outside, lag);
    let { id } = own;
    for (let step = own.lag; step < lag; step++)
      id = (step === own.lag ? own.state : undefined) ?? held({ id, type: own.type });
    return id;
  };
  const give = (outside: string, value: Produced): void => {
    const whole = { id: fresh.value(`${outside}.late`), type: stackedType(value.type, late) };
    ys.push({ inside: value.id, output: whole });
    draft.param(whole);
    draft.alias(outside, draft.add(slice, [whole.id], { axis: late.id, to: axis, start: offset(value.lag) }, outside));
  };
  const add = <A extends Attributes>(op: Op<A>, inputs: readonly string[], attributes: A, output: Value): string => {
    nodes.push({ op, attributes, inputs, outputs: [output], origin: undefined });
    return output.id;
  };

  return {
    loop: (loop, lag, elsewhere) => {
      const names = new Map([
        ...loop.consts.map(({ outside, param }) => [param.id, given(outside, lag)] as const),
        ...loop.xs.map(({ outside, param }) => [param.id, read(outside, lag)] as const),
      ]);
      const named = (id: string): string => names.get(id) ?? id;
      nodes.push(...loop.nodes.map((node) => ({ ...node, inputs: node.inputs.map(named) })));
      for (const { start, param, next, last } of loop.carries) {
        // Before its first position a loop keeps its start, behind its last one what it has come to.
        const isKept = lag > 0 || elsewhere.has(last.id);
        const output = { id: fresh.value(`${param.id}.next`), type: param.type };
        const kept = isKept ? add(select, [isInside(lag), named(next), param.id], {}, output) : named(next);
        carries.push({ start, param, next: kept, last });
      }
      for (const { inside, output } of loop.ys) {
        const state = loop.carries.find(({ next }) => next === inside)?.param.id;
        const value = { id: named(inside), type: entryType(output.type, axis), lag, state };
        produced.set(output.id, value);
        if (elsewhere.has(output.id)) give(output.id, value);
      }
    },
    node: (node, entry, lag, elsewhere) => {
      const inputs = node.inputs.map((input) => read(input, lag));
      for (const { id } of node.outputs) {
        const value = { id: fresh.value(id), type: entry, lag, state: undefined };
        nodes.push({ ...node, inputs, outputs: [{ id: value.id, type: entry }] });
        produced.set(id, value);
        if (elsewhere.has(id)) give(id, value);
      }
    },
    finish: () => ({ consts: [...consts.values()], carries, xs: [...xs.values()], ys, nodes }),
  };
}
