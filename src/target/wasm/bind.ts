import { type Arena, aligned, type Span } from "../../plan/arena.ts";
import { numberOf, type Sizes } from "../../plan/bound-size.ts";
import type { ModuleBuffer, ModuleCell, ModulePart, WasmModule } from "./module.ts";

/** Memory for one choice of sizes. */
export interface MemoryLayout {
  /** In all; known before anything runs. */
  readonly bytes: number;
  /** The tables' cells, in order, by thread. */
  readonly tables: readonly Table[];
  /** What values take that live for a part of the run, and their lives. */
  readonly arena: { readonly bytes: number; readonly spans: readonly Span[] };
}

export interface Table {
  /** In bytes. */
  readonly address: number;
  readonly cells: Int32Array;
}

/** How memory is laid out. */
export interface Arrangement {
  readonly threads: number;
  /** A thread's part of so many positions. */
  part(entry: ModulePart, count: number, thread: number): number;
  /** How long a buffer is taken. */
  span(span: Span, module: WasmModule): Span;
  place(spans: readonly Span[], module: WasmModule): Arena;
}

/**
 * Lays out memory: the tables of all threads, then what is kept and of one size always (weights), whose addresses are the same for every choice of
 * sizes, then everything else in one arena. Throws where a size's name is not bound or a size is no whole number.
 */
export function layOutMemory(module: WasmModule, sizes: Sizes, arrangement: Arrangement): MemoryLayout {
  const tables = openTables(module, sizes, arrangement);
  let end = tableAddress(module, arrangement.threads);
  const spans: Span[] = [];
  // Where the addresses of buffers that move stand.
  const moving: { readonly cell: number; readonly tables: readonly Table[] }[] = [];
  module.cells.forEach((entry, cell) => {
    if (!isBuffer(entry)) return;
    const bytes = numberOf(entry.bytes, sizes);
    if (isFixed(entry)) {
      for (const { cells } of tables) cells[cell] = end;
      end += aligned(bytes);
      return;
    }
    const { own, first = 0, last = Number.MAX_SAFE_INTEGER } = entry;
    const span = { bytes, first, last };
    for (const named of own ? tables.map((table) => [table]) : [tables]) {
      moving.push({ cell, tables: named });
      spans.push(arrangement.span(span, module));
    }
  });
  const arena = arrangement.place(spans, module);
  moving.forEach(({ cell, tables: named }, index) => {
    for (const { cells } of named) cells[cell] = end + (arena.offsets[index] ?? 0);
  });
  // Reading four lanes may go a little past the last value.
  return { bytes: end + arena.bytes + SLACK, tables, arena: { bytes: arena.bytes, spans } };
}

/** Where a thread's table starts. */
export function tableAddress({ table, cells }: WasmModule, thread: number): number {
  return table + thread * aligned(4 * cells.length);
}

/** Tables with the sizes and each thread's parts of them. */
function openTables(module: WasmModule, sizes: Sizes, { threads, part }: Arrangement): readonly Table[] {
  return Array.from({ length: threads }, (_, thread) => {
    const cells = Int32Array.from(module.cells, (entry) => {
      if (entry === null || isBuffer(entry)) return 0;
      return typeof entry === "object" ? part(entry, numberOf(entry.of, sizes), thread) : numberOf(entry, sizes);
    });
    return { address: tableAddress(module, thread), cells };
  });
}

const SLACK = 64;

export function isBuffer(cell: ModuleCell | undefined): cell is ModuleBuffer {
  return typeof cell === "object" && cell !== null && "bytes" in cell;
}

/** Whether a buffer lies at the same address for all sizes. */
export function isFixed({ first, bytes }: ModuleBuffer): boolean {
  return first === undefined && typeof bytes === "number";
}
