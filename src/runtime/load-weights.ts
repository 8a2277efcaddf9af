import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import type { WeightSpec } from "../build/program.ts";
import { isPart, partNames } from "../build/weight-part.ts";
import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import { isSwapped, mappedWeights } from "../compile/check-loads.ts";
import { sizeNames } from "../ir/size.ts";
import type { Expression, LoadClause, Train } from "../syntax/tree.ts";
import { verifyValues } from "./checkpoint.ts";
import { DataError, listed } from "./data/error.ts";
import { existingPath } from "./data/path.ts";
import type { Vocabulary } from "./data/vocabulary.ts";
import { elementCount, type HostArray } from "./executor.ts";
import { readTensors, type StoredTensor } from "./safetensors.ts";
import { savePath } from "./saving.ts";
import { declaredShape } from "./state.ts";
import { readWeights, type WeightFile } from "./weights.ts";

/** A `load` clause with its source read. */
export type Source =
  | { readonly kind: "weights"; readonly clause: LoadClause; readonly file: WeightFile }
  | {
      readonly kind: "mapping";
      readonly clause: LoadClause;
      readonly file: string;
      readonly tensors: ReadonlyMap<string, StoredTensor>;
    };

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
    } else if (clause.mapping.length === 0) {
      sources.push({ kind: "weights", clause, file: await readWeights(resolve(folder, from.value)) });
    } else {
      const file = existingPath(from.value, folder);
      sources.push({ kind: "mapping", clause, file, tensors: (await readTensors(file)).tensors });
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
    const found = source.kind === "weights" ? ownWeights(source.file, shapes) : mapped(source, shapes);
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

/** Each tensor of a mapping cut along its first axis, in the order in which its target names the weights. */
function mapped(
  { clause, file, tensors }: Extract<Source, { kind: "mapping" }>,
  shapes: ReadonlyMap<string, readonly number[]>,
): ReadonlyMap<string, HostArray> {
  const found = new Map<string, HostArray>();
  for (const { source, target } of clause.mapping) {
    const read = tensorOf(source, file, tensors);
    const tensor = isSwapped(target) ? swapped(read, file, source.span) : read;
    const names = mappedWeights(clause.part, target);
    const [first = 1, ...rest] = shapes.get(names[0] ?? "") ?? [];
    const scalar = shapes.get(names[0] ?? "")?.length === 0;
    const each = scalar ? [] : [first, ...rest];
    const wanted = names.length === 1 ? each : [first * names.length, ...rest];
    if (tensor.shape.join() !== wanted.join()) {
      const parts = names.length === 1 ? "" : `, ${names.length} times [${each.join(", ")}]`;
      throw new DataError(
        `this tensor is [${tensor.shape.join(", ")}], ${names.join(" and ")} need [${wanted.join(", ")}]${parts}`,
        {
          place: { file },
          hint: "write -> W.T for a tensor whose axes are the other way round",
          span: source.span,
        },
      );
    }
    const count = elementCount(each);
    for (const [at, name] of names.entries()) {
      found.set(name, { shape: each, data: tensor.data.slice(at * count, (at + 1) * count) });
    }
  }
  return found;
}

/** What a mapping's left side means: a tensor, or a sum of tensors. */
function tensorOf(source: Expression, file: string, tensors: ReadonlyMap<string, StoredTensor>): Numbers {
  const wrong = (reason: string, hint?: string): DataError =>
    new DataError(reason, { place: { file }, hint, span: source.span });
  switch (source.kind) {
    case "string": {
      const tensor = tensors.get(source.value);
      if (tensor === undefined) {
        const near = nearest(source.value, [...tensors.keys()]);
        const hint =
          near === undefined ? `it has ${listed([...tensors.keys()], 12)}` : `did you mean ${JSON.stringify(near)}?`;
        throw wrong(`the file has no tensor ${JSON.stringify(source.value)}`, hint);
      }
      const { data, dtype, shape } = tensor;
      if (!(data instanceof Float32Array || data instanceof Float64Array))
        throw wrong(`it is ${dtype}: weights are F32 or F64`);
      return { shape, data: Float64Array.from(data) };
    }
    case "binary": {
      const [a, b] = [tensorOf(source.left, file, tensors), tensorOf(source.right, file, tensors)];
      if (a.shape.join() !== b.shape.join())
        throw wrong(`[${a.shape.join(", ")}] and [${b.shape.join(", ")}] do not add up`);
      return { shape: a.shape, data: a.data.map((value, at) => value + (b.data[at] ?? 0)) };
    }
    default:
      throw new Error("internal: a mapping was not checked");
  }
}

interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

function swapped({ shape, data }: Numbers, file: string, span: Span): Numbers {
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined || shape.length !== 2) {
    throw new DataError(`.T swaps two axes, this tensor is [${shape.join(", ")}]`, { place: { file }, span });
  }
  const out = data.map((_, at) => data[(at % rows) * columns + Math.floor(at / rows)] ?? 0);
  return { shape: [columns, rows], data: out };
}
