import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { defineConfig, type Plugin } from "vitest/config";
import { BUILT } from "./test/support/built.ts";
import { LongestFirst } from "./test/support/sequence.ts";

/** Threads run the script that is built with the command line (`globalSetup`): one of TypeScript takes twice as long to start. */
const builtThreads: Plugin = {
  name: "built-threads",
  transform: {
    filter: { id: /wasm-node-spawn\.ts$/ },
    handler: (code) => code.replace("./wasm-node-worker.ts", `${pathToFileURL(dirname(BUILT))}/wasm-node-worker.js`),
  },
};

export default defineConfig({
  plugins: [builtThreads],
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/setup.ts",
    // Nothing in src keeps state of its own, so files share what they import: a fifth of the time.
    isolate: false,
    // Where nothing is said, one core is left idle.
    maxWorkers: "100%",
    sequence: { sequencer: LongestFirst },
    // A golden that is missing or differs is a failure; `npm run golden` rewrites them.
    update: process.argv.includes("--update") ? "all" : "none",
    // On a machine that has other work to do, a second of it may take many.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
