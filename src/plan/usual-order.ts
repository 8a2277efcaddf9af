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
  const cases = USUAL_SIZES.map(([batch, other]) => {
    const spans = spansFor(names.map((name) => (name === "B" ? batch : other)));
    return { spans, arena: planArena(spans) };
  });
  const worst = (order: readonly number[]): number =>
    Math.max(...cases.map(({ spans, arena }) => placeInOrder(spans, order).bytes / Math.max(1, arena.bytes)));
  const found = cases
    .map(({ arena }) => arena.order)
    .reduce((best, order) => (worst(order) < worst(best) ? order : best));
  const isTight = worst([...found.keys()]) <= ABOUT * worst(found);
  return isTight ? undefined : found;
}

const ABOUT = 1.05;

/** Of the batch, and of all else. */
const USUAL_SIZES = [
  [1, 32],
  [8, 128],
  [32, 32],
  [64, 8],
] as const;
