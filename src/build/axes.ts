import type { Builder } from "../ir/builder.ts";
import type { Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";

/** What is known of an axis beyond its size: which positions count. */
export interface AxisLength {
  /** int: positions at and past it are padding. Without it all positions count. */
  readonly length: string | undefined;
  /** int: positions before it do not count. */
  readonly start: string | undefined;
}

/**
 * Gives axes their ids. An id is the text of the size; the same size a second time in one value gets `~1`, and an axis
 * of the same size but other lengths gets an id of its own, so that equal reads are equal nodes.
 */
export interface AxisTable {
  /** An axis of this size and these lengths whose id is none of `taken`. */
  fresh(size: Size, taken: ReadonlySet<string>, lengths?: AxisLength): Axis;
  lengths(id: string): AxisLength;
  /** bool: which positions of the axis count; undefined where all do. */
  inside(axis: Axis): string | undefined;
  /** int: how many positions of the axis count, the padded size where all do. */
  count(axis: Axis): string;
}

const FULL: AxisLength = { length: undefined, start: undefined };

export function createAxisTable(builder: Builder): AxisTable {
  const known = new Map<string, AxisLength>();
  const lengths = (id: string): AxisLength => known.get(id) ?? FULL;
  return {
    lengths,
    fresh: (size, taken, wanted = FULL) => {
      const base = size.text.replace(/ /g, "");
      for (let number = 0; ; number++) {
        const id = number === 0 ? base : `${base}~${number}`;
        const before = known.get(id);
        const free = before === undefined || (before.length === wanted.length && before.start === wanted.start);
        if (!free || taken.has(id)) continue;
        known.set(id, wanted);
        return { id, size };
      }
    },
    inside: (axis) => {
      const { length, start } = lengths(axis.id);
      if (length === undefined && start === undefined) return undefined;
      const position = make.iota(builder, axis);
      const before = length === undefined ? undefined : make.lt(builder, position, length);
      const after = start === undefined ? undefined : make.le(builder, start, position);
      if (before === undefined || after === undefined) return before ?? after;
      return make.and(builder, before, after);
    },
    count: (axis) => {
      const { length, start } = lengths(axis.id);
      const end = length ?? make.sizeInt(builder, axis.size);
      return start === undefined ? end : make.sub(builder, end, start);
    },
  };
}
