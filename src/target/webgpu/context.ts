import { type Size, sizeConstant } from "../../ir/size.ts";
import type { CarryPlan } from "../../plan/place.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Loop } from "../../plan/value.ts";
import { integer, type Term, type Writer } from "./shader.ts";
import { tableCode } from "./shader-text.ts";

/** A carry by the cells through which code finds it. */
export interface Pointer {
  readonly loop: Loop;
  readonly carry: CarryPlan;
  /** What the step before has left, or where this one leaves it. */
  readonly role: "current" | "next";
}

/** The rows that one group of threads owns in a loop that runs inside of a kernel. */
export interface Ownership {
  readonly axis: string;
  readonly first: Term;
  /** Four at most. */
  readonly count: Term;
}

/** What every part of one function's code is made with. */
export interface Kernel extends Writer {
  readonly plan: Plan;
  readonly pointers: ReadonlyMap<number, Pointer>;
  readonly threads: number;
  /** See `Tuning`. */
  readonly together: boolean;
  readonly subgroups: boolean;
  /** How many steps the loops around this kernel have done, by loop. */
  readonly done: ReadonlyMap<Loop, Term>;
  readonly owned: Ownership | undefined;
  /** Matrices that were laid out anew for the loop inside of this kernel. */
  readonly copies: ReadonlyMap<string, { readonly code: string }>;
}

/** A size in the code: a number, or what the table holds for the present binding. */
export function sizeTerm(kernel: Kernel, size: Size): Term {
  const fixed = fixedSize(size);
  return fixed === undefined ? tableTerm(kernel, kernel.plan.cells.size(size), `n_${size.text}`) : integer(fixed);
}

/** A size that is known when code is made. Throws where it is known and no whole number. */
export function fixedSize(size: Size): number | undefined {
  const value = sizeConstant(size);
  if (value !== undefined && (!Number.isInteger(value) || value < 0)) {
    throw new Error(`the size ${size.text} is not a whole number`);
  }
  return value;
}

export function tableTerm(kernel: Kernel, cell: number, hint: string): Term {
  return kernel.bind(0, "int", tableCode(cell), hint);
}

/* Arithmetic on integers: numbers that are known are computed here. */

export function add(kernel: Kernel, a: Term, b: Term): Term {
  if (a.constant !== undefined && b.constant !== undefined) return integer(a.constant + b.constant);
  if (a.constant === 0) return b;
  return b.constant === 0 ? a : binary(kernel, "+", a, b);
}

export function subtract(kernel: Kernel, a: Term, b: Term): Term {
  if (a.constant !== undefined && b.constant !== undefined) return integer(a.constant - b.constant);
  return b.constant === 0 ? a : binary(kernel, "-", a, b);
}

export function multiply(kernel: Kernel, a: Term, b: Term): Term {
  if (a.constant !== undefined && b.constant !== undefined) return integer(a.constant * b.constant);
  if (a.constant === 0 || b.constant === 0) return integer(0);
  if (a.constant === 1) return b;
  return b.constant === 1 ? a : binary(kernel, "*", a, b);
}

export function divide(kernel: Kernel, a: Term, b: Term): Term {
  if (b.constant === 1) return a;
  return binary(kernel, "/", a, atLeastOne(kernel, b));
}

export function remainder(kernel: Kernel, a: Term, b: Term): Term {
  if (b.constant === 1) return integer(0);
  return binary(kernel, "%", a, atLeastOne(kernel, b));
}

/** Of a size of 0 there are no positions, but code may be computed before that is known. */
function atLeastOne(kernel: Kernel, b: Term): Term {
  return b.constant === undefined ? kernel.bind(b.depth, "int", `max(${b.code}, 1)`) : integer(Math.max(b.constant, 1));
}

/** The nearest of the positions 0 … length-1; 0 where there are none. */
export function clip(kernel: Kernel, position: Term, length: Term): Term {
  const last = subtract(kernel, length, integer(1));
  if (position.constant !== undefined && last.constant !== undefined) {
    return integer(Math.max(Math.min(position.constant, last.constant), 0));
  }
  const depth = Math.max(position.depth, last.depth);
  return kernel.bind(depth, "int", `max(min(${position.code}, ${last.code}), 0)`);
}

/** Whether a position is one of 0 … length-1. */
export function inside(kernel: Kernel, position: Term, length: Term): Term {
  const depth = Math.max(position.depth, length.depth);
  return kernel.bind(depth, "bool", `${position.code} >= 0 && ${position.code} < ${length.code}`);
}

function binary(kernel: Kernel, operator: string, a: Term, b: Term): Term {
  return kernel.bind(Math.max(a.depth, b.depth), "int", `${a.code} ${operator} ${b.code}`);
}
