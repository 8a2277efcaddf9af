import type { Builder } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import { equalSizes, type Size, sizeConstant } from "../ir/size.ts";
import { type Axis, hasAxis } from "../ir/type.ts";
import * as move from "./move.ts";
import { iota } from "./source.ts";
import * as windows from "./window.ts";

/*
 * Rearranged values over a builder. A value that lacks the axis in question is constant along it, which these functions use;
 * the result has the axes that the op would give all the same.
 */

/** Repeats along those of `axes` that `x` lacks. */
export function expand(b: Builder, x: string, axes: readonly Axis[]): string {
  const type = b.type(x);
  const missing = axes.filter((axis) => !hasAxis(type, axis.id));
  if (missing.length === 0) return x;
  const node = b.definition(x);
  if (isNode(node, move.expand)) {
    return b.add(move.expand, node.inputs, { axes: [...node.attributes.axes, ...missing] });
  }
  return b.add(move.expand, [x], { axes: missing });
}

/** Renames those of `from` that `x` has. */
export function rename(b: Builder, x: string, from: readonly string[], to: readonly Axis[]): string {
  const node = b.definition(x);
  if (isNode(node, move.rename)) {
    const source = node.inputs[0] ?? "";
    const final = b.type(source).axes.map((axis) => renamed(renamed(axis, node.attributes), { from, to }));
    return renameEach(b, source, final);
  }
  if (isNode(node, iota)) {
    return b.add(iota, [], { axis: renamed(node.attributes.axis, { from, to }) });
  }
  return renameEach(
    b,
    x,
    b.type(x).axes.map((axis) => renamed(axis, { from, to })),
  );
}

/** Gives the axes of `x`, in order, new names. */
function renameEach(b: Builder, x: string, final: readonly Axis[]): string {
  const own = b.type(x).axes;
  const changed = own.flatMap((axis, at) => {
    const next = final[at];
    return next === undefined || next.id === axis.id ? [] : [{ from: axis.id, to: next }];
  });
  if (changed.length === 0) return x;
  return b.add(move.rename, [x], { from: changed.map((pair) => pair.from), to: changed.map((pair) => pair.to) });
}

function renamed(axis: Axis, { from, to }: move.RenameAttributes): Axis {
  return to[from.indexOf(axis.id)] ?? axis;
}

/** x[axis := index[..]] for each position of `index`. */
export function gather(b: Builder, x: string, index: string, axis: string, name?: string): string {
  if (!hasAxis(b.type(x), axis)) return expand(b, x, b.type(index).axes);
  return b.add(move.gather, [x, index], { axis }, name);
}

/** Σ over `sum` of d where index is a, for each a on a new axis. */
export function scatter(b: Builder, d: string, index: string, axis: Axis, sum: readonly string[]): string {
  return b.add(move.scatter, [d, index], { axis, sum });
}

/** x[start : start + |to|] along `axis`, as the axis `to`. */
export function slice(b: Builder, x: string, axis: string, to: Axis, start: Size, name?: string): string {
  const own = b.type(x).axes.find((other) => other.id === axis);
  if (own === undefined) return expand(b, x, [to]);
  if (sizeConstant(start) === 0 && equalSizes(own.size, to.size)) return rename(b, x, [axis], [to]);
  return b.add(move.slice, [x], { axis, to, start }, name);
}

/** `x` at start … start + |axis| - 1 of the axis `to`, zeros elsewhere. `x` must have the axis. */
export function pad(b: Builder, x: string, axis: string, to: Axis, start: Size): string {
  const own = b.type(x).axes.find((other) => other.id === axis);
  if (own !== undefined && sizeConstant(start) === 0 && equalSizes(own.size, to.size)) {
    return rename(b, x, [axis], [to]);
  }
  return b.add(move.pad, [x], { axis, to, start });
}

/** The values one after another along `to`; `axes[i]` is the own axis of value i, "" where it is a single entry. */
export function concat(
  b: Builder,
  values: readonly string[],
  axes: readonly string[],
  to: Axis,
  name?: string,
): string {
  const [only = ""] = values;
  if (values.length === 1 && axes[0]) return rename(b, only, [axes[0]], [to]);
  return b.add(move.concat, values, { axes, to }, name);
}

/** The axes `from`, which `x` may lack some of, as one run of positions cut into `to`. */
export function reshape(b: Builder, x: string, from: readonly Axis[], to: readonly Axis[], name?: string): string {
  const type = b.type(x);
  if (!from.some((axis) => hasAxis(type, axis.id))) return expand(b, x, to);
  const [one, ...more] = from;
  const [other, ...others] = to;
  if (one !== undefined && other !== undefined && more.length === 0 && others.length === 0) {
    return rename(b, x, [one.id], [other]);
  }
  const whole = expand(b, x, from);
  return b.add(move.reshape, [whole], { from: from.map((axis) => axis.id), to }, name);
}

/** `buffer` with its entry `index` along `axis` replaced by `value`. */
export function put(b: Builder, buffer: string, value: string, index: string, axis: string): string {
  return b.add(move.put, [buffer, value, index], { axis });
}

/** x[t + offset]. */
export function shift(b: Builder, x: string, axis: string, offset: number, name?: string): string {
  if (offset === 0 || !hasAxis(b.type(x), axis)) return x;
  return b.add(windows.shift, [x], { axis, offset }, name);
}

/** x[t + offset + stride*k] for each k on the new axis `to`. */
export function window(
  b: Builder,
  x: string,
  axis: string,
  to: Axis,
  offset: number,
  stride: number,
  name?: string,
): string {
  if (!hasAxis(b.type(x), axis)) return expand(b, x, [to]);
  return b.add(windows.window, [x], { axis, to, offset, stride }, name);
}

/** The adjoint of `window`. */
export function unwindow(b: Builder, d: string, axis: Axis, from: Axis, offset: number, stride: number): string {
  return b.add(windows.unwindow, [expand(b, d, [axis, from])], { axis: axis.id, from: from.id, offset, stride });
}

/** x[:t + end] for each t of `axis`, as an axis `to` of x's own; see the op. */
export function prefix(b: Builder, x: string, axis: string, to: Axis, end: number, name?: string): string {
  if (!hasAxis(b.type(x), axis)) return expand(b, x, [to]);
  return b.add(windows.prefix, [x], { axis, to, end }, name);
}

/** The adjoint of `prefix`. */
export function collect(b: Builder, d: string, axis: Axis, from: Axis, end: number): string {
  return b.add(windows.collect, [expand(b, d, [axis, from])], { axis: axis.id, from: from.id, end });
}

/** x[t + start:] for each t of `axis`, as an axis `to` of x's own; see the op. */
export function suffix(b: Builder, x: string, axis: string, to: Axis, start: number, name?: string): string {
  if (!hasAxis(b.type(x), axis)) return expand(b, x, [to]);
  return b.add(windows.suffix, [x], { axis, to, start }, name);
}

/** The adjoint of `suffix`. */
export function collectSuffix(b: Builder, d: string, axis: Axis, from: Axis, start: number): string {
  return b.add(windows.collectSuffix, [expand(b, d, [axis, from])], { axis: axis.id, from: from.id, start });
}

/** The entry at a fixed position of an axis, without that axis. */
export function entry(b: Builder, x: string, axis: string, position: string): string {
  return hasAxis(b.type(x), axis) ? gather(b, x, position, axis) : x;
}
