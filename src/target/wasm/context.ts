import type { Size } from "../../ir/size.ts";
import { sizeConstant } from "../../ir/size.ts";
import type { Plan } from "../../plan/plan.ts";
import { type I32, i32, type Procedure } from "./encode-code.ts";
import type { ModuleBuilder } from "./encode-module.ts";
import type { Threads } from "./threads.ts";

/** What every part of one module's code is made with. */
export interface Context {
  readonly module: ModuleBuilder;
  readonly plan: Plan;
  /** Whether `f32x4.relaxed_madd` may be used. */
  readonly relaxed: boolean;
  /** How the code of one of several threads is made; undefined where there is one only. */
  readonly threads?: Threads | undefined;
  /** Whether the code is to be short rather than fast. */
  readonly compact: boolean;
  /** Kernels of the module that others may be alike, by what they do. */
  readonly alike: Map<string, KnownKernel>;
  /** The first of the cells in which products are described to tiles. */
  readonly segments: number;
}

/** A kernel's code, and what callers give it. */
export interface KnownKernel {
  readonly code: Procedure;
  readonly given: readonly Given[];
}

/** An address of those of the likeness, a size, the address of the cells of `segments`, or the same for all. */
export type Given =
  | { readonly kind: "address"; readonly index: number }
  | { readonly kind: "size"; readonly size: Size }
  | { readonly kind: "segments" }
  | { readonly kind: "same"; readonly value: I32 };

/** Products that one sum of tiles has at most. */
export const MOST_SEGMENTS = 8;

/** Where the table of cells starts: behind the constants of the mathematical functions. */
export const TABLE = 64;

/** What addresses of cells are counted from: each thread has a table of its own. */
export function tableOf({ threads }: Context): I32 {
  return threads?.table ?? i32.const(0);
}

/** The address of a cell of the table. */
export function cellAddress(cell: number): number {
  return TABLE + 4 * cell;
}

/** What is in a cell of the table. */
export function loadCell(context: Context, cell: number): I32 {
  return i32.load(tableOf(context), cellAddress(cell));
}

/** Where products are described to tiles. */
export function segmentsAddress(context: Context): I32 {
  return i32.add(tableOf(context), i32.const(cellAddress(context.segments)));
}

/** A size that is known when code is made. Throws where it is known and no whole number. */
export function fixedSize(size: Size): number | undefined {
  const value = sizeConstant(size);
  if (value !== undefined && (!Number.isInteger(value) || value < 0)) {
    throw new Error(`the size ${size.text} is not a whole number`);
  }
  return value;
}
