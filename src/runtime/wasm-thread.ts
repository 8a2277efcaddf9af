import { BROKEN, CONTROL } from "../target/wasm/threads.ts";

/** What a thread is started with. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where a thread that fails says why: the length of the text in bytes, then the text. */
  readonly failure: SharedArrayBuffer;
  readonly thread: number;
  readonly threads: number;
  /** What addresses of this thread's cells are counted from. */
  readonly table: number;
  /** Whether it may sleep while it waits: workers may, and Node's own thread, but not the thread that a page is drawn by. */
  readonly maySleep: boolean;
}

/** What an instance is given. */
export function importsOf(start: ThreadStart): Record<string, WebAssembly.ImportValue> {
  const { memory, table, thread, threads, maySleep } = start;
  return { memory, table, thread, threads, maySleep: Number(maySleep) };
}

/** Whether all threads are to end: one has failed, or they are not needed any more. */
export function isBroken(memory: WebAssembly.Memory): boolean {
  return Atomics.load(new Int32Array(memory.buffer), CONTROL.epoch / 4) === BROKEN;
}

/** Ends all threads at their next barrier. */
export function breakUp(memory: WebAssembly.Memory): void {
  const words = new Int32Array(memory.buffer);
  Atomics.store(words, CONTROL.epoch / 4, BROKEN);
  Atomics.notify(words, CONTROL.epoch / 4);
}

export function writeFailure(failure: SharedArrayBuffer, error: unknown): void {
  const text = new TextEncoder().encode(error instanceof Error ? error.message : String(error));
  const room = new Uint8Array(failure, TEXT);
  const length = Math.min(text.length, room.length);
  room.set(text.subarray(0, length));
  Atomics.store(new Int32Array(failure), 0, length);
}

export function readFailure(failure: SharedArrayBuffer): string {
  const length = Atomics.load(new Int32Array(failure), 0);
  // A decoder takes no shared memory.
  return length === 0 ? "no more is known" : new TextDecoder().decode(new Uint8Array(failure, TEXT, length).slice());
}

const TEXT = 4;
