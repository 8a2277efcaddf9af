import type { Recurrence } from "./recurrence.ts";
import { CELLS } from "./recurrences/cells.ts";
import { DELAYS } from "./recurrences/delays.ts";
import { GRIDS } from "./recurrences/grids.ts";
import { PARTS } from "./recurrences/parts.ts";
import { PATHS } from "./recurrences/paths.ts";

/** Recurrences of every kind that the language can say, each with its meaning. */
export const RECURRENCES: readonly Recurrence[] = [...CELLS, ...DELAYS, ...PARTS, ...PATHS, ...GRIDS];
