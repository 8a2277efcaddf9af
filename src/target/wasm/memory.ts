import { constantSize, multiplySizes } from "../../ir/size.ts";
import type { DType } from "../../ir/type.ts";
import type { Place } from "../../plan/place.ts";
import { call, type I32, i32, i32x4, type Statement, type V128, v128, when } from "./encode-code.ts";
import type { Kernel, Scalar } from "./kernel.ts";
import { someFunction } from "./some.ts";

/** Four numbers, the same one four times where it is computed outside of the vector loop. Booleans are all ones or all zeros. */
export interface Vector {
  readonly code: V128;
  readonly depth: number;
  readonly key: string;
  readonly dtype: DType;
  /** The number that it is in all lanes, where that is known. */
  readonly literal?: number;
}

/** Where along an axis a kernel is. */
export type Position =
  | { readonly kind: "scalar"; readonly at: Scalar }
  /** Lane i is at `at + plus + i`. */
  | { readonly kind: "run"; readonly at: Scalar; readonly plus: number }
  | { readonly kind: "lanes"; readonly at: Vector };

/** By axis. */
export type Positions = ReadonlyMap<string, Position>;

export function positionKey(position: Position): string {
  switch (position.kind) {
    case "scalar":
      return position.at.key;
    case "run":
      return `run ${position.at.key}+${position.plus}`;
    case "lanes":
      return `lanes ${position.at.key}`;
    default:
      return position satisfies never;
  }
}

export function positionDepth(position: Position): number {
  return position.at.depth;
}

export function scalarPosition(at: Scalar): Position {
  return { kind: "scalar", at };
}

export function positionAlong(positions: Positions, axis: string): Position {
  const position = positions.get(axis);
  if (position === undefined) throw new Error(`internal: a kernel has no position along ${axis}`);
  return position;
}

/** A position as one integer in each lane. */
export function positionVector(kernel: Kernel, position: Position): Vector {
  if (position.kind === "lanes") return position.at;
  const { at } = position;
  const depth = at.depth;
  const key = `vector ${positionKey(position)}`;
  const splat = i32x4.splat(at.code);
  const code = position.kind === "scalar" ? splat : i32x4.add(splat, laneNumbers(kernel, position.plus));
  return { code: kernel.bind(depth, code, key), depth, key, dtype: "int" };
}

/** 0, 1, 2, 3 and `plus`; where fewer positions than four count, none is beyond the last of them. */
function laneNumbers(kernel: Kernel, plus = 0): V128 {
  const left = kernel.left();
  if (left === undefined) return i32x4.lanes([0, 1, 2, 3].map((lane) => lane + plus));
  const last = i32x4.splat(i32.sub(left.code, i32.const(1)));
  const lanes = kernel.bind(kernel.vectorDepth(), i32x4.min(i32x4.lanes([0, 1, 2, 3]), last), "lane numbers");
  return plus === 0 ? lanes : i32x4.add(lanes, i32x4.splat(i32.const(plus)));
}

/** Where a value's elements are: how addresses go from lane to lane. */
interface Address {
  readonly base: Scalar;
  readonly offset: number;
  readonly across:
    | { readonly kind: "none" }
    | { readonly kind: "next" }
    /** Bytes from lane to lane. */
    | { readonly kind: "strided"; readonly step: Scalar }
    /** Bytes of each lane. */
    | { readonly kind: "lanes"; readonly offsets: V128 };
  readonly depth: number;
}

function addressOf(kernel: Kernel, place: Place, positions: Positions): Address {
  const terms: Scalar[] = [];
  let offset = 0;
  let across: Address["across"] = { kind: "none" };
  let depth = 0;
  const bytes = (stride: Place["steps"][number]["stride"]): Scalar =>
    kernel.size(multiplySizes(stride, constantSize(4)));
  const addTerm = (term: Scalar): void => {
    if (term.constant !== undefined && term.constant >= 0) offset += term.constant;
    else terms.push(term);
    depth = Math.max(depth, term.depth);
  };
  const addLanes = (lanes: V128): void => {
    const before =
      across.kind === "lanes" ? across.offsets : across.kind === "none" ? undefined : stepsOf(kernel, across);
    across = { kind: "lanes", offsets: before === undefined ? lanes : i32x4.add(before, lanes) };
  };
  if (place.offset !== undefined) addTerm(bytes(place.offset));
  for (const { loop, stride } of place.steps) addTerm(kernel.multiply(kernel.position(loop), bytes(stride)));
  for (const [axis, stride] of place.strides) {
    const step = bytes(stride);
    if (step.constant === 0) continue;
    const position = positionAlong(positions, axis);
    if (position.kind === "lanes") {
      addLanes(i32x4.mul(position.at.code, i32x4.splat(step.code)));
      depth = Math.max(depth, position.at.depth);
      continue;
    }
    addTerm(kernel.multiply(position.at, step));
    if (position.kind === "scalar") continue;
    depth = Math.max(depth, position.at.depth);
    addTerm(kernel.multiply(kernel.constant(position.plus), step));
    if (across.kind !== "none") addLanes(stepsOf(kernel, { kind: "strided", step }));
    else if (step.constant === 4) across = { kind: "next" };
    else if (kernel.left() === undefined) across = { kind: "strided", step };
    else addLanes(stepsOf(kernel, { kind: "strided", step }));
  }
  terms.sort((a, b) => a.depth - b.depth);
  const base = terms.reduce((sum, term) => kernel.add(sum, term), kernel.cell(place.cell));
  return { base, offset, across, depth: Math.max(depth, base.depth) };
}

