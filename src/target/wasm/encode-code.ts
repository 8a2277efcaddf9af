import { float32, float64, int32, signed, signed64, unsigned } from "./encode-bytes.ts";

/** The types of WebAssembly values; a statement leaves none. */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";
export type CodeType = ValueType | "none";

/**
 * An instruction with its operands: a tree that is turned into bytes once. A tree that stands in two places is computed twice;
 * `local.tee` or a `set` before is how to compute it once.
 */
export interface Code<T extends CodeType = CodeType> {
  readonly type: T;
  /** What stands behind the operands. */
  readonly op: readonly number[];
  readonly args: readonly Code[];
  /** What stands before the operands' bytes: the head of a block. */
  readonly head?: readonly number[];
  /** The variable that the instruction itself reads or writes; `op` says the same. */
  readonly local?: LocalUse;
}

export interface LocalUse {
  readonly kind: keyof typeof LOCAL;
  readonly index: number;
}

export type I32 = Code<"i32">;
export type I64 = Code<"i64">;
export type F32 = Code<"f32">;
export type F64 = Code<"f64">;
export type V128 = Code<"v128">;
export type Statement = Code<"none">;

/** A local variable of a function. */
export interface Local<T extends ValueType = ValueType> {
  readonly type: T;
  readonly index: number;
}

/** A function of the module. */
export interface FunctionReference<R extends CodeType = CodeType> {
  readonly index: number;
  readonly params: readonly ValueType[];
  readonly result: R;
}

/** A function that gives nothing. */
export type Procedure = FunctionReference<"none">;

/** `renumbered` gives locals other numbers, where they get some. */
export function writeCode(code: Code, out: number[], renumbered?: (index: number) => number): void {
  if (code.head !== undefined) for (const byte of code.head) out.push(byte);
  for (const arg of code.args) writeCode(arg, out, renumbered);
  const { op, local: use } = code;
  const bytes = renumbered !== undefined && use !== undefined ? localOp(use.kind, renumbered(use.index)) : op;
  for (const byte of bytes) out.push(byte);
}

const LOCAL = { get: 0x20, set: 0x21, tee: 0x22 } as const;

function localOp(kind: LocalUse["kind"], index: number): readonly number[] {
  return [LOCAL[kind], ...unsigned(index)];
}

/** An instruction that reads or writes a variable. */
function localCode<T extends CodeType>(type: T, use: LocalUse, ...args: readonly Code[]): Code<T> {
  return { type, op: localOp(use.kind, use.index), args, local: use };
}

/** An instruction from its bytes. */
export function code<T extends CodeType>(type: T, op: readonly number[], ...args: readonly Code[]): Code<T> {
  return { type, op, args };
}

const unary =
  <A extends ValueType, T extends ValueType>(_from: A, type: T, ...op: readonly number[]) =>
  (a: Code<A>): Code<T> =>
    code(type, op, a);
const binary =
  <A extends ValueType, T extends ValueType>(_from: A, type: T, ...op: readonly number[]) =>
  (a: Code<A>, b: Code<A>): Code<T> =>
    code(type, op, a, b);
const simd = (op: number): readonly number[] => [0xfd, ...unsigned(op)];
const vector1 = (op: number) => unary("v128", "v128", ...simd(op));
const vector2 = (op: number) => binary("v128", "v128", ...simd(op));
const memory = (op: readonly number[], align: number, offset: number): readonly number[] => [
  ...op,
  align,
  ...unsigned(offset),
];
const load =
  <T extends ValueType>(type: T, op: readonly number[], align: number) =>
  (address: I32, offset = 0): Code<T> =>
    code(type, memory(op, align, offset), address);
const store =
  <T extends ValueType>(_type: T, op: readonly number[], align: number) =>
  (address: I32, value: Code<T>, offset = 0): Statement =>
    code("none", memory(op, align, offset), address, value);

