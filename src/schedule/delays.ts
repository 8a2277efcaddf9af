import type { Node } from "../ir/graph.ts";
import { isNode } from "../ir/graph.ts";
import {
  addSizes,
  constantSize,
  evaluateSize,
  multiplySizes,
  type Size,
  type SizeBinding,
  sizeConstant,
  subtractSizes,
} from "../ir/size.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import { add, mul, sub, toFloat, toInt } from "../op/map.ts";
import { concat, expand, gather, pad, put, rename, scatter, slice } from "../op/move.ts";
import { constant, extent, iota } from "../op/source.ts";
import { collect, collectSuffix, prefix, shift, suffix, unwindow, window } from "../op/window.ts";
import type { Frame } from "./frame.ts";
import { dropAxis } from "./frame.ts";
import type { Names } from "./names.ts";

/** Reads of other positions, as what a loop carries from one position to the next. */
export interface Delays {
  /**
   * The group's value `id`, whose axis the loop runs over is `axis`, `delay` positions ago; before the first position it is
   * `otherwise` (from outside; with the axis: its entry where it is read), or nothing in particular.
   */
  ago(id: string, axis: string, delay: number, otherwise?: string): string;
  /** The value of a node that reads along the axis the loop runs over; undefined where the node does not. */
  read(node: Node, axis: string): string | undefined;
}

/**
 * What stands where nothing has been computed yet. Nobody relies on it, but derivatives pass through it on their way to a mask,
 * and 0 times infinity is no number: so it lies inside the domain of log(x), log(1-x), 1/x, √x, √(1-x²) and their derivatives.
 */
const FILLER = 0.5;

/** What a loop carries, before and after this position's value is in it. */
interface Buffer {
  readonly before: string;
  readonly after: () => string;
}

/** A read this far back goes through one buffer instead of a chain of carries. */
const LONGEST_CHAIN = 4;

