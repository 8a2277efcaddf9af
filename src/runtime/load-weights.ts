import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createReport } from "../base/report.ts";
import type { WeightSpec } from "../build/program.ts";
import { isPart, partNames } from "../build/weight-part.ts";
import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import { mappingOf } from "../compile/load-mapping.ts";
import { sizeNames } from "../ir/size.ts";
import type { LoadClause, Train } from "../syntax/tree.ts";
import { verifyValues } from "./checkpoint.ts";
import { DataError } from "./data/error.ts";
import { existingPath } from "./data/path.ts";
import type { Vocabulary } from "./data/vocabulary.ts";
import type { HostArray } from "./executor.ts";
import { type MappedFile, mappedWeights } from "./mapped-weights.ts";
import { type ForeignTensor, readTensors, type StoredTensor } from "./safetensors.ts";
import { savePath } from "./saving.ts";
import { declaredShape } from "./state.ts";
import { readWeights, type WeightFile } from "./weights.ts";

/** A `load` clause with its source read. */
export type Source =
  | { readonly kind: "weights"; readonly clause: LoadClause; readonly file: WeightFile }
  | { readonly kind: "mapping"; readonly clause: LoadClause; readonly mapped: MappedFile };

/** Reads what a regime starts from; `earlier` has weights of regimes that need no file. */
export async function readSources(
  modules: Modules,
  { loads }: Regime,
  earlier: ReadonlyMap<string, WeightFile> = new Map(),
): Promise<readonly Source[]> {
  const folder = dirname(resolve(modules.entry.file));
  const sources: Source[] = [];
  for (const clause of loads) {
    const { from } = clause;
    const known = "text" in from ? earlier.get(from.text) : undefined;
    if (known !== undefined) sources.push({ kind: "weights", clause, file: known });
    else if ("text" in from) {
      sources.push({ kind: "weights", clause, file: await readWeights(earlierRun(modules, from.text, clause)) });
    } else if (clause.layout === undefined && clause.mapping.length === 0) {
      sources.push({ kind: "weights", clause, file: await readWeights(resolve(folder, from.value)) });
    } else {
      const file = existingPath(from.value, folder);
      const foreign = new Map<string, ForeignTensor>();
      const { tensors } = await readTensors(file, foreign);
      const mapping = mappingOf(modules, modules.entry.file, clause, createReport());
      if (mapping === undefined) throw new Error("internal: a layout was not checked");
      const span = clause.layout?.span ?? from.span;
      sources.push({
        kind: "mapping",
        clause,
        mapped: {
          file,
          tensors: new Map<string, StoredTensor | ForeignTensor>([...tensors, ...foreign]),
          mapping,
          span,
        },
      });
    }
  }
  return sources;
}

/** The folder where an earlier regime of the same file has saved. */
function earlierRun(modules: Modules, name: string, { span }: LoadClause): string {
  const train = modules.entry.tree.declarations.find(
    (one): one is Train => one.kind === "train" && one.name.text === name,
  );
  const path = train === undefined ? undefined : savePath(modules, train);
  const folder = path === undefined ? undefined : resolve(dirname(resolve(modules.entry.file)), path);
  if (folder !== undefined && existsSync(folder)) return folder;
  throw new DataError(`train ${name} has not been run: there is nothing in ${folder ?? name}`, {
    hint: `run it first: seqc train ${modules.entry.file} ${name}`,
    span,
  });
}

/** The vocabularies that loaded weights are made for: those of which a weight has the size. */
export function loadedVocabularies(
  sources: readonly Source[],
  specs: readonly WeightSpec[],
): ReadonlyMap<string, Vocabulary> {
  const found = new Map<string, Vocabulary>();
  for (const source of sources) {
    if (source.kind !== "weights") continue;
    const sizes = new Set(
      ownSpecs(source.clause, specs).flatMap(({ shape }) => shape.flatMap((size) => [...sizeNames(size)])),
    );
    for (const [key, vocabulary] of source.file.trained?.vocabularies ?? [])
      if (sizes.has(key)) found.set(key, vocabulary);
  }
  return found;
}

/** The weights that a regime starts with, as far as they are loaded; what does not fit is a `DataError` that shows both sides. */
export function loadedWeights(
  sources: readonly Source[],
  specs: readonly WeightSpec[],
  sizes: ReadonlyMap<string, number>,
): ReadonlyMap<string, HostArray> {
  const loaded = new Map<string, HostArray>();
  for (const source of sources) {
    const shapes = new Map(ownSpecs(source.clause, specs).map((spec) => [spec.name, declaredShape(spec, sizes)]));
    const found = source.kind === "weights" ? ownWeights(source.file, shapes) : mappedWeights(source.mapped, shapes);
    for (const [name, value] of found) loaded.set(name, value);
  }
  return loaded;
}

function ownSpecs({ part }: LoadClause, specs: readonly WeightSpec[]): readonly WeightSpec[] {
  if (part === undefined) return specs;
  const parts = partNames(part);
  return specs.filter(({ name }) => parts.some((one) => isPart(name, one)));
}

function ownWeights(
  { file, weights }: WeightFile,
  shapes: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, HostArray> {
  const found = new Map([...weights].filter(([name]) => shapes.has(name)));
  verifyValues(file, "weights", found, shapes);
  return found;
}
