import { type SizeBinding, sizeConstant } from "../../ir/size.ts";
import { sizeValue } from "../../ir/tensor.ts";
import { aligned, lowerBound, planArena, type Span } from "../../plan/arena.ts";
import type { Buffer } from "../../plan/place.ts";
import type { Slot, WasmProgram } from "./compile.ts";

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
export function layOutMemory(program: WasmProgram, sizes: SizeBinding): MemoryLayout {
  const cells = new Int32Array(program.cells.length);
  const buffers: Buffer[] = [];
  program.cells.forEach((cell, index) => {
    if (cell.kind === "size") cells[index] = sizeValue(cell.size, sizes);
    else if (cell.kind === "buffer") buffers.push(cell.buffer);
  });
  let end = aligned(program.table + 4 * cells.length);
  const isFixed = (buffer: Buffer): boolean => buffer.kept && sizeConstant(buffer.bytes) !== undefined;
  for (const buffer of buffers.filter(isFixed)) {
    cells[buffer.cell] = end;
    end += aligned(sizeValue(buffer.bytes, sizes));
  }
  const moving = buffers.filter((buffer) => !isFixed(buffer));
  const spans = moving.map((buffer) => spanOf(buffer, sizes));
  const arena = planArena(spans);
  moving.forEach((buffer, index) => {
    cells[buffer.cell] = end + (arena.offsets[index] ?? 0);
  });
  return {
    // Reading four lanes may go a little past the last value.
    bytes: end + arena.bytes + SLACK,
    cells,
    arena: { bytes: arena.bytes, lowerBound: lowerBound(spans) },
  };
}

const SLACK = 64;

function spanOf({ bytes, first, last, kept }: Buffer, sizes: SizeBinding): Span {
  const size = sizeValue(bytes, sizes);
  return kept ? { bytes: size, first: 0, last: Number.MAX_SAFE_INTEGER } : { bytes: size, first, last };
}

/** A slot's shape, in the order of its type, and how far apart neighbours along each axis lie. */
export function slotShape(
  slot: Slot,
  sizes: SizeBinding,
): { readonly shape: readonly number[]; readonly strides: readonly number[] } {
  return {
    shape: slot.axes.map((axis) => sizeValue(axis.size, sizes)),
    strides: slot.axes.map((axis) => {
      const stride = slot.strides.get(axis.id);
      return stride === undefined ? 0 : sizeValue(stride, sizes);
    }),
  };
}
