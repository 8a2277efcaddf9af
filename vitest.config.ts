import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/setup.ts",
    // Nothing in src keeps state of its own, so files share what they import: a fifth of the time.
    isolate: false,
    // Where nothing is said, one core is left idle.
    maxWorkers: "100%",
    // A golden that is missing or differs is a failure; `npm run golden` rewrites them.
    update: process.argv.includes("--update") ? "all" : "none",
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
