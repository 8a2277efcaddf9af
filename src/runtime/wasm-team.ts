import { searched } from "../target/wasm/arrange.ts";
import { tableAddress } from "../target/wasm/bind.ts";
import type { WasmProgram } from "../target/wasm/compile.ts";
import { TABLE } from "../target/wasm/context.ts";
import { MOST_PAGES } from "../target/wasm/encode-module.ts";
import { moduleOf } from "../target/wasm/module.ts";
import { HintedError } from "./hinted-error.ts";
import { createRunner, type WasmRunner } from "./wasm.ts";
import { breakUp, importsOf, isBroken, readFailure, type ThreadStart } from "./wasm-thread.ts";
import { threadPlace } from "./wasm-threads.ts";

/**
 * Starts a program on several threads: the results are those of one thread, bit for bit. This thread leads, the others follow in workers,
 * each with an instance of one module over one memory. One whose part fails ends the run of all; the program cannot run again then.
 */
export async function createWasmTeam(single: WasmProgram, threads: number): Promise<WasmRunner> {
  const program = single.threaded();
  const { name } = program;
  const table = moduleOf(program);
  const module = new WebAssembly.Module(program.module);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
  const failure = new SharedArrayBuffer(FAILURE_BYTES);
  const startOf = (thread: number): ThreadStart => ({
    ...{ module, memory, failure, thread, threads },
    table: tableAddress(table, thread) - TABLE,
    maySleep: thread > 0 || typeof window === "undefined",
  });
  const { exports } = new WebAssembly.Instance(module, { env: importsOf(startOf(0)) });
  try {
    const { spawn } = await (threadPlace() === "page"
      ? import("./wasm-page-spawn.ts")
      : import("./wasm-node-spawn.ts"));
    await Promise.all(Array.from({ length: threads - 1 }, (_, index) => spawn(startOf(index + 1))));
  } catch (cause) {
    breakUp(memory);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HintedError(
      `${name} cannot start ${threads} threads: ${why}`,
      "one thread gives the same numbers: --threads 1, in a page startWasm(undefined, { threads: 1 })",
    );
  }
  const { run } = exports;
  if (typeof run !== "function") throw new Error("internal: a program for threads lacks its functions");
  const lead = (): void => {
    const failed = (): Error => new Error(`internal: a thread of ${name} failed: ${readFailure(failure)}`);
    if (isBroken(memory)) throw failed();
    try {
      run();
    } catch (cause) {
      if (isBroken(memory)) throw failed();
      breakUp(memory);
      throw cause;
    }
  };
  const runner = createRunner(table, memory, { ...exports, run: lead }, searched(threads));
  return { ...runner, dispose: () => breakUp(memory) };
}

const FAILURE_BYTES = 1024;
