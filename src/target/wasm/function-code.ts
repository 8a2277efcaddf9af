import { type Code, i32, i32x4, type ValueType, writeCode } from "./encode-code.ts";
import { fold } from "./fold.ts";
import { numberLocals } from "./number-locals.ts";

/** A function's bytes, and the types of its variables beside its params. */
export interface FunctionCode {
  readonly bytes: readonly number[];
  readonly locals: readonly ValueType[];
}

/**
 * Writes a function down.
 * @param types of all its variables
 * @param params the variables that callers give, in order
 * @param compact whether values stand where they are needed, and few variables hold the others: nothing to do without variables of its own
 */
export function functionCode(
  body: readonly Code[],
  types: readonly ValueType[],
  params: readonly number[],
  compact: boolean,
): FunctionCode {
  const fixed = new Set(params);
  const typeOf = (index: number): ValueType => types[index] ?? unknown(index);
  if (compact && types.length > params.length) {
    const folded = fold(body.map(shortConstants), fixed);
    const given = params.map((index) => ({ index, type: typeOf(index) }));
    const { locals, numberOf } = numberLocals(folded, given, typeOf);
    return { bytes: bytesOf(folded, numberOf), locals };
  }
  const rest = [...types.keys()].filter((index) => !fixed.has(index));
  const numbers = new Map([...params, ...rest].map((index, place) => [index, place]));
  return { bytes: bytesOf(body, (index) => numbers.get(index) ?? unknown(index)), locals: rest.map(typeOf) };
}

/** Vectors of one number four times are made of that number. */
function shortConstants(code: Code): Code {
  const [prefix, kind, ...bytes] = code.op;
  if (prefix === 0xfd && kind === 0x0c) {
    const words = new Int32Array(Uint8Array.from(bytes).buffer);
    const [first = 0] = words;
    return words.every((word) => word === first) ? i32x4.splat(i32.const(first)) : code;
  }
  const args = code.args.map(shortConstants);
  return args.every((arg, at) => arg === code.args[at]) ? code : { ...code, args };
}

function bytesOf(body: readonly Code[], numberOf: (index: number) => number): readonly number[] {
  const bytes: number[] = [];
  for (const code of body) writeCode(code, bytes, numberOf);
  bytes.push(END);
  return bytes;
}

const END = 0x0b;

function unknown(index: number): never {
  throw new Error(`internal: a function has no variable ${index}`);
}
