import { aligned, lowerBound, planArena, type Span } from "../../plan/arena.ts";
import type { ModuleBuffer, ModuleCell, ModuleSlot, SizeOf, Sizes, WasmModule } from "./module.ts";

/** Memory for one choice of sizes. */
export interface MemoryLayout {
  /** In all; known before anything runs. */
  readonly bytes: number;
  /** The table's cells, in order. */
  readonly cells: Int32Array;
  /** Of values that live for a part of the run: what the arena takes, and what no arena could do without. */
  readonly arena: { readonly bytes: number; readonly lowerBound: number };
}

/**
 * Lays out memory: the table, then what is kept and of one size always (weights), whose addresses are the same for every choice of
 * sizes, then everything else in one arena. Throws where a size's name is not bound or a size is no whole number.
 */
export function layOutMemory(module: WasmModule, sizes: Sizes): MemoryLayout {
  const cells = new Int32Array(module.cells.length);
  const moving: { readonly cell: number; readonly buffer: ModuleBuffer }[] = [];
  let end = aligned(module.table + 4 * cells.length);
  module.cells.forEach((entry, cell) => {
    if (!isBuffer(entry)) cells[cell] = entry === null ? 0 : numberOf(entry, sizes);
    else if (isFixed(entry)) {
      cells[cell] = end;
      end += aligned(numberOf(entry.bytes, sizes));
    } else moving.push({ cell, buffer: entry });
  });
  const spans = moving.map(({ buffer }) => spanOf(buffer, sizes));
  const arena = planArena(spans);
  moving.forEach(({ cell }, index) => {
    cells[cell] = end + (arena.offsets[index] ?? 0);
  });
  return {
    // Reading four lanes may go a little past the last value.
    bytes: end + arena.bytes + SLACK,
    cells,
    arena: { bytes: arena.bytes, lowerBound: lowerBound(spans) },
  };
}

const SLACK = 64;

/** Throws where the size is not known or no whole number. */
export function numberOf(size: SizeOf, sizes: Sizes): number {
  const value = typeof size === "number" ? size : size(sizes);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`a size is ${value} for ${JSON.stringify(sizes)}, not a whole number: are all names bound?`);
}

export function isBuffer(cell: ModuleCell | undefined): cell is ModuleBuffer {
  return typeof cell === "object" && cell !== null;
}

/** Whether a buffer lies at the same address for all sizes. */
export function isFixed({ kept, bytes }: ModuleBuffer): boolean {
  return kept === true && typeof bytes === "number";
}

function spanOf({ bytes, first, last, kept }: ModuleBuffer, sizes: Sizes): Span {
  const size = numberOf(bytes, sizes);
  return kept ? { bytes: size, first: 0, last: Number.MAX_SAFE_INTEGER } : { bytes: size, first, last };
}

/** A slot's shape, in the order of its type, and how far apart neighbours along each axis lie. */
export function slotShape(
  { shape, strides }: ModuleSlot,
  sizes: Sizes,
): { readonly shape: readonly number[]; readonly strides: readonly number[] } {
  return { shape: shape.map((size) => numberOf(size, sizes)), strides: strides.map((size) => numberOf(size, sizes)) };
}
