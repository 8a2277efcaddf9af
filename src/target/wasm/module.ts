import { type Size, sizeConstant } from "../../ir/size.ts";
import { sizeValue } from "../../ir/tensor.ts";
import type { DType } from "../../ir/type.ts";
import { unitOf } from "../../plan/part.ts";
import type { Cell, PartEdge } from "../../plan/place.ts";
import type { Sharing } from "../../plan/share.ts";
import type { Slot, WasmProgram } from "./compile.ts";

/** Values of size names. */
export type Sizes = Readonly<Record<string, number>>;

/** A size: a number, or what it is for sizes that are bound. */
export type SizeOf = number | ((sizes: Sizes) => number);

/** What running a program needs to know of it beside its code: plain data and arithmetic, which can be written into a file. */
export interface WasmModule {
  readonly name: string;
  /** Where the table starts in memory, in bytes. */
  readonly table: number;
  readonly cells: readonly ModuleCell[];
  readonly params: readonly ModuleSlot[];
  readonly results: readonly ModuleSlot[];
  /** Params that keep their values from run to run. */
  readonly fixed: readonly string[];
  /** Runs of positions in which several threads do not wait for one another: memory that is used in one is not used anew there. */
  readonly regions?: readonly { readonly first: number; readonly last: number }[];
}

/** An entry of the table: a size, a buffer's address, a thread's part of a size, or (`null`) an address that the program moves itself. */
export type ModuleCell = SizeOf | ModuleBuffer | ModulePart | null;

/** Where a thread's part of some positions starts, or how many they are. */
export interface ModulePart {
  readonly of: SizeOf;
  /** Parts start at multiples of it. */
  readonly unit: number;
  readonly edge: PartEdge;
}

/** Memory that is needed from one position of the program to another, both included; or always. */
export interface ModuleBuffer {
  readonly bytes: SizeOf;
  readonly first: number;
  readonly last: number;
  readonly kept?: boolean;
  /** Whether each thread has one for itself. */
  readonly own?: boolean;
}

/** A param or result in memory: 32-bit floats, or 32-bit integers (booleans 0 and 1). */
export interface ModuleSlot {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly SizeOf[];
  /** In elements, by axis. */
  readonly strides: readonly SizeOf[];
  /** The entry with its address, read after a run. */
  readonly cell: number;
  /** Elements behind that address. */
  readonly offset?: SizeOf;
}

/** The part of a program that its code does not hold. `print` makes a size that is no number. */
export function moduleOf(program: WasmProgram, print: (size: Size) => SizeOf = bound): WasmModule {
  const size = (of: Size): SizeOf => sizeConstant(of) ?? print(of);
  const slot = ({ name, dtype, axes, strides, cell, offset }: Slot): ModuleSlot => ({
    name,
    dtype,
    shape: axes.map((axis) => size(axis.size)),
    strides: axes.map((axis) => {
      const stride = strides.get(axis.id);
      return stride === undefined ? 0 : size(stride);
    }),
    cell,
    ...(sizeConstant(offset) !== 0 && { offset: size(offset) }),
  });
  return {
    name: program.name,
    table: program.table,
    cells: program.cells.map((cell) => moduleCell(cell, size, program.sharing)),
    params: program.params.map(slot),
    results: program.results.map(slot),
    fixed: [...program.fixed],
    ...(program.sharing && { regions: program.sharing.regions }),
  };
}

function moduleCell(cell: Cell, size: (of: Size) => SizeOf, sharing: Sharing | undefined): ModuleCell {
  switch (cell.kind) {
    case "size":
      return size(cell.size);
    case "buffer": {
      const { bytes, first, last, kept } = cell.buffer;
      return {
        bytes: size(bytes),
        first,
        last,
        ...(kept && { kept }),
        ...(sharing?.own.has(cell.buffer) && { own: true }),
      };
    }
    case "part":
      return { of: size(cell.size), unit: unitOf(cell.size), edge: cell.edge };
    case "pointer":
      return null;
    default:
      return cell satisfies never;
  }
}

function bound(size: Size): SizeOf {
  return (sizes) => sizeValue(size, new Map(Object.entries(sizes)));
}
