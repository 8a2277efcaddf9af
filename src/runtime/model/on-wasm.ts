import { readBytes } from "../../base/printable.ts";
import { placeInOrder } from "../../plan/arena.ts";
import type { Arrangement } from "../../target/wasm/bind.ts";
import type { WasmModule } from "../../target/wasm/module.ts";
import { createRunner } from "../wasm.ts";
import { callArguments, type Machine, type Results } from "./program.ts";

/** As `printBytes` writes them: the module of all of a model's programs for every engine with SIMD, and perhaps a faster one for those with relaxed SIMD. */
export interface WasmCode {
  readonly plain: string;
  readonly relaxed?: string;
}

/** How memory is laid out that was compiled in another place: nothing is searched. */
const IN_ORDER: Arrangement = {
  threads: 1,
  part: () => 0,
  span: (span) => span,
  place: (spans, { order = [...spans.keys()] }) => placeInOrder(spans, order),
};

/** Runs programs of one module of WebAssembly. Opening them throws where there is no WebAssembly with SIMD. */
export function onWasm(code: WasmCode): Machine<WasmModule> {
  let compiled: Promise<WebAssembly.Module> | undefined;
  return {
    async open(spec) {
      compiled ??= compileCode(code);
      const memory = new WebAssembly.Memory({ initial: 1 });
      const instance = await WebAssembly.instantiate(await compiled, { env: { memory } });
      const runner = createRunner(spec.module, memory, instance.exports, IN_ORDER);
      let results: Results[] = [];
      return {
        memory: spec.module,
        bind: runner.bind,
        write: runner.write,
        read: (params) => params.map(runner.readParam),
        start(call, more) {
          for (const [name, value] of callArguments(spec, spec.module, call, more)) runner.write(name, value);
          runner.run();
          results.push(Object.fromEntries(spec.results.map((entry) => [entry.as, runner.read(entry.name)])));
        },
        finish() {
          const done = results;
          results = [];
          return done;
        },
        dispose: () => undefined,
      };
    },
    dispose: () => undefined,
  };
}

async function compileCode({ plain, relaxed }: WasmCode): Promise<WebAssembly.Module> {
  const fast = relaxed === undefined ? undefined : readBytes(relaxed);
  return WebAssembly.compile(fast !== undefined && WebAssembly.validate(fast) ? fast : readBytes(plain));
}
