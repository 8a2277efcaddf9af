import type { ThreadStart } from "./wasm-thread.ts";

/** Starts a follower in a worker of a page and waits until it runs. Bundlers know a worker's script by this way of naming it. */
export function spawn(start: ThreadStart): Promise<void> {
  const worker = new Worker(new URL("./wasm-page-worker.ts", import.meta.url), { type: "module" });
  return new Promise<void>((resolve, reject) => {
    worker.addEventListener("message", () => resolve(), { once: true });
    // Where the script does not load, the event tells nothing.
    worker.addEventListener("error", ({ message }) => reject(new Error(message || "its script does not load")), {
      once: true,
    });
    worker.postMessage(start);
  });
}
