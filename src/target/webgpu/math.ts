import { CIRCULAR } from "./math-circular.ts";
import { ELEMENTARY } from "./math-elementary.ts";
import { RANDOM } from "./math-random.ts";
import { SPECIAL } from "./math-special.ts";

/**
 * The functions that shaders call, as WGSL. The built-in ones may be far off (`sin` by 2⁻¹¹, `tanh` by more), may take NaN for anything, and
 * differ between devices; these use additions, multiplications, divisions and the bits of numbers only. Errors are in units in the last
 * place (ulp), as of the same functions of the WebAssembly target where they have the same names. NaN gives NaN.
 */
export interface LibraryFunction {
  /** Names of others. */
  readonly needs: readonly string[];
  readonly code: string;
}

const LIBRARY: Readonly<Record<string, LibraryFunction>> = { ...ELEMENTARY, ...CIRCULAR, ...SPECIAL, ...RANDOM };

/** The texts of functions and of what they need, each once, callees first. */
export function libraryCode(names: Iterable<string>): readonly string[] {
  const found = new Set<string>();
  const visit = (name: string): void => {
    const entry = LIBRARY[name];
    if (entry === undefined) throw new Error(`internal: there is no shader function ${name}`);
    for (const needed of entry.needs) visit(needed);
    found.add(entry.code.trim());
  };
  for (const name of [...names].sort()) visit(name);
  return [...found];
}
