import type { Size } from "../../ir/size.ts";
import type { DType } from "../../ir/type.ts";
import type { Place } from "../../plan/place.ts";
import type { Loop } from "../../plan/value.ts";
import { add, type Kernel, multiply, type Pointer, sizeTerm, subtract, tableTerm } from "./context.ts";
import { integer, type Term } from "./shader.ts";

/** Where along each axis a kernel is. */
export type Positions = ReadonlyMap<string, Term>;

export function positionAlong(positions: Positions, axis: string): Term {
  const position = positions.get(axis);
  if (position === undefined) throw new Error(`internal: a kernel has no position along ${axis}`);
  return position;
}

/** Which entry of the arena a value's entry is. */
export function addressOf(kernel: Kernel, place: Place, positions: Positions): Term {
  const terms: Term[] = [];
  for (const [axis, stride] of place.strides) {
    const step = sizeTerm(kernel, stride);
    if (step.constant !== 0) terms.push(multiply(kernel, positionAlong(positions, axis), step));
  }
  return sumOf(kernel, [startOf(kernel, place), ...terms]);
}

/** Where an entry of a matrix is: `moves` say how far along, and by which stride. */
export function addressOfProduct(
  kernel: Kernel,
  place: Place,
  moves: readonly (readonly [position: Term, stride: Size])[],
): Term {
  const further = moves.map(([position, stride]) => multiply(kernel, position, sizeTerm(kernel, stride)));
  return sumOf(kernel, [startOf(kernel, place), ...further]);
}

/** What is known furthest out is added first. */
export function sumOf(kernel: Kernel, terms: readonly Term[]): Term {
  return terms.toSorted((a, b) => a.depth - b.depth).reduce((sum, term) => add(kernel, sum, term), integer(0));
}

/** Where a place starts, at the present positions of the loops around. */
export function startOf(kernel: Kernel, place: Place): Term {
  const further = place.steps.map(({ loop, stride }) => along(kernel, loop, stride, loopPosition(kernel, loop)));
  const offset = place.offset === undefined ? integer(0) : sizeTerm(kernel, place.offset);
  return sumOf(kernel, [cellStart(kernel, place.cell), offset, ...further]);
}

function along(kernel: Kernel, _loop: Loop, stride: Size, position: Term): Term {
  return multiply(kernel, position, sizeTerm(kernel, stride));
}

/** Which entry of its axis a loop is at. */
export function loopPosition(kernel: Kernel, loop: Loop): Term {
  return entryAt(kernel, loop, stepsDone(kernel, loop));
}

/** How many steps a loop has done: all of them, seen from behind it. */
function stepsDone(kernel: Kernel, loop: Loop): Term {
  return kernel.done.get(loop) ?? sizeTerm(kernel, loop.axis.size);
}

function entryAt(kernel: Kernel, loop: Loop, done: Term): Term {
  if (!loop.reverse) return done;
  return subtract(kernel, subtract(kernel, sizeTerm(kernel, loop.axis.size), integer(1)), done);
}

/** Where a buffer starts; a carry's is where the step before has left it, or where it started. */
function cellStart(kernel: Kernel, cell: number): Term {
  const pointer = kernel.pointers.get(cell);
  return pointer === undefined ? tableTerm(kernel, cell, bufferName(kernel, cell)) : pointerStart(kernel, pointer);
}

function bufferName({ plan }: Kernel, cell: number): string {
  const found = plan.cells.all[cell];
  return found?.kind === "buffer" ? `at_${found.buffer.name}` : "at";
}

function pointerStart(kernel: Kernel, { loop, carry, role }: Pointer): Term {
  const done = stepsDone(kernel, loop);
  switch (carry.kind) {
    case "in place":
      return startOf(kernel, carry.startPlace);
    case "double": {
      // Two buffers by turns.
      const first = startOf(kernel, carry.startPlace);
      const other = tableTerm(kernel, carry.otherCell, bufferName(kernel, carry.otherCell));
      const [even, odd] = role === "current" ? [first, other] : [other, first];
      const depth = Math.max(even.depth, odd.depth, done.depth);
      return kernel.bind(depth, "int", `select(${even.code}, ${odd.code}, (${done.code} & 1) == 1)`);
    }
    case "collected": {
      const start = startOf(kernel, carry.startPlace);
      const before = subtract(kernel, done, integer(1));
      const entry = startOf({ ...kernel, done: new Map([...kernel.done, [loop, before]]) }, carry.entry);
      const depth = Math.max(start.depth, entry.depth, done.depth);
      return kernel.bind(depth, "int", `select(${entry.code}, ${start.code}, ${done.code} == 0)`);
    }
    default:
      return carry satisfies never;
  }
}

/** Reads what lies at a place. */
export function loadFrom(kernel: Kernel, place: Place, positions: Positions, dtype: DType, hint?: string): Term {
  const address = addressOf(kernel, place, positions);
  const depth = Math.max(address.depth, kernel.readDepth());
  return kernel.bind(depth, dtype, loadCode(address.code, dtype), hint);
}

export function loadCode(address: string, dtype: DType): string {
  const word = `arena[${address}]`;
  if (dtype === "float") return `bitcast<f32>(${word})`;
  return dtype === "int" ? `bitcast<i32>(${word})` : `${word} != 0u`;
}

export function storeTo(kernel: Kernel, place: Place, positions: Positions, value: Term): void {
  const address = addressOf(kernel, place, positions);
  kernel.line(`arena[${address.code}] = ${wordCode(value.code, value.dtype)};`);
}

export function wordCode(code: string, dtype: DType): string {
  return dtype === "bool" ? `select(0u, 1u, ${code})` : `bitcast<u32>(${code})`;
}
