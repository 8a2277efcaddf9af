import { writeAtomically } from "./atomic.ts";
import { DataError } from "./data/error.ts";
import { createVocabulary, type Vocabulary, type VocabularyRecord, vocabularyRecord } from "./data/vocabulary.ts";
import type { Mean } from "./metrics.ts";
import { encodeTensors, readTensors, type StoredTensor, type WritableTensor } from "./safetensors.ts";

/** A weight or a part of a state. */
export interface Value {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** All that a run needs to go on as if it had not stopped. */
export interface Checkpoint {
  readonly weights: ReadonlyMap<string, Value>;
  readonly optimizer: ReadonlyMap<string, Value>;
  /** States that truncated backpropagation carries from chunk to chunk. */
  readonly carried: ReadonlyMap<string, Value>;
  readonly progress: Progress;
  readonly seed: number;
  /** The best value so far of the metric that `save best` watches. */
  readonly best: Best | undefined;
  /** The same of the one that `stop when` watches. */
  readonly stop: Best | undefined;
  readonly vocabularies: ReadonlyMap<string, Vocabulary>;
  /** The `train` block that made it. */
  readonly regime: string;
  /** The model with its arguments, as it was trained: `CharLM(H: 64)`. */
  readonly model: string;
  /** Every size by name, `V` and `H`. */
  readonly sizes: ReadonlyMap<string, number>;
  /** The training loss since the last evaluation. */
  readonly running: Mean;
  /** `sourceHash` of the `.seq` text that was trained. */
  readonly source: string;
}

/** How far a run is: the batch at `position` of `epoch` comes next. */
export interface Progress {
  /** Training steps done. */
  readonly step: number;
  readonly epoch: number;
  readonly position: number;
}

export interface Best {
  readonly metric: string;
  readonly value: number;
  readonly epoch: number;
  readonly step: number;
}

/** What the file's metadata holds as JSON. */
type Notes = Pick<Checkpoint, "progress" | "seed" | "best" | "stop" | "regime" | "model" | "running" | "source"> & {
  readonly sizes: Readonly<Record<string, number>>;
  readonly vocabularies: Readonly<Record<string, VocabularyRecord>>;
};

const FORMAT = "seqc checkpoint 1";

/**
 * Writes one safetensors file: weights under their own names, so that others can read them, the rest under `optimizer/` and
 * `carried/`, and everything else in the metadata. A killed run leaves the file as it was. The same checkpoint gives the same bytes.
 */
export async function saveCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  const tensors = new Map<string, WritableTensor>();
  for (const [prefix, values] of parts(checkpoint))
    for (const [name, value] of values) tensors.set(prefix + name, stored(value));
  const { progress, seed, best, stop, regime, model, running, source } = checkpoint;
  const vocabularies = Object.fromEntries(
    sorted(checkpoint.vocabularies).map(([key, one]) => [key, vocabularyRecord(one)]),
  );
  const sizes = Object.fromEntries(sorted(checkpoint.sizes));
  const notes: Notes = { progress, seed, best, stop, regime, model, sizes, running, source, vocabularies };
  const metadata = new Map([
    ["format", FORMAT],
    ["notes", JSON.stringify(notes)],
  ]);
  await writeAtomically(file, encodeTensors(tensors, metadata));
}

/** Reads a file that `saveCheckpoint` wrote. */
export async function loadCheckpoint(file: string): Promise<Checkpoint> {
  const { tensors, metadata } = await readTensors(file);
  if (metadata.get("format") !== FORMAT)
    throw new DataError("this is no checkpoint of seqc", {
      place: { file },
      hint: 'to take single weights from a file: load part from "file.safetensors" { ... }',
    });
  const notes = parseNotes(file, metadata.get("notes") ?? "");
  const kinds = {
    "": new Map<string, Value>(),
    "optimizer/": new Map<string, Value>(),
    "carried/": new Map<string, Value>(),
  };
  for (const [name, tensor] of tensors) {
    const prefix = name.startsWith("optimizer/") ? "optimizer/" : name.startsWith("carried/") ? "carried/" : "";
    kinds[prefix].set(name.slice(prefix.length), loadedValue(file, name, tensor));
  }
  const { progress, seed, best, stop, regime, model, running, source } = notes;
  const vocabularies = new Map(
    Object.entries(notes.vocabularies).map(([key, { unit, tokens, special }]) => [
      key,
      createVocabulary(unit, tokens, special),
    ]),
  );
  const [weights, optimizer, carried] = [kinds[""], kinds["optimizer/"], kinds["carried/"]];
  const sizes = new Map(Object.entries(notes.sizes));
  return {
    weights,
    optimizer,
    carried,
    progress,
    seed,
    best,
    stop,
    vocabularies,
    regime,
    model,
    sizes,
    running,
    source,
  };
}

