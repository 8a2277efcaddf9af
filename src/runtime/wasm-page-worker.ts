import { follow } from "./wasm-follow.ts";
import type { ThreadStart } from "./wasm-thread.ts";

/** What a worker of a page runs: its first message brings all that it needs. A page's worker stays until it closes. */
globalThis.addEventListener(
  "message",
  ({ data }: MessageEvent<ThreadStart>) => {
    try {
      follow(data, () => globalThis.postMessage("ready"));
    } finally {
      globalThis.close();
    }
  },
  { once: true },
);
