import { Worker } from "node:worker_threads";
import type { ThreadStart } from "./wasm-thread.ts";

/** Named apart from where it is used: bundlers would pack it for a page too. */
const SCRIPT = "./wasm-node-worker.ts";

/** Starts a follower in a worker of Node and waits until it runs; it does not keep the process alive. */
export function spawn(start: ThreadStart): Promise<void> {
  const worker = new Worker(new URL(SCRIPT, import.meta.url), { workerData: start, execArgv: [] });
  return new Promise<void>((resolve, reject) => {
    worker.once("message", () => {
      worker.unref();
      resolve();
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a worker ended with code ${code}`)));
  });
}