/** `inside` gives the body's value for a value of the group. */
export function createDelays(
  frame: Frame,
  names: Names,
  sizes: SizeBinding,
  inside: (id: string) => string,
  nameOf: (id: string) => string,
): Delays {
  const { body, before } = frame;
  const chains = new Map<string, string>();
  const buffers = new Map<string, Buffer>();
  const rings = new Map<string, Buffer & { readonly short: Axis; readonly long: Axis }>();
  /** Offsets are negative where a loop that runs forward reads what has been. */
  const towards = frame.reverse ? 1 : -1;

  const filled = (type: Type, value: number, name: string): string => {
    const number = before.add(constant, [], { value, dtype: type.dtype }, name);
    return type.axes.length === 0 ? number : before.add(expand, [number], { axes: type.axes }, name);
  };
  const zeros = (type: Type): string => filled(type, 0, "zeros");
  const anything = (type: Type): string => filled(type, type.dtype === "float" ? FILLER : 0, "any");
  const typeInside = (id: string, axis: string): Type => dropAxis(before.type(id), axis);
  const int = (value: number): string => before.add(constant, [], { value, dtype: "int" }, "c");
  /** first + step*k along an axis, outside of the loop. */
  const ramp = (axis: Axis, first: number, step: number): string => {
    const positions = before.add(iota, [], { axis }, axis.id);
    const scaled = step === 1 ? positions : before.add(mul, [positions, int(step)], {}, "index");
    return first === 0 ? scaled : before.add(add, [scaled, int(first)], {}, "index");
  };
  /** The position that the loop comes to after `steps` positions. */
  const reached = (axis: Axis, steps: string): string => {
    if (!frame.reverse) return steps;
    const size = sizeConstant(axis.size);
    const count =
      size === undefined
        ? before.add(toInt, [before.add(extent, [], { size: axis.size }, "size")], {}, "size")
        : int(size);
    return before.add(sub, [before.add(sub, [count, int(1)], {}, "last"), steps], {}, "index");
  };
  /** `otherwise` where it is read `steps` positions after the start, in the type of what it stands for. */
  const start = (otherwise: string | undefined, axis: string, steps: string, type: Type): string => {
    if (otherwise === undefined) return anything(type);
    const own = before.type(otherwise).axes.find((other) => other.id === axis);
    let value = otherwise;
    if (own !== undefined) value = before.add(gather, [value, reached(own, steps)], { axis }, `${otherwise}.start`);
    if (type.dtype === "float" && before.type(value).dtype === "int") value = before.add(toFloat, [value], {}, "start");
    const missing = type.axes.filter((other) => !hasAxis(before.type(value), other.id));
    return missing.length === 0 ? value : before.add(expand, [value], { axes: missing }, `${otherwise}.start`);
  };

  const chain = (id: string, axis: string, delay: number, otherwise: string | undefined): string => {
    const varies = otherwise !== undefined && hasAxis(before.type(otherwise), axis);
    const type = typeInside(id, axis);
    let last: string | undefined;
    for (let far = 1; far <= delay; far++) {
      const steps = delay - far;
      const any = `${id} ${far}`;
      const key = `${any} ${otherwise ?? ""}${varies ? `@${steps}` : ""}`;
      const previous = last;
      const name = far === 1 ? `${id}.before` : `${id}.before${far}`;
      last =
        chains.get(otherwise === undefined ? any : key) ??
        frame.carry(name, start(otherwise, axis, int(steps), type), () => previous ?? inside(id));
      chains.set(key, last);
      if (!chains.has(any)) chains.set(any, last);
    }
    return last ?? inside(id);
  };

  /** The last `length` entries, the latest first, before and after this position's is there. */
  const past = (id: string, axis: string, length: Size, otherwise: string | undefined, delay: number) => {
    const key = `past ${id} ${length.text} ${otherwise ?? ""}`;
    const known = rings.get(key);
    if (known !== undefined) return known;
    const short: Axis = { id: names.fresh(`${id}.lag`), size: length };
    const long: Axis = { id: names.fresh(`${id}.lag`), size: addSizes(length, constantSize(1)) };
    const inner = typeInside(id, axis);
    const type: Type = { dtype: inner.dtype, axes: [short, ...inner.axes] };
    // Entry j is read `delay` positions after it was made, so j entries back is read at delay - 1 - j.
    const begin =
      otherwise !== undefined && hasAxis(before.type(otherwise), axis)
        ? start(otherwise, axis, ramp(short, delay - 1, -1), type)
        : start(otherwise, axis, "", type);
    const after = (): string =>
      body.add(concat, [inside(id), buffer], { axes: ["", short.id], to: long }, `${id}.recent`);
    const buffer = frame.carry(`${id}.past`, begin, () =>
      body.add(slice, [after()], { axis: long.id, to: short, start: constantSize(0) }, `${id}.past`),
    );
    const made = { before: buffer, after, short, long };
    rings.set(key, made);
    return made;
  };

  const ago = (id: string, axis: string, delay: number, otherwise?: string): string => {
    if (delay <= LONGEST_CHAIN) return chain(id, axis, delay, otherwise);
    const ring = past(id, axis, constantSize(delay), otherwise, delay);
    const back = frame.whole(int(delay - 1));
    return body.add(gather, [ring.before, back], { axis: ring.short.id }, `${id}.before${delay}`);
  };

  const readWindow = (node: Node, id: string, axis: string, to: Axis, offset: number, stride: number): string => {
    const span = spanOf(offset * towards, stride * towards, to.size, sizes);
    const output = nameOf(node.outputs[0]?.id ?? "");
    const ring = past(id, axis, span.longest, undefined, 0);
    const source = span.now ? ring.after() : ring.before;
    const first = span.now ? span.first : span.first - 1;
    const from = span.now ? ring.long : ring.short;
    if (span.step !== 1) {
      return body.define(output, gather, [source, frame.whole(ramp(to, first, span.step))], { axis: from.id });
    }
    if (first === 0 && from.size.text === to.size.text) {
      return body.define(output, rename, [source], { from: [from.id], to: [to] });
    }
    return body.define(output, slice, [source], { axis: from.id, to, start: constantSize(first) });
  };

  /** What is due: the buffer's entry j is to be released j positions from here. */
  const readUnwindow = (node: Node, id: string, axis: string, from: string, offset: number, stride: number): string => {
    const own = before.type(id).axes.find((other) => other.id === from);
    if (own === undefined) throw new Error(`internal: %${id} has no axis ${from}`);
    const span = spanOf(-offset * towards, -stride * towards, own.size, sizes);
    const output = nameOf(node.outputs[0]?.id ?? "");
    const short: Axis = { id: names.fresh(`${output}.lag`), size: span.longest };
    const long: Axis = { id: names.fresh(`${output}.lag`), size: addSizes(span.longest, constantSize(1)) };
    const inner = dropAxis(typeInside(id, axis), from);
    const name = `${output}.due`;
    const all = (): string => {
      const placed =
        span.step === 1 && span.first === 0 && own.size.text === long.size.text
          ? body.add(rename, [inside(id)], { from: [from], to: [long] }, name)
          : span.step === 1
            ? body.add(pad, [inside(id)], { axis: from, to: long, start: constantSize(span.first) }, name)
            : body.add(
                scatter,
                [inside(id), frame.whole(ramp(own, span.first, span.step))],
                { axis: long, sum: [from] },
                name,
              );
      const waiting = body.add(pad, [due], { axis: short.id, to: long, start: constantSize(0) }, name);
      return body.add(add, [waiting, placed], {}, name);
    };
    const due: string = frame.carry(name, zeros({ dtype: inner.dtype, axes: [short, ...inner.axes] }), () =>
      body.add(slice, [all()], { axis: long.id, to: short, start: constantSize(1) }, name),
    );
    const zero = frame.whole(int(0));
    return span.now
      ? body.define(output, gather, [all(), zero], { axis: long.id })
      : body.define(output, gather, [due, zero], { axis: short.id });
  };

  /** A buffer of the whole axis, written at this position; `now` says whether the read sees that write. */
  const readPart = (node: Node, id: string, to: string, now: boolean): string => {
    const key = `part ${id} ${to}`;
    const type = node.outputs[0]?.type;
    if (type === undefined) throw new Error(`internal: a part of %${id} without a value`);
    let made = buffers.get(key);
    if (made === undefined) {
      const after = (): string => body.add(put, [buffer, inside(id), frame.position()], { axis: to }, `${id}.past`);
      const buffer: string = frame.carry(`${id}.past`, anything(type), after);
      made = { before: buffer, after };
      buffers.set(key, made);
    }
    return now ? made.after() : made.before;
  };

  /** The sum so far of what each position gives to all positions; the entry for this one. */
  const readSum = (node: Node, id: string, axis: string, from: string, now: boolean): string => {
    const key = `sum ${id}`;
    const output = nameOf(node.outputs[0]?.id ?? "");
    let made = buffers.get(key);
    if (made === undefined) {
      const after = (): string => body.add(add, [buffer, inside(id)], {}, `${id}.sum`);
      const buffer: string = frame.carry(`${id}.sum`, zeros(typeInside(id, axis)), after);
      made = { before: buffer, after };
      buffers.set(key, made);
    }
    return body.define(output, gather, [now ? made.after() : made.before, frame.position()], { axis: from });
  };

  const read = (node: Node, axis: string): string | undefined => {
    const [id = ""] = node.inputs;
    if (node.attributes["axis"] !== axis) return undefined;
    if (isNode(node, shift)) return ago(id, axis, node.attributes.offset * towards);
    if (isNode(node, window)) {
      const { to, offset, stride } = node.attributes;
      return readWindow(node, id, axis, to, offset, stride);
    }
    if (isNode(node, unwindow)) {
      const { from, offset, stride } = node.attributes;
      return readUnwindow(node, id, axis, from, offset, stride);
    }
    if (isNode(node, prefix)) return readPart(node, id, node.attributes.to.id, node.attributes.end >= 1);
    if (isNode(node, suffix)) return readPart(node, id, node.attributes.to.id, node.attributes.start <= 0);
    if (isNode(node, collect)) return readSum(node, id, axis, node.attributes.from, node.attributes.end >= 1);
    if (isNode(node, collectSuffix)) return readSum(node, id, axis, node.attributes.from, node.attributes.start <= 0);
    return undefined;
  };
  return { ago, read };
}

interface Span {
  readonly first: number;
  readonly step: number;
  /** Whether a delay of 0 is among them, or may be. */
  readonly now: boolean;
  readonly longest: Size;
}

/** The delays first + step*k for k below `count`. */
function spanOf(first: number, step: number, count: Size, sizes: SizeBinding): Span {
  const last = addSizes(constantSize(first), multiplySizes(constantSize(step), subtractSizes(count, constantSize(1))));
  const shortest = step >= 0 ? first : (evaluateSize(last, sizes) ?? 0);
  return { first, step, now: shortest <= 0, longest: step >= 0 ? last : constantSize(first) };
}
