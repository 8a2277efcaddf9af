import type { Node } from "../ir/graph.ts";
import type { SizeBinding } from "../ir/size.ts";
import { addSizes, constantSize, evaluateSize, multiplySizes, type Size, subtractSizes } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";
import { add } from "../op/map.ts";
import { gather, pad, rename, scatter, slice } from "../op/move.ts";
import type { UnwindowAttributes, WindowAttributes } from "../op/window.ts";
import type { Emitter } from "./emitter.ts";
import { int, ramp, zeros } from "./fill.ts";
import type { Frame } from "./frame.ts";
import { dropAxis } from "./frame.ts";
import type { Names } from "./names.ts";
import type { Inside, Past } from "./past.ts";

export interface WindowContext extends Inside {
  readonly frame: Frame;
  readonly names: Names;
  readonly sizes: SizeBinding;
  readonly past: Past;
}

/** A window over what has been: entries of a ring. */
export function readWindow(context: WindowContext, node: Node<WindowAttributes>): string {
  const { frame, past } = context;
  const { axis, to, offset, stride } = node.attributes;
  const towards = frame.reverse ? 1 : -1;
  const span = spanOf(offset * towards, stride * towards, to.size, context.sizes);
  const start = { otherwise: undefined, axis, reverse: frame.reverse };
  const ring = past.ring(node.inputs[0] ?? "", start, span.longest, 0);
  const source = span.now ? ring.after() : ring.before;
  const from = span.now ? ring.long : ring.short;
  const first = span.now ? span.first : span.first - 1;
  const output = context.nameOf(node.outputs[0]?.id ?? "");
  if (span.step !== 1) {
    const index = frame.whole(ramp(frame.before, to, first, span.step));
    return frame.body.define(output, gather, [source, index], { axis: from.id });
  }
  if (first === 0 && from.size.text === to.size.text) {
    return frame.body.define(output, rename, [source], { from: [from.id], to: [to] });
  }
  return frame.body.define(output, slice, [source], { axis: from.id, to, start: constantSize(first) });
}

/**
 * The adjoint of a window: every position gives something to several later ones. What is due is carried along; its entry j is
 * for the position j from here.
 */
export function readUnwindow(context: WindowContext, node: Node<UnwindowAttributes>): string {
  const { frame, names, inside } = context;
  const { body, before: region } = frame;
  const { from, offset, stride } = node.attributes;
  const [id = ""] = node.inputs;
  const type = context.typeInside(id);
  const own = type.axes.find((other) => other.id === from);
  if (own === undefined) throw new Error(`internal: %${id} has no axis ${from}`);
  const towards = frame.reverse ? 1 : -1;
  const span = spanOf(-offset * towards, -stride * towards, own.size, context.sizes);
  const output = context.nameOf(node.outputs[0]?.id ?? "");
  const name = `${output}.due`;
  const short: Axis = { id: names.fresh(`${output}.lag`), size: span.longest };
  const long: Axis = { id: names.fresh(`${output}.lag`), size: addSizes(span.longest, constantSize(1)) };
  const rest: Type = dropAxis(type, from);
  const all = (): string => {
    const waiting = body.add(pad, [due], { axis: short.id, to: long, start: constantSize(0) }, name);
    return body.add(add, [waiting, place(frame, inside(id), own, long, span, name)], {}, name);
  };
  const due: string = frame.carry(name, zeros(region, { dtype: rest.dtype, axes: [short, ...rest.axes] }), () =>
    body.add(slice, [all()], { axis: long.id, to: short, start: constantSize(1) }, name),
  );
  const zero = frame.whole(int(region, 0));
  return span.now
    ? body.define(output, gather, [all(), zero], { axis: long.id })
    : body.define(output, gather, [due, zero], { axis: short.id });
}

/** Puts entry k of `own` at the delay that it has, along `long`. */
function place(frame: Frame, value: string, own: Axis, long: Axis, span: Span, name: string): string {
  const body: Emitter = frame.body;
  if (span.step !== 1) {
    const index = frame.whole(ramp(frame.before, own, span.first, span.step));
    return body.add(scatter, [value, index], { axis: long, sum: [own.id] }, name);
  }
  return span.first === 0 && own.size.text === long.size.text
    ? body.add(rename, [value], { from: [own.id], to: [long] }, name)
    : body.add(pad, [value], { axis: own.id, to: long, start: constantSize(span.first) }, name);
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
