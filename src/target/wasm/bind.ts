import { aligned, lowerBound, planArena, type Span } from "../../plan/arena.ts";
import { numberOf, type Sizes } from "../../plan/bound-size.ts";
import { partOf } from "../../plan/part.ts";
import type { ModuleBuffer, ModuleCell, ModulePart, ModuleSlot, WasmModule } from "./module.ts";

/** Memory for one choice of sizes. */
export interface MemoryLayout {
  /** In all; known before anything runs. */
  readonly bytes: number;
  /** The tables' cells, in order, by thread. */
  readonly tables: readonly Table[];
  /** Of values that live for a part of the run: what the arena takes, and what no arena could do without. */
  readonly arena: { readonly bytes: number; readonly lowerBound: number };
}

export interface Table {
  /** In bytes. */
  readonly address: number;
  readonly cells: Int32Array;
}

/**
 * Lays out memory: the tables of `threads` threads, then what is kept and of one size always (weights), whose addresses are the same for every choice of
 * sizes, then everything else in one arena. Throws where a size's name is not bound or a size is no whole number.
 */
export function layOutMemory(module: WasmModule, sizes: Sizes, threads = 1): MemoryLayout {
  const tables = openTables(module, sizes, threads);
  let end = tableAddress(module, threads);
  // Buffers that move, and the tables in which their addresses stand.
  const moving: { readonly cell: number; readonly buffer: ModuleBuffer; readonly tables: readonly Table[] }[] = [];
  module.cells.forEach((entry, cell) => {
    if (!isBuffer(entry)) return;
    if (isFixed(entry)) {
      for (const { cells } of tables) cells[cell] = end;
      end += aligned(numberOf(entry.bytes, sizes));
    } else if (entry.own === true) for (const table of tables) moving.push({ cell, buffer: entry, tables: [table] });
    else moving.push({ cell, buffer: entry, tables });
  });
  const spans = moving.map(({ buffer }) => spanOf(buffer, sizes, module.regions ?? []));
  const arena = planArena(spans);
  moving.forEach(({ cell, tables: named }, index) => {
    for (const { cells } of named) cells[cell] = end + (arena.offsets[index] ?? 0);
  });
  return {
    // Reading four lanes may go a little past the last value.
    bytes: end + arena.bytes + SLACK,
    tables,
    arena: { bytes: arena.bytes, lowerBound: lowerBound(spans) },
  };
}

/** Where a thread's table starts. */
export function tableAddress({ table, cells }: WasmModule, thread: number): number {
  return table + thread * aligned(4 * cells.length);
}

/** Tables with the sizes and each thread's parts of them. */
function openTables(module: WasmModule, sizes: Sizes, threads: number): readonly Table[] {
  return Array.from({ length: threads }, (_, thread) => {
    const cells = new Int32Array(module.cells.length);
    module.cells.forEach((entry, cell) => {
      if (typeof entry === "number" || typeof entry === "function") cells[cell] = numberOf(entry, sizes);
      else if (isPart(entry)) cells[cell] = partOf(numberOf(entry.of, sizes), entry.unit, entry.edge, thread, threads);
    });
    return { address: tableAddress(module, thread), cells };
  });
}

const SLACK = 64;

export function isBuffer(cell: ModuleCell | undefined): cell is ModuleBuffer {
  return typeof cell === "object" && cell !== null && "bytes" in cell;
}

function isPart(cell: ModuleCell): cell is ModulePart {
  return typeof cell === "object" && cell !== null && "unit" in cell;
}

/** Whether a buffer lies at the same address for all sizes. */
export function isFixed({ kept, bytes }: ModuleBuffer): boolean {
  return kept === true && typeof bytes === "number";
}

function spanOf(buffer: ModuleBuffer, sizes: Sizes, regions: NonNullable<WasmModule["regions"]>): Span {
  const bytes = numberOf(buffer.bytes, sizes);
  if (buffer.kept === true) return { bytes, first: 0, last: Number.MAX_SAFE_INTEGER };
  const around = (position: number) => regions.find(({ first, last }) => first <= position && position <= last);
  const { first, last } = buffer;
  return { bytes, first: around(first)?.first ?? first, last: around(last)?.last ?? last };
}

/** A slot's shape, in the order of its type, and how far apart neighbours along each axis lie. */
export function slotShape(
  { shape, strides }: ModuleSlot,
  sizes: Sizes,
): { readonly shape: readonly number[]; readonly strides: readonly number[] } {
  return { shape: shape.map((size) => numberOf(size, sizes)), strides: strides.map((size) => numberOf(size, sizes)) };
}
