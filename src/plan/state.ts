import { constantSize, multiplySizes, type Size } from "../ir/size.ts";
import type { Part } from "./concat-parts.ts";
import { type AxisOrder, denseLayout, type Layout, paddedLayout } from "./layout.ts";
import type { Buffer, Cells, Place } from "./place.ts";
import type { Action } from "./plan.ts";
import type { Pack } from "./product.ts";
import type { ProductSums } from "./product-sum.ts";
import type { Reader } from "./readers.ts";
import type { Loop, Value } from "./value.ts";

/** What planning memory knows and remembers while it walks through the program. */
export interface State {
  readonly needed: ReadonlySet<Value>;
  readonly stored: ReadonlySet<Value>;
  readonly order: AxisOrder;
  readonly sums: ProductSums;
  /** Values that are computed where they lie in a larger one. */
  readonly parts: ReadonlyMap<Value, Part>;
  readonly readers: ReadonlyMap<Value, readonly Reader[]>;
  readonly cells: Cells;
  readonly places: Map<Value, Place>;
  /** Where a value is to lie when its kernel is placed. */
  readonly wishes: Map<Value, Place>;
  /** `put`s that write over the buffer that they change. */
  readonly inPlace: Set<Value>;
  /** Packed matrices, by what they are made of; undefined where none are wanted. */
  readonly packs: Map<string, Pack> | undefined;
  readonly fixed: ReadonlySet<Value>;
  /** What is done once for fixed values; their memory is kept. */
  readonly prepare: Action[];
  /** The loops around the present position, with what they touch of the outside. */
  readonly frames: { readonly loop: Loop; readonly first: number; readonly touched: Set<Buffer> }[];
  /** Counts kernels. */
  position: number;
}

/** How a value lies that has memory of its own. What the caller gives and takes back has no gaps. */
export function ownLayout(state: State, value: Value): Layout {
  const axes = state.order(value.axes);
  return value.definition.kind === "param" ? denseLayout(axes) : paddedLayout(axes);
}

/** The present position, for an action that is done there. */
export function here({ position }: State): { readonly first: number; readonly last: number } {
  return { first: position, last: position };
}

export function inBytes(elements: Size): Size {
  return multiplySizes(elements, constantSize(4));
}

/** Memory of its own for a value. */
export function ownPlace(
  state: State,
  value: Value,
  options: { readonly kept?: boolean; readonly loop?: Loop | undefined } = {},
): Place {
  const { strides, count } = ownLayout(state, value);
  const kept = options.kept === true || state.fixed.has(value);
  const buffer = state.cells.buffer(value.name, inBytes(count), { ...options, kept, at: state.position });
  touch(state, buffer);
  return { cell: buffer.cell, steps: [], strides, buffers: [buffer] };
}

/** Keeps a buffer alive at the present position, and in all of a loop whose steps share it. */
export function touch(state: State, buffer: Buffer): void {
  buffer.first = Math.min(buffer.first, state.position);
  buffer.last = Math.max(buffer.last, state.position);
  for (const frame of state.frames) if (!isOwn(buffer.loop, frame.loop)) frame.touched.add(buffer);
}

/** Whether memory that belongs to a loop lives in a step of another, or of one inside it. */
export function isOwn(owner: Loop | undefined, loop: Loop): boolean {
  for (let at = owner; at !== undefined; at = at.outer) if (at === loop) return true;
  return false;
}

/** Keeps a value alive at the present position. */
export function use(state: State, value: Value): void {
  const place = state.places.get(value);
  if (place === undefined) throw new Error(`internal: %${value.name} has no place when it is read`);
  for (const buffer of place.buffers) touch(state, buffer);
}

/** Whether a kernel, or a loop inside, computes a value, so that its place can be chosen. */
export function isComputed({ definition }: Value): boolean {
  return definition.kind === "node" || definition.kind === "collected";
}

export function inputOf({ definition }: Value): Value | undefined {
  return definition.kind === "node" ? definition.inputs[0] : undefined;
}

export function sameStrides(a: ReadonlyMap<string, Size>, b: ReadonlyMap<string, Size>): boolean {
  return a.size === b.size && [...a].every(([id, stride]) => b.get(id)?.text === stride.text);
}
