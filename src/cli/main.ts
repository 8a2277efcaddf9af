#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// Compiled sources are kept between runs: a command starts in a fraction of the time.
enableCompileCache();
try {
  const { runCommandLine } = await import("./commands.ts");
  await runCommandLine(process.argv);
} catch (error) {
  process.stderr.write(`internal error: seqc itself is broken: is it installed whole?\n${String(error)}\n`);
  process.exitCode = 2;
}
