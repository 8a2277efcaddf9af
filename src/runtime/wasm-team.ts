import { Worker } from "node:worker_threads";
import { tableAddress } from "../target/wasm/bind.ts";
import type { WasmProgram } from "../target/wasm/compile.ts";
import { TABLE } from "../target/wasm/context.ts";
import { MOST_PAGES } from "../target/wasm/encode-module.ts";
import { moduleOf } from "../target/wasm/module.ts";
import { createRunner, type WasmRunner } from "./wasm.ts";
import { breakUp, importsOf, isBroken, readFailure, type ThreadStart } from "./wasm-thread.ts";

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
  });
  const { exports } = new WebAssembly.Instance(module, { env: importsOf(startOf(0)) });
  try {
    await Promise.all(Array.from({ length: threads - 1 }, (_, index) => startWorker(startOf(index + 1))));
  } catch (cause) {
    breakUp(memory);
    throw new Error(`internal: ${name} cannot start ${threads} threads`, { cause });
  }
  const lead = (run: () => void): void => {
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
  return createRunner(table, memory, exports, { count: threads - 1, lead, dispose: () => breakUp(memory) });
}

const FAILURE_BYTES = 1024;

/** Starts a follower and waits until it runs; it does not keep the process alive. */
function startWorker(start: ThreadStart): Promise<void> {
  const worker = new Worker(new URL("./wasm-worker.ts", import.meta.url), { workerData: start, execArgv: [] });
  return new Promise<void>((resolve, reject) => {
    worker.once("message", () => {
      worker.unref();
      resolve();
    });
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`a worker ended with code ${code}`)));
  });
}
