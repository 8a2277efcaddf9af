import { parentPort, workerData } from "node:worker_threads";
import { breakUp, importsOf, isBroken, type ThreadStart, writeFailure } from "./wasm-thread.ts";

/** Follows the thread that leads a program, run after run, until all are to end. */
function follow(start: ThreadStart): void {
  const { module, memory, failure } = start;
  const { exports } = new WebAssembly.Instance(module, { env: importsOf(start) });
  parentPort?.postMessage("ready");
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

follow(workerData);