export const i32 = {
  const: (value: number): I32 => code("i32", [0x41, ...signed(value)]),
  load: load("i32", [0x28], 2),
  store: store("i32", [0x36], 2),
  eqz: unary("i32", "i32", 0x45),
  eq: binary("i32", "i32", 0x46),
  ne: binary("i32", "i32", 0x47),
  lt: binary("i32", "i32", 0x48),
  ltUnsigned: binary("i32", "i32", 0x49),
  gt: binary("i32", "i32", 0x4a),
  le: binary("i32", "i32", 0x4c),
  ge: binary("i32", "i32", 0x4e),
  add: binary("i32", "i32", 0x6a),
  sub: binary("i32", "i32", 0x6b),
  mul: binary("i32", "i32", 0x6c),
  divUnsigned: binary("i32", "i32", 0x6e),
  remSigned: binary("i32", "i32", 0x6f),
  remUnsigned: binary("i32", "i32", 0x70),
  and: binary("i32", "i32", 0x71),
  or: binary("i32", "i32", 0x72),
  xor: binary("i32", "i32", 0x73),
  shl: binary("i32", "i32", 0x74),
  shrSigned: binary("i32", "i32", 0x75),
  shrUnsigned: binary("i32", "i32", 0x76),
  wrap: unary("i64", "i32", 0xa7),
  truncateF64: unary("f64", "i32", 0xfc, 2),
  reinterpret: unary("f32", "i32", 0xbc),
} as const;

export const i64 = {
  const: (value: bigint): I64 => code("i64", [0x42, ...signed64(value)]),
  load: load("i64", [0x29], 2),
  eq: binary("i64", "i32", 0x51),
  add: binary("i64", "i64", 0x7c),
  sub: binary("i64", "i64", 0x7d),
  mul: binary("i64", "i64", 0x7e),
  and: binary("i64", "i64", 0x83),
  or: binary("i64", "i64", 0x84),
  xor: binary("i64", "i64", 0x85),
  shl: binary("i64", "i64", 0x86),
  shrSigned: binary("i64", "i64", 0x87),
  shrUnsigned: binary("i64", "i64", 0x88),
  extend: unary("i32", "i64", 0xac),
  extendUnsigned: unary("i32", "i64", 0xad),
  reinterpret: unary("f64", "i64", 0xbd),
} as const;

export const f32 = {
  const: (value: number): F32 => code("f32", [0x43, ...float32(value)]),
  load: load("f32", [0x2a], 2),
  store: store("f32", [0x38], 2),
  add: binary("f32", "f32", 0x92),
  mul: binary("f32", "f32", 0x94),
  demote: unary("f64", "f32", 0xb6),
  reinterpret: unary("i32", "f32", 0xbe),
} as const;

export const f64 = {
  const: (value: number): F64 => code("f64", [0x44, ...float64(value)]),
  eq: binary("f64", "i32", 0x61),
  ne: binary("f64", "i32", 0x62),
  lt: binary("f64", "i32", 0x63),
  gt: binary("f64", "i32", 0x64),
  le: binary("f64", "i32", 0x65),
  ge: binary("f64", "i32", 0x66),
  abs: unary("f64", "f64", 0x99),
  neg: unary("f64", "f64", 0x9a),
  ceil: unary("f64", "f64", 0x9b),
  floor: unary("f64", "f64", 0x9c),
  trunc: unary("f64", "f64", 0x9d),
  nearest: unary("f64", "f64", 0x9e),
  sqrt: unary("f64", "f64", 0x9f),
  add: binary("f64", "f64", 0xa0),
  sub: binary("f64", "f64", 0xa1),
  mul: binary("f64", "f64", 0xa2),
  div: binary("f64", "f64", 0xa3),
  min: binary("f64", "f64", 0xa4),
  max: binary("f64", "f64", 0xa5),
  copysign: binary("f64", "f64", 0xa6),
  convert: unary("i32", "f64", 0xb7),
  convertI64: unary("i64", "f64", 0xb9),
  promote: unary("f32", "f64", 0xbb),
  reinterpret: unary("i64", "f64", 0xbf),
} as const;

const laneLoad =
  (op: number) =>
  (address: I32, value: V128, lane: number, offset = 0): V128 =>
    code("v128", [...memory(simd(op), 2, offset), lane], address, value);
const laneStore =
  (op: number) =>
  (address: I32, value: V128, lane: number, offset = 0): Statement =>
    code("none", [...memory(simd(op), 2, offset), lane], address, value);

