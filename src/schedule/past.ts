import { addSizes, constantSize, type Size } from "../ir/size.ts";
import type { Axis, Type } from "../ir/type.ts";
import { concat, gather, slice } from "../op/move.ts";
import type { Start } from "./fill.ts";
import { int, ramp, startValue, varies } from "./fill.ts";
import type { Frame } from "./frame.ts";
import type { Names } from "./names.ts";

/** The values of a group at one position. */
export interface Inside {
  /** The body's value for a value of the group. */
  readonly inside: (id: string) => string;
  /** Its type, known before the value is. */
  readonly typeInside: (id: string) => Type;
  /** What it is called, if the body makes one of its own. */
  readonly nameOf: (id: string) => string;
}

/** What a loop keeps of values at positions that it has passed. */
export interface Past {
  /** The group's value `id`, `delay` positions ago. */
  ago(id: string, start: Start, delay: number): string;
  /** Its last `length` entries, the latest first. */
  ring(id: string, start: Start, length: Size, delay: number): Ring;
}

/** Entries along `short` before this position's is there, along `long` (one more) when it is. */
export interface Ring {
  readonly before: string;
  readonly after: () => string;
  readonly short: Axis;
  readonly long: Axis;
}

/** A read this far back goes through one ring instead of a chain of carries. */
const LONGEST_CHAIN = 4;

export function createPast(frame: Frame, names: Names, { inside, typeInside }: Inside): Past {
  const { before: region, body } = frame;
  const chains = new Map<string, string>();
  const rings = new Map<string, Ring>();

  /** Carries that hand a value on, one position each. The j-th starts with what is read `delay - j` positions later. */
  const chain = (id: string, start: Start, delay: number): string => {
    const type = typeInside(id);
    let last: string | undefined;
    for (let far = 1; far <= delay; far++) {
      const steps = delay - far;
      const previous = last;
      const any = `${id} ${far}`;
      const key = `${any} ${start.otherwise ?? ""}${varies(region, start) ? `@${steps}` : ""}`;
      last =
        chains.get(start.otherwise === undefined ? any : key) ??
        frame.carry(
          far === 1 ? `${id}.before` : `${id}.before${far}`,
          startValue(region, start, int(region, steps), type),
          () => previous ?? inside(id),
        );
      chains.set(key, last);
      if (!chains.has(any)) chains.set(any, last);
    }
    return last ?? inside(id);
  };

  const ring = (id: string, start: Start, length: Size, delay: number): Ring => {
    const key = `${id} ${length.text} ${start.otherwise ?? ""}`;
    const known = rings.get(key);
    if (known !== undefined) return known;
    const short: Axis = { id: names.fresh(`${id}.lag`), size: length };
    const long: Axis = { id: names.fresh(`${id}.lag`), size: addSizes(length, constantSize(1)) };
    const entry = typeInside(id);
    const type: Type = { dtype: entry.dtype, axes: [short, ...entry.axes] };
    // What is j entries back at the start is read delay - 1 - j positions later.
    const steps = varies(region, start) ? ramp(region, short, delay - 1, -1) : "";
    const after = (): string =>
      body.add(concat, [inside(id), buffer], { axes: ["", short.id], to: long }, `${id}.recent`);
    const buffer: string = frame.carry(`${id}.past`, startValue(region, start, steps, type), () =>
      body.add(slice, [after()], { axis: long.id, to: short, start: constantSize(0) }, `${id}.past`),
    );
    const made = { before: buffer, after, short, long };
    rings.set(key, made);
    return made;
  };

  const ago = (id: string, start: Start, delay: number): string => {
    if (delay <= LONGEST_CHAIN) return chain(id, start, delay);
    const { before, short } = ring(id, start, constantSize(delay), delay);
    const back = frame.whole(int(region, delay - 1));
    return body.add(gather, [before, back], { axis: short.id }, `${id}.before${delay}`);
  };
  return { ago, ring };
}
