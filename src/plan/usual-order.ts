import { placeInOrder, planArena, type Span } from "./arena.ts";

/**
 * In which order the spans of a program are placed so that its arena is tight, for small sizes as for large ones: the order that is best at
 * some and least bad at the others; undefined where that in which they come is about as tight. A program in a file carries it in place of
 * the search. `spansFor` gives them where all sizes are one number.
 */
export function usualOrder(spansFor: (size: number) => readonly Span[]): readonly number[] | undefined {
  const cases = USUAL_SIZES.map((size) => {
    const spans = spansFor(size);
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

const USUAL_SIZES = [8, 32, 128];
