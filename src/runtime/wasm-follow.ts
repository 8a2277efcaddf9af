import { breakUp, importsOf, isBroken, type ThreadStart, writeFailure } from "./wasm-thread.ts";

/** In a worker: says that it is ready, then follows the thread that leads a program, run after run, until all are to end. */
export function follow(start: ThreadStart, ready: () => void): void {
  const { module, memory, failure } = start;
  const { exports } = new WebAssembly.Instance(module, { env: importsOf(start) });
  ready();
  try {
    if (typeof exports.follow !== "function") throw new Error("the module has nothing to follow");
    exports.follow();
  } catch (error) {
    // Where all are to end, waiting is how it ends.
    if (isBroken(memory)) return;
    writeFailure(failure, error);
    breakUp(memory);
  }
}