function fourTimes(lane: readonly number[]): readonly number[] {
  return [...lane, ...lane, ...lane, ...lane];
}

export const v128 = {
  load: load("v128", simd(0x00), 2),
  load32Splat: load("v128", simd(0x09), 2),
  load32Zero: load("v128", simd(0x5c), 2),
  store: store("v128", simd(0x0b), 2),
  load32Lane: laneLoad(0x56),
  store32Lane: laneStore(0x5a),
  not: vector1(0x4d),
  and: vector2(0x4e),
  /** a & ~b */
  andNot: vector2(0x4f),
  or: vector2(0x50),
  xor: vector2(0x51),
  /** Bits of `a` where the mask's are set, else of `b`. */
  bitselect: (a: V128, b: V128, mask: V128): V128 => code("v128", simd(0x52), a, b, mask),
  /** The same for masks whose lanes are all ones or all zeros, in one instruction where the machine has it (relaxed SIMD). */
  relaxedSelect: (a: V128, b: V128, mask: V128): V128 => code("v128", simd(0x10b), a, b, mask),
  anyTrue: unary("v128", "i32", ...simd(0x53)),
  /** Sixteen byte positions, of `a` below 16, of `b` from there on. */
  shuffle: (a: V128, b: V128, lanes: readonly number[]): V128 => code("v128", [...simd(0x0d), ...lanes], a, b),
  constant: (bytes: readonly number[]): V128 => code("v128", [...simd(0x0c), ...bytes]),
} as const;

/** A shuffle of 32-bit lanes: 0 … 3 of `a`, 4 … 7 of `b`. */
export function shuffle32(a: V128, b: V128, lanes: readonly [number, number, number, number]): V128 {
  return v128.shuffle(
    a,
    b,
    lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
  );
}

const extract =
  <T extends ValueType>(type: T, op: number) =>
  (value: V128, lane: number): Code<T> =>
    code(type, [...simd(op), lane], value);
const replace =
  <T extends ValueType>(_type: T, op: number) =>
  (value: V128, lane: number, entry: Code<T>): V128 =>
    code("v128", [...simd(op), lane], value, entry);
const shift =
  (op: number) =>
  (value: V128, count: number): V128 =>
    code("v128", simd(op), value, i32.const(count));

export const i32x4 = {
  splat: unary("i32", "v128", ...simd(0x11)),
  const: (value: number): V128 => v128.constant(fourTimes(int32(value))),
  /** Four different numbers. */
  lanes: (values: readonly number[]): V128 => v128.constant(values.flatMap(int32)),
  extract: extract("i32", 0x1b),
  replace: replace("i32", 0x1c),
  eq: vector2(0x37),
  ne: vector2(0x38),
  lt: vector2(0x39),
  gt: vector2(0x3b),
  le: vector2(0x3d),
  ge: vector2(0x3f),
  abs: vector1(0xa0),
  neg: vector1(0xa1),
  shl: shift(0xab),
  shrSigned: shift(0xac),
  shrUnsigned: shift(0xad),
  add: vector2(0xae),
  sub: vector2(0xb1),
  mul: vector2(0xb5),
  min: vector2(0xb6),
  max: vector2(0xb8),
  truncate: vector1(0xf8),
} as const;

/** 64-bit products of the unsigned 32-bit lanes 0 and 1, and 2 and 3. */
export const i64x2 = { extendMultiplyLow: vector2(0xde), extendMultiplyHigh: vector2(0xdf) } as const;

