import { placeInOrder, planArena, type Span } from "./arena.ts";

/**
 * In which order memory is placed so that arenas are tight, for small sizes as for large ones: the order that is best at some and least bad at
 * the others; undefined where that in which spans come is about as tight. A program in a file carries it in place of the search.
 * @param names the sizes that are bound
 * @param spansFor what lives when they have values
 */
export function usualOrder(
  names: readonly string[],
  spansFor: (sizes: readonly number[]) => readonly Span[],
): readonly number[] | undefined {
  const sizes = names.every((name) => name === "B") ? BATCHES : USUAL_SIZES;
  const all = sizes.map(([batch, other]) => spansFor(names.map((name) => (name === "B" ? batch : other))));
  // Where all grow alike, as with the batch, one order is for all.
  const different = new Map(all.map((spans) => [proportions(spans), spans]));
  const cases = [...different.values()].map((spans) => ({ spans, arena: planArena(spans) }));
  const worst = (order: readonly number[]): number =>
    Math.max(...cases.map(({ spans, arena }) => placeInOrder(spans, order).bytes / Math.max(1, arena.bytes)));
  const natural = worst(Array.from(cases[0]?.spans ?? [], (_, index) => index));
  if (natural <= ABOUT) return undefined;
  const found = cases
    .map(({ arena: { order } }) => ({ order, bytes: worst(order) }))
    .reduce((best, one) => (one.bytes < best.bytes ? one : best));
  return natural <= ABOUT * found.bytes ? undefined : found.order;
}

function proportions(spans: readonly Span[]): string {
  const most = Math.max(1, ...spans.map(({ bytes }) => bytes));
  return spans.map(({ bytes }) => (bytes / most).toFixed(6)).join();
}

const ABOUT = 1.05;

/** Of the batch, and of all else. */
const USUAL_SIZES = [
  [1, 32],
  [8, 128],
  [32, 32],
  [64, 8],
] as const;

/** Where nothing else is bound. */
const BATCHES = [
  [1, 0],
  [32, 0],
] as const;