/** Identifies a source text: its SHA-256, in hexadecimal. */
export function sourceHash(text: string): string {
  // An import would load it for commands that hash nothing, in a tenth of the time that they take.
  const { createHash } = process.getBuiltinModule("node:crypto");
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/**
 * Checks that a file's values are those of the model, by name and shape. The error lists what differs, both sides beside each other.
 * `what` is said of them: "weights".
 */
export function verifyValues(
  file: string,
  what: string,
  found: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  expected: ReadonlyMap<string, readonly number[]>,
): void {
  const names = [...new Set([...expected.keys(), ...found.keys()])].sort();
  const rows = names.flatMap((name) => {
    const ours = sideText(name, expected.get(name));
    const theirs = sideText(name, found.get(name)?.shape);
    return ours === theirs ? [] : [[ours, theirs] as const];
  });
  if (rows.length === 0) return;
  const table = [["the model has", "the file has"] as const, ...rows.slice(0, 12)];
  const width = Math.max(...table.map(([ours]) => ours.length));
  const lines = table.map(([ours, theirs]) => `    ${ours.padEnd(width)}   ${theirs}`);
  if (rows.length > 12) lines.push(`    and ${rows.length - 12} more`);
  throw new DataError(`the ${what} do not fit the model\n${lines.join("\n")}`, {
    place: { file },
    hint: "train anew, or go back to the model that the file was made with",
  });
}

function sorted<T>(named: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...named].sort(([a], [b]) => (a < b ? -1 : 1));
}

function sideText(name: string, shape: readonly number[] | undefined): string {
  return shape === undefined ? "-" : `${name} [${shape.join(", ")}]`;
}

function parts({ weights, optimizer, carried }: Checkpoint) {
  return [
    ["", weights],
    ["optimizer/", optimizer],
    ["carried/", carried],
  ] as const;
}

function stored({ shape, data }: Value): WritableTensor {
  return data instanceof Int32Array ? { dtype: "I32", shape, data } : { dtype: "F32", shape, data };
}

function loadedValue(file: string, name: string, { dtype, shape, data }: StoredTensor): Value {
  if (dtype === "I32" || dtype === "F32") return { shape, data };
  throw new DataError(`tensor ${JSON.stringify(name)} is ${dtype}: a checkpoint has F32 and I32 only`, {
    place: { file },
  });
}

function parseNotes(file: string, text: string): Notes {
  try {
    const notes: unknown = JSON.parse(text);
    if (isNotes(notes)) return notes;
  } catch {
    // Reported below.
  }
  throw new DataError("the checkpoint's notes are damaged", { place: { file } });
}

function isNotes(value: unknown): value is Notes {
  if (!isObject(value) || !isObject(value.progress) || !isObject(value.vocabularies)) return false;
  if (!isObject(value.sizes) || !Object.values(value.sizes).every(Number.isFinite)) return false;
  if (!isObject(value.running) || typeof value.regime !== "string" || typeof value.model !== "string") return false;
  const { step, epoch, position } = value.progress;
  const numbers = [step, epoch, position, value.seed].every(Number.isFinite);
  const fits = (best: unknown): boolean => best === undefined || (isObject(best) && Number.isFinite(best.value));
  return (
    numbers &&
    fits(value.best) &&
    fits(value.stop) &&
    typeof value.source === "string" &&
    Object.values(value.vocabularies).every(isRecord)
  );
}

function isRecord(value: unknown): boolean {
  return (
    isObject(value) && typeof value.unit === "string" && Array.isArray(value.tokens) && Array.isArray(value.special)
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
