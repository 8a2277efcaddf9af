import { nearest } from "../base/nearest.ts";
import type { Modules } from "../check/modules.ts";
import { DataError } from "../runtime/data/error.ts";
import type { Declaration, Generate, Train } from "../syntax/tree.ts";

interface Blocks {
  readonly train: Train;
  readonly generate: Generate;
}

/** The `train` or `generate` block that is meant: the one of that name, or the only one. */
export function chosenBlock<K extends keyof Blocks>(modules: Modules, kind: K, name: string | undefined): Blocks[K] {
  const { file, tree } = modules.entry;
  const blocks = tree.declarations.filter((one): one is Declaration & Blocks[K] => one.kind === kind);
  const names = blocks.map((block) => block.name.text);
  const place = { file };
  const [only] = blocks;
  if (only === undefined) throw new DataError(`the file has no ${kind} block`, { place });
  if (name === undefined) {
    if (blocks.length === 1) return only;
    throw new DataError(`the file has several ${kind} blocks`, { place, hint: `name one: ${names.join(", ")}` });
  }
  const found = blocks.find((block) => block.name.text === name);
  if (found !== undefined) return found;
  const near = nearest(name, names);
  throw new DataError(`the file has no ${kind} block ${name}`, {
    place,
    hint: near === undefined ? `it has ${names.join(", ")}` : `did you mean ${near}?`,
  });
}