/** Where a place starts, at the present positions of the loops around. */
export function baseAddress(kernel: Kernel, place: Place): Scalar {
  const { base, offset } = addressOf(kernel, { ...place, strides: new Map() }, new Map());
  return kernel.add(base, kernel.constant(offset));
}

/** Bytes of each lane where neighbours are evenly apart. */
function stepsOf(
  kernel: Kernel,
  across: { readonly kind: "next" } | { readonly kind: "strided"; readonly step: Scalar },
): V128 {
  const step = across.kind === "next" ? kernel.constant(4) : across.step;
  return i32x4.mul(i32x4.splat(step.code), laneNumbers(kernel));
}

/** The address of lane `lane`, and what to add to it. */
function laneAddress(kernel: Kernel, { base, offset, across, depth }: Address, lane: number): readonly [I32, number] {
  switch (across.kind) {
    case "none":
      return [base.code, offset];
    case "next":
      return [base.code, offset + 4 * lane];
    case "strided": {
      if (across.step.constant !== undefined) return [base.code, offset + across.step.constant * lane];
      const far = kernel.multiply(across.step, kernel.constant(lane));
      return [i32.add(base.code, far.code), offset];
    }
    case "lanes": {
      const offsets = kernel.bind(depth, across.offsets);
      return [i32.add(base.code, i32x4.extract(offsets, lane)), offset];
    }
    default:
      return across satisfies never;
  }
}

/** Reads what lies at a place; at depth `inside` at least, where the kernel itself changes it. */
export function loadFrom(kernel: Kernel, place: Place, positions: Positions, dtype: DType, inside = 0): Vector {
  const found = addressOf(kernel, place, positions);
  const address: Address = { ...found, depth: Math.max(found.depth, inside) };
  const { across, depth, base, offset } = address;
  // Equal keys are equal numbers: where lanes lie apart, it matters how.
  const lanes = across.kind === "lanes" || across.kind === "strided" ? ` ${lanesKey(place, positions)}` : "";
  const key = `load ${place.cell} ${base.key}+${offset} ${across.kind}${lanes}`;
  const raw = loadCode(kernel, address);
  return { code: kernel.bind(depth, dtype === "bool" ? i32x4.neg(raw) : raw), depth, key, dtype };
}

function lanesKey(place: Place, positions: Positions): string {
  const parts = [...place.strides].map(
    ([axis, stride]) => `${stride.text}*${positionKey(positionAlong(positions, axis))}`,
  );
  return parts.join(" + ");
}

function loadCode(kernel: Kernel, address: Address): V128 {
  const { across, depth } = address;
  const [first, offset] = laneAddress(kernel, address, 0);
  if (depth < kernel.vectorDepth()) return v128.load32Splat(first, offset);
  if (kernel.width() === 1) return v128.load32Zero(first, offset);
  if (across.kind === "none") return v128.load32Splat(first, offset);
  if (across.kind === "next") return v128.load(first, offset);
  // The lanes' byte offsets are read four times.
  const settled: Address =
    across.kind === "lanes"
      ? { ...address, across: { kind: "lanes", offsets: kernel.bind(depth, across.offsets) } }
      : address;
  let code = v128.load32Zero(...laneAddressOnce(kernel, settled, 0));
  for (const lane of [1, 2, 3]) {
    const [at, plus] = laneAddressOnce(kernel, settled, lane);
    code = v128.load32Lane(at, code, lane, plus);
  }
  return code;
}

function laneAddressOnce(kernel: Kernel, address: Address, lane: number): readonly [I32, number] {
  if (address.across.kind !== "lanes") return laneAddress(kernel, address, lane);
  return [i32.add(address.base.code, i32x4.extract(address.across.offsets, lane)), address.offset];
}

/** Writes to a place; only lanes that count. */
export function storeTo(kernel: Kernel, place: Place, positions: Positions, value: Vector): void {
  const address = addressOf(kernel, place, positions);
  const { across } = address;
  const code = value.dtype === "bool" ? i32x4.neg(value.code) : value.code;
  if (kernel.width() === 4 && across.kind === "next") {
    const [at, offset] = laneAddress(kernel, address, 0);
    const left = kernel.left();
    if (left === undefined) kernel.emit(v128.store(at, code, offset));
    else {
      const to = offset === 0 ? at : i32.add(at, i32.const(offset));
      kernel.emit(call(someFunction(kernel.context.module), to, code, left.code));
    }
    return;
  }
  const count = kernel.width() === 1 || across.kind === "none" ? 1 : 4;
  const bound = count === 1 ? code : kernel.bind(kernel.depth(), code);
  kernel.emit(...storeLanes(kernel, address, bound, count));
}

function storeLanes(kernel: Kernel, address: Address, code: V128, count: number): readonly Statement[] {
  const left = kernel.left();
  return Array.from({ length: count }, (_, lane) => {
    const [at, offset] = laneAddress(kernel, address, lane);
    const store = v128.store32Lane(at, code, lane, offset);
    return left === undefined || lane === 0 ? store : when(i32.gt(left.code, i32.const(lane)), [store]);
  });
}
