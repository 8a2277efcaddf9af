import { unsigned } from "./encode-bytes.ts";
import { code, type I32, type Statement } from "./encode-code.ts";

/* Instructions of the threads proposal: 32-bit integers that several threads read and write. Accesses are sequentially consistent. */

const WORD = 2;
const access = (op: number, offset: number): readonly number[] => [0xfe, op, WORD, ...unsigned(offset)];

export const atomic = {
  load: (address: I32, offset = 0): I32 => code("i32", access(0x10, offset), address),
  store: (address: I32, value: I32, offset = 0): Statement => code("none", access(0x17, offset), address, value),
  /** Adds, and gives what was there before. */
  add: (address: I32, value: I32, offset = 0): I32 => code("i32", access(0x1e, offset), address, value),
  /** Sleeps while the number is `expected`; 0 woken, 1 it was another. Traps on threads that may not sleep. */
  wait: (address: I32, expected: I32, offset = 0): I32 =>
    code("i32", access(0x01, offset), address, expected, FOR_EVER),
  /** Wakes up to `count` sleepers; gives how many. */
  notify: (address: I32, count: I32, offset = 0): I32 => code("i32", access(0x00, offset), address, count),
} as const;

/** An i64 of -1: no time limit. */
const FOR_EVER = code("i64", [0x42, 0x7f]);

/** Computes and forgets. */
export function drop(value: I32): Statement {
  return code("none", [0x1a], value);
}
