import type { SizeBinding } from "../ir/size.ts";
import { numberOf, sizesOf } from "../plan/bound-size.ts";
import { searched } from "../target/wasm/arrange.ts";
import { isBuffer, layOutMemory } from "../target/wasm/bind.ts";
import type { WasmProgram } from "../target/wasm/compile.ts";
import { moduleOf } from "../target/wasm/module.ts";
import { HintedError } from "./hinted-error.ts";
import { MOST_BYTES } from "./wasm.ts";

/** Whether a program keeps within a budget for sizes, one thread's tables and scratch counted. */
export function keepsWithin(program: WasmProgram, sizes: SizeBinding, budget: number): boolean {
  const module = moduleOf(program);
  const bound = sizesOf(module, sizes);
  const all = module.cells.reduce<number>(
    (sum, cell) => (isBuffer(cell) ? sum + numberOf(cell.bytes, bound) : sum),
    module.table + 4 * module.cells.length,
  );
  return 2 * all <= budget || bytesOf(program, sizes) <= budget;
}

function bytesOf(program: WasmProgram, sizes: SizeBinding): number {
  const module = moduleOf(program);
  return layOutMemory(module, sizesOf(module, sizes), searched()).bytes;
}

/** What to say where even the form of a program that keeps least is too large. */
export function overBudget(program: WasmProgram, sizes: SizeBinding, budget: number): HintedError {
  const bound = [...sizes].map(([size, value]) => `${size} = ${value}`).join(", ");
  const needs = `${program.name} needs ${bytesText(bytesOf(program, sizes))} of memory for ${bound}`;
  const hint = "smaller batches or shorter sequences take less";
  if (budget >= MOST_BYTES) return new HintedError(`${needs}; WebAssembly has 4 GiB at most`, hint);
  const message = `${needs}, more than the ${bytesText(budget)} that it may take`;
  return new HintedError(message, `${hint}; --memory allows more`);
}

function bytesText(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  return bytes >= 2 ** 20 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${Math.ceil(bytes / 2 ** 10)} KiB`;
}
