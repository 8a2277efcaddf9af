import { constantSize, multiplySizes, type Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import type { Loop, Value } from "./value.ts";

/** Memory of a program: some bytes, alive over some of its positions; where they lie is decided when sizes are bound. */
export interface Buffer {
  readonly name: string;
  /** The cell that holds its address. */
  readonly cell: number;
  readonly bytes: Size;
  /** Positions of the program, both included. */
  first: number;
  last: number;
  /** Kept between runs: params. */
  readonly kept: boolean;
  /** The loop that it belongs to: alive in one step only. */
  readonly loop: Loop | undefined;
}

/**
 * Where a value lies: at the address in `cell`, further by `stride` elements for each position of the loops of `steps`. Neighbours
 * along an axis are `strides` elements apart.
 */
export interface Place {
  readonly cell: number;
  /** Elements behind that address. */
  readonly offset?: Size;
  readonly steps: readonly { readonly loop: Loop; readonly stride: Size }[];
  readonly strides: ReadonlyMap<string, Size>;
  /** What must stay alive for it. */
  readonly buffers: readonly Buffer[];
}

/**
 * A number in the table at the start of memory, which the host fills when sizes are bound: a size, a buffer's address, or an
 * address that a loop moves.
 */
export type Cell =
  | { readonly kind: "size"; readonly size: Size }
  | { readonly kind: "buffer"; readonly buffer: Buffer }
  | { readonly kind: "pointer" }
  /** Where a thread's part of `size` positions starts, or how many they are. */
  | { readonly kind: "part"; readonly size: Size; readonly edge: PartEdge };

export type PartEdge = "first" | "count";

/** The cells of a program while it is planned. */
export interface Cells {
  size(size: Size): number;
  buffer(
    name: string,
    bytes: Size,
    options: { readonly kept?: boolean; readonly loop?: Loop | undefined; readonly at: number },
  ): Buffer;
  pointer(): number;
  part(size: Size, edge: PartEdge): number;
  readonly all: readonly Cell[];
}

export function createCells(): Cells {
  const all: Cell[] = [];
  const known = new Map<string, number>();
  const add = (cell: Cell): number => all.push(cell) - 1;
  const addOnce = (key: string, cell: Cell): number => {
    const index = known.get(key) ?? add(cell);
    known.set(key, index);
    return index;
  };
  return {
    all,
    size: (size) => addOnce(size.text, { kind: "size", size }),
    part: (size, edge) => addOnce(`${edge} of ${size.text}`, { kind: "part", size, edge }),
    buffer: (name, bytes, { kept = false, loop, at }) => {
      const buffer: Buffer = { name, cell: all.length, bytes, first: at, last: at, kept, loop };
      add({ kind: "buffer", buffer });
      return buffer;
    },
    pointer: () => add({ kind: "pointer" }),
  };
}

/** How a carry's memory passes from step to step. */
export type CarryPlan = {
  readonly carry: Value;
  readonly next: Value;
  readonly start: Value;
  /** Where the value before the step lies; after the loop, the final value. */
  readonly current: Place;
  /** Where its start is put. */
  readonly startPlace: Place;
} & (
  | /** The step writes it over itself. */ { readonly kind: "in place" }
  /** Two buffers change places. */
  | {
      readonly kind: "double";
      readonly nextCell: number;
      readonly otherCell: number;
      readonly target: Place;
      readonly copy: boolean;
    }
  /** It is an entry of what is collected, and is read there by the next step. */
  | { readonly kind: "collected"; readonly entry: Place; readonly copy: boolean }
);

/** Where a value with several axes laid out as one (`merged`) lies, as a place of the several: each has its own stride. */
export function cutPlace(place: Place, merged: string, from: readonly string[], axes: readonly Axis[]): Place {
  const strides = new Map<string, Size>();
  for (const [id, stride] of place.strides) {
    if (id !== merged) {
      strides.set(id, stride);
      continue;
    }
    let inner = stride;
    const parts: (readonly [string, Size])[] = [];
    for (const part of from.toReversed()) {
      parts.unshift([part, inner]);
      inner = multiplySizes(inner, axes.find((axis) => axis.id === part)?.size ?? constantSize(1));
    }
    for (const [part, own] of parts) strides.set(part, own);
  }
  return { ...place, strides };
}
