import type { Value } from "../ir/graph.ts";
import { type Axis, hasAxis, type Type, withoutAxes } from "../ir/type.ts";
import { rename } from "../op/move.ts";
import { iota } from "../op/source.ts";
import type { Emitter } from "./emitter.ts";
import { createEmitter, type Types } from "./emitter.ts";
import type { Names } from "./names.ts";

/** What enters and leaves one loop while its body is made. */
export interface Frame {
  readonly axis: Axis;
  readonly reverse: boolean;
  /** The region that the loop stands in. */
  readonly before: Emitter;
  readonly body: Emitter;
  /** A value from outside, the same at every position. */
  whole(id: string): string;
  /** The entry of a value from outside at the loop's position along `axis`. */
  entry(id: string, axis: string): string;
  /** A value from outside with all positions of `axis`, which is called `lookupAxis` inside: a table that the body looks things up in. */
  lookup(id: string, axis: string): string;
  readonly lookupAxis: string;
  /** The position, int. */
  position(): string;
  /** A value that the body hands on to the next position. `next` is asked for when all of the body is known. */
  carry(name: string, start: string, next: () => string): string;
  /** Asks for what is handed on; call it last. */
  finish(): FrameParts;
}

export interface FrameParts {
  readonly consts: readonly Passed[];
  readonly carries: readonly (Passed & { readonly name: string; readonly next: string })[];
  readonly xs: readonly Passed[];
}

/** A value outside and the body's param for it. */
export interface Passed {
  readonly outside: string;
  readonly param: Value;
}

export function createFrame(axis: Axis, reverse: boolean, before: Emitter, names: Names, types: Types): Frame {
  const body = createEmitter(names, types);
  const consts = new Map<string, Passed>();
  const xs = new Map<string, Passed>();
  const carries: (Passed & { name: string; next: () => string })[] = [];
  const lookupAxis = `${axis.id}.all`;
  const pass = (outside: string, name: string, type: Type): Passed => {
    const param = { id: names.fresh(name), type };
    types.set(param.id, type);
    return { outside, param };
  };
  const once = (map: Map<string, Passed>, id: string, type: Type = before.type(id)): string => {
    const passed = map.get(id) ?? pass(id, insideName(id), type);
    map.set(id, passed);
    return passed.param.id;
  };
  const entry = (id: string, own: string): string => {
    const named = own === axis.id ? id : before.add(rename, [id], { from: [own], to: [axis] }, `${id}.${axis.id}`);
    return once(xs, named, dropAxis(before.type(named), axis.id));
  };
  return {
    axis,
    reverse,
    before,
    body,
    whole: (id) => once(consts, id),
    entry,
    lookupAxis,
    lookup: (id, own) => {
      const all = { id: lookupAxis, size: axis.size };
      return once(consts, before.add(rename, [id], { from: [own], to: [all] }, `${id}.all`));
    },
    position: () => entry(before.add(iota, [], { axis }, axis.id), axis.id),
    carry: (name, start, next) => {
      const passed = pass(start, name, before.type(start));
      carries.push({ ...passed, name, next });
      return passed.param.id;
    },
    finish: () => {
      const given: (Passed & { name: string; next: string })[] = [];
      // Asking for one may begin another.
      for (let at = 0; at < carries.length; at++) {
        const carry = carries[at];
        if (carry !== undefined) given.push({ ...carry, next: carry.next() });
      }
      return { consts: [...consts.values()], carries: given, xs: [...xs.values()] };
    },
  };
}

export function dropAxis(type: Type, axis: string): Type {
  return hasAxis(type, axis) ? { dtype: type.dtype, axes: withoutAxes(type.axes, [axis]) } : type;
}

/** What a value from outside is called in a loop. */
export function insideName(id: string): string {
  return `${id.replace(/\.in(_\d+)?$/, "")}.in`;
}
