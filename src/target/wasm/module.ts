import { constantSize, type Size, sizeConstant } from "../../ir/size.ts";
import type { DType } from "../../ir/type.ts";
import { boundNames, boundSize, numberOr, type SizeForm, type SizeOf } from "../../plan/bound-size.ts";
import { unitOf } from "../../plan/part.ts";
import type { Cell, PartEdge } from "../../plan/place.ts";
import { isRowMajor } from "../../plan/row-major.ts";
import type { Sharing } from "../../plan/share.ts";
import type { Slot, WasmProgram } from "./compile.ts";

/** What running a program needs to know of it beside its code: plain data and arithmetic, which can be written into a file. */
export interface WasmModule<S = SizeOf> {
  readonly name: string;
  /** What stands behind the names of its functions, where several programs are in one module. */
  readonly entry?: string;
  /** The names of sizes that are bound. */
  readonly sizes: readonly string[];
  /** Where the table starts in memory, in bytes. */
  readonly table: number;
  readonly cells: readonly ModuleCell<S>[];
  /** In which order buffers that move are placed; where not said, one is searched that makes them take little. */
  readonly order?: readonly number[];
  readonly params: readonly ModuleSlot<S>[];
  readonly results: readonly ModuleSlot<S>[];
  /** Params that keep their values from run to run. */
  readonly fixed: readonly string[];
  /** Runs of positions in which several threads do not wait for one another: memory that is used in one is not used anew there. */
  readonly regions?: readonly { readonly first: number; readonly last: number }[];
}

/** An entry of the table: a size, a buffer's address, a thread's part of a size, or (`null`) an address that the program moves itself. */
export type ModuleCell<S = SizeOf> = S | ModuleBuffer<S> | ModulePart<S> | null;

/** Where a thread's part of some positions starts, or how many they are. */
export interface ModulePart<S = SizeOf> {
  readonly of: S;
  /** Parts start at multiples of it. */
  readonly unit: number;
  readonly edge: PartEdge;
}

/** Memory that is needed from one position of the program to another, both included; always where that is left out. */
export interface ModuleBuffer<S = SizeOf> {
  readonly bytes: S;
  readonly first?: number;
  readonly last?: number;
  /** Whether each thread has one for itself. */
  readonly own?: boolean;
}

/** A param or result in memory: 32-bit floats, or 32-bit integers (booleans 0 and 1). */
export interface ModuleSlot<S = SizeOf> {
  readonly name: string;
  /** Float where not said. */
  readonly dtype?: DType;
  readonly shape: readonly S[];
  /** In elements, by axis; row-major without gaps where not said. */
  readonly strides?: readonly S[];
  /** The entry with its address, read after a run; where not said, it has the slot's own number. */
  readonly cell?: number;
  /** Elements behind that address. */
  readonly offset?: S;
}

/** The part of a program that its code does not hold, to run it here. */
export function moduleOf(program: WasmProgram): WasmModule {
  return describeModule(program, boundSize);
}

/** The same with every size that is no number as `size` makes it of the names that are bound. */
export function describeModule<S>(program: WasmProgram, size: SizeForm<S>): WasmModule<S | number> {
  const names = boundNames(sizesIn(program));
  const written = numberOr(size, names);
  const slot = ({ name, dtype, axes, strides, cell, offset }: Slot, at: number): ModuleSlot<S | number> => {
    const steps = axes.map((axis) => strides.get(axis.id) ?? constantSize(0));
    return {
      name,
      ...(dtype !== "float" && { dtype }),
      shape: axes.map((axis) => written(axis.size)),
      ...(!isRowMajor(axes, steps) && { strides: steps.map(written) }),
      ...(cell !== at && { cell }),
      ...(sizeConstant(offset) !== 0 && { offset: written(offset) }),
    };
  };
  return {
    name: program.name,
    ...(program.entry !== "" && { entry: program.entry }),
    sizes: names,
    table: program.table,
    cells: program.cells.map((cell) => moduleCell(cell, written, program.sharing)),
    params: program.params.map(slot),
    results: program.results.map(slot),
    fixed: [...program.fixed],
    ...(program.sharing && { regions: program.sharing.regions }),
  };
}

function moduleCell<S>(cell: Cell, size: (of: Size) => S, sharing: Sharing | undefined): ModuleCell<S> {
  switch (cell.kind) {
    case "size":
      return size(cell.size);
    case "buffer": {
      const { bytes, first, last, kept } = cell.buffer;
      return {
        bytes: size(bytes),
        ...(!kept && { first, last }),
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

/** Every size of the program. */
function sizesIn({ cells, params, results }: WasmProgram): readonly Size[] {
  return [
    ...cells.flatMap((cell) => {
      if (cell.kind === "size" || cell.kind === "part") return [cell.size];
      return cell.kind === "buffer" ? [cell.buffer.bytes] : [];
    }),
    ...[...params, ...results].flatMap(({ axes, strides, offset }) => [
      ...axes.map(({ size }) => size),
      ...strides.values(),
      offset,
    ]),
  ];
}