export const f32x4 = {
  splat: unary("f32", "v128", ...simd(0x13)),
  const: (value: number): V128 => v128.constant(fourTimes(float32(value))),
  extract: extract("f32", 0x1f),
  replace: replace("f32", 0x20),
  eq: vector2(0x41),
  ne: vector2(0x42),
  lt: vector2(0x43),
  gt: vector2(0x44),
  le: vector2(0x45),
  ge: vector2(0x46),
  ceil: vector1(0x67),
  floor: vector1(0x68),
  trunc: vector1(0x69),
  /** To the nearest integer, halves to the even one. */
  nearest: vector1(0x6a),
  abs: vector1(0xe0),
  neg: vector1(0xe1),
  sqrt: vector1(0xe3),
  add: vector2(0xe4),
  sub: vector2(0xe5),
  mul: vector2(0xe6),
  div: vector2(0xe7),
  /** NaN where either is. */
  min: vector2(0xe8),
  max: vector2(0xe9),
  /** `b < a ? b : a` */
  pseudoMin: vector2(0xea),
  /** `a < b ? b : a` */
  pseudoMax: vector2(0xeb),
  convert: vector1(0xfa),
  /** a·b + c, rounded once where the machine can (relaxed SIMD). */
  relaxedMultiplyAdd: (a: V128, b: V128, c: V128): V128 => code("v128", simd(0x105), a, b, c),
} as const;

export const local = {
  get: <T extends ValueType>({ type, index }: Local<T>): Code<T> => localCode(type, { kind: "get", index }),
  set: <T extends ValueType>({ index }: Local<T>, value: Code<T>): Statement =>
    localCode("none", { kind: "set", index }, value),
  tee: <T extends ValueType>({ type, index }: Local<T>, value: Code<T>): Code<T> =>
    localCode(type, { kind: "tee", index }, value),
} as const;

/** A `set` that leaves its value, which is of a type, behind as well. */
export function leaving<T extends CodeType>({ args, local: use }: Code, type: T): Code<T> {
  if (use === undefined) throw new Error("internal: nothing is set");
  return localCode(type, { kind: "tee", index: use.index }, ...args);
}

/** A number that the host gives a module when it is started. */
export function globalGet(index: number): I32 {
  return code("i32", [0x23, ...unsigned(index)]);
}

/** Ends everything with an error that the host sees. */
export function trap(): Statement {
  return code("none", [0x00]);
}

const EMPTY_BLOCK = 0x40;
const END = 0x0b;

/** Statements in order. */
export function sequence(...statements: readonly Statement[]): Statement {
  return code("none", [], ...statements);
}

/** Branching to depth 0 inside leaves the block. */
export function block(...body: readonly Statement[]): Statement {
  return { ...code("none", [END], ...body), head: [0x02, EMPTY_BLOCK] };
}

/** Branching to depth 0 inside starts the loop's body again. */
export function loop(...body: readonly Statement[]): Statement {
  return { ...code("none", [END], ...body), head: [0x03, EMPTY_BLOCK] };
}

export function when(condition: I32, then: readonly Statement[], otherwise: readonly Statement[] = []): Statement {
  const yes: Statement = { ...code("none", [], ...then), head: [0x04, EMPTY_BLOCK] };
  const no: Statement = { ...code("none", [], ...otherwise), head: [0x05] };
  return code("none", [END], condition, yes, ...(otherwise.length > 0 ? [no] : []));
}

/** The one or the other; both are computed. */
export function choose<T extends ValueType>(condition: I32, yes: Code<T>, no: Code<T>): Code<T> {
  return code(yes.type, yes.type === "v128" ? [0x1c, 1, 0x7b] : [0x1b], yes, no, condition);
}

export function branch(depth: number): Statement {
  return code("none", [0x0c, ...unsigned(depth)]);
}

export function branchIf(depth: number, condition: I32): Statement {
  return code("none", [0x0d, ...unsigned(depth)], condition);
}

export function call<R extends CodeType>(
  { index, params, result }: FunctionReference<R>,
  ...args: readonly Code[]
): Code<R> {
  if (args.length !== params.length || args.some((arg, at) => arg.type !== params[at])) {
    throw new Error(
      `internal: function ${index} takes (${params.join(", ")}), not (${args.map((arg) => arg.type).join(", ")})`,
    );
  }
  return code(result, [0x10, ...unsigned(index)], ...args);
}

/** Copies `size` bytes; the places may overlap. */
export function memoryCopy(to: I32, from: I32, size: I32): Statement {
  return code("none", [0xfc, 0x0a, 0, 0], to, from, size);
}

export function memoryFill(at: I32, byte: I32, size: I32): Statement {
  return code("none", [0xfc, 0x0b, 0], at, byte, size);
}
