/** Memory that is needed from one position of the program to another, both included. */
export interface Span {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Arena {
  /** By span. */
  readonly offsets: readonly number[];
  readonly bytes: number;
}

/** An arena, and the order in which its spans were placed. */
export interface OrderedArena extends Arena {
  readonly order: readonly number[];
}

/** Offsets are multiples of this: a cache line. */
export const ALIGNMENT = 64;

/**
 * Places spans in one arena so that those alive together do not overlap: each in the lowest gap that holds it, in a few greedy
 * orders of which the tightest is kept (Pisarchyk & Lee 2020, "Efficient memory management for deep neural net inference"). Where that
 * is not tight enough, what juts out is placed earlier, again and again (Joslin & Clements 1999, "Squeaky wheel optimization").
 */
export function planArena(spans: readonly Span[]): OrderedArena {
  const bound = lowerBound(spans);
  let best: OrderedArena = { order: [], offsets: [], bytes: Number.POSITIVE_INFINITY };
  const tried: OrderedArena[] = [];
  for (const compare of ORDERS) {
    const order = spans
      .map((_, index) => index)
      .sort((a, b) => compare(spans[a] ?? NO_SPAN, spans[b] ?? NO_SPAN) || a - b);
    const arena = { ...placeInOrder(spans, order), order };
    tried.push(arena);
    if (arena.bytes < best.bytes) best = arena;
    if (best.bytes <= bound) return best;
  }
  for (const arena of tried) {
    if (best.bytes <= ENOUGH * bound) return best;
    const tighter = squeezed(spans, arena, bound);
    if (tighter.bytes < best.bytes) best = tighter;
  }
  return best;
}

/** How much more than the bound is tight enough, and how often an order is changed for it. */
const ENOUGH = 1.1;
const CHANGES = 30;

/** The tightest of arenas in which what reached the end before is placed first. */
function squeezed(spans: readonly Span[], start: OrderedArena, bound: number): OrderedArena {
  let [best, last] = [start, start];
  for (let change = 0; change < CHANGES && best.bytes > ENOUGH * bound; change++) {
    const { offsets, bytes } = last;
    const jutsOut = (index: number): boolean => (offsets[index] ?? 0) + aligned(spans[index]?.bytes ?? 0) === bytes;
    const order = [...last.order.filter(jutsOut), ...last.order.filter((index) => !jutsOut(index))];
    last = { ...placeInOrder(spans, order), order };
    if (last.bytes < best.bytes) best = last;
  }
  return best;
}

/** The most bytes that are alive at one position: no arena is smaller. */
export function lowerBound(spans: readonly Span[]): number {
  const changes = new Map<number, number>();
  for (const { bytes, first, last } of spans) {
    const size = aligned(bytes);
    changes.set(first, (changes.get(first) ?? 0) + size);
    changes.set(last + 1, (changes.get(last + 1) ?? 0) - size);
  }
  let alive = 0;
  let most = 0;
  for (const [, change] of [...changes].sort(([a], [b]) => a - b)) {
    alive += change;
    most = Math.max(most, alive);
  }
  return most;
}

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

const NO_SPAN: Span = { bytes: 0, first: 0, last: 0 };

const ORDERS: readonly ((a: Span, b: Span) => number)[] = [
  (a, b) => b.bytes - a.bytes,
  (a, b) => b.bytes * (b.last - b.first + 1) - a.bytes * (a.last - a.first + 1),
  (a, b) => b.last - b.first - (a.last - a.first) || b.bytes - a.bytes,
  (a, b) => a.first - b.first || b.bytes - a.bytes,
  (a, b) => b.last - a.last || b.bytes - a.bytes,
];

interface Placed extends Span {
  readonly offset: number;
}

/** Each in the lowest gap that holds it, one after the other. */
export function placeInOrder(spans: readonly Span[], order: readonly number[]): Arena {
  const offsets = new Array<number>(spans.length).fill(0);
  const placed: Placed[] = [];
  let bytes = 0;
  for (const index of order) {
    const span = spans[index] ?? NO_SPAN;
    const size = aligned(span.bytes);
    const offset = size === 0 ? 0 : lowestGap(placed, span, size);
    offsets[index] = offset;
    bytes = Math.max(bytes, offset + size);
    if (size > 0) insert(placed, { ...span, bytes: size, offset });
  }
  return { offsets, bytes };
}

/** `placed` is sorted by offset. */
function lowestGap(placed: readonly Placed[], { first, last }: Span, size: number): number {
  let offset = 0;
  for (const other of placed) {
    if (other.last < first || other.first > last) continue;
    if (other.offset - offset >= size) return offset;
    offset = Math.max(offset, other.offset + other.bytes);
  }
  return offset;
}

function insert(placed: Placed[], span: Placed): void {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((placed[middle]?.offset ?? 0) <= span.offset) low = middle + 1;
    else high = middle;
  }
  placed.splice(low, 0, span);
}
