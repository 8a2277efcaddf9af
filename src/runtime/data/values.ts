import { type Column, type Layout, type Numbers, product } from "./dataset.ts";
import { DataError, type Place } from "./error.ts";
import { growFloat64, growUint8, growUint32 } from "./growable.ts";
import { buildTokens, startsOf } from "./tokens.ts";
import type { Vocabulary } from "./vocabulary.ts";

type Leaf = "number" | "boolean" | "text";

/** Makes a column of values that come row by row: numbers, booleans, texts, or (nested) lists of these. The first one says which. */
export interface ColumnBuilder {
  /** What the values are made of; undefined while there is none. */
  readonly leaf: Leaf | undefined;
  /** `undefined` and `null` are missing values. */
  add(value: unknown, place: Place): void;
  finish(place: Layout["place"]): Column;
}

export function buildColumn(): ColumnBuilder {
  const leaves = collectLeaves();
  const lengths = growUint32();
  const present = growUint8();
  let inner: readonly number[] | undefined;
  let depth: number | undefined;

  function append(value: unknown, level: number, place: Place): void {
    if (level === depth) {
      leaves.add(value, place, depth === 0);
      return;
    }
    const items = listOf(value);
    if (items === undefined) throw new DataError(`${shown(value)} is not a list, as in the rows before`, { place });
    const expected = level === 0 ? undefined : inner![level - 1];
    if (expected !== undefined && items.length !== expected)
      throw new DataError(`a list of ${items.length} here, of ${expected} before`, {
        place,
        hint: "only the first axis may differ from row to row",
      });
    for (const item of items) append(item, level + 1, place);
  }

  return {
    get leaf() {
      return leaves.kind;
    },
    add(value, place) {
      const missing = value === undefined || value === null;
      present.push(missing ? 0 : 1);
      if (missing) {
        lengths.push(0);
        return;
      }
      const shape = shapeOf(value, place);
      depth ??= shape.length;
      inner ??= shape.slice(1);
      lengths.push(shape[0] ?? 1);
      append(value, 0, place);
    },
    finish(place) {
      if (depth === undefined || inner === undefined)
        throw new DataError("the column has no values", { place: present.length > 0 ? place(0) : undefined });
      const layout = layoutOf(lengths.finish(), present.finish(), depth === 0 ? undefined : inner, place);
      return columnOf(leaves.finish(), layout);
    },
  };
}

/** Rows of one length are fixed, else ragged. A missing row of fixed size reads the first row: a legal value that counts for nothing. */
function layoutOf(
  lengths: Uint32Array,
  present: Uint8Array,
  inner: readonly number[] | undefined,
  place: Layout["place"],
): Layout {
  const rows = lengths.length;
  const size = product(inner ?? []);
  const whole = present.every((flag) => flag === 1);
  const first = lengths[present.indexOf(1)]!;
  const fixed = lengths.every((length, row) => length === first || present[row] === 0);
  const shape = inner === undefined ? [] : fixed ? [first, ...inner] : inner;
  return {
    rows,
    shape,
    starts: fixed && whole ? undefined : startsOf(lengths, size).map((start, row) => (present[row] === 1 ? start : 0)),
    lengths: fixed ? undefined : lengths,
    present: whole ? undefined : present,
    place,
  };
}

type Leaves =
  | { readonly kind: "number"; readonly data: Float64Array; readonly integer: boolean }
  | { readonly kind: "boolean"; readonly data: Uint8Array }
  | { readonly kind: "text"; readonly data: readonly string[] }
  | { readonly kind: "words"; readonly data: Uint8Array | Uint16Array | Int32Array; readonly vocabulary: Vocabulary };

function columnOf(leaves: Leaves, layout: Layout): Column {
  switch (leaves.kind) {
    case "number":
      return leaves.integer
        ? { kind: "int", ...layout, data: compactIntegers(leaves.data) }
        : { kind: "float", ...layout, data: leaves.data, scale: 1, offset: 0 };
    case "boolean":
      return { kind: "bool", ...layout, data: leaves.data };
    case "text":
      return { kind: "text", ...layout, data: leaves.data };
    case "words":
      return { kind: "tokens", ...layout, data: leaves.data, vocabulary: leaves.vocabulary };
  }
}

function collectLeaves() {
  const numbers = growFloat64();
  const flags = growUint8();
  const words = buildTokens("word");
  const texts: string[] = [];
  let kind: Leaf | undefined;
  let integer = true;
  return {
    get kind() {
      return kind;
    },
    add(value: unknown, place: Place, scalar: boolean): void {
      const found = leafKind(value);
      kind ??= found;
      if (found === undefined || found !== kind)
        throw new DataError(
          `${shown(value)} is not a ${kind ?? "value"}${kind === undefined ? "" : ", as those before are"}`,
          {
            place,
          },
        );
      if (typeof value === "number") {
        if (!Number.isFinite(value)) throw new DataError(`${value} is not a finite number`, { place });
        integer &&= Number.isInteger(value) && Math.abs(value) < 2 ** 31;
        numbers.push(value);
      } else if (typeof value === "boolean") flags.push(value ? 1 : 0);
      else if (typeof value === "string") scalar ? texts.push(value) : words.add(value);
    },
    finish(): Leaves {
      if (kind === "number") return { kind, data: numbers.finish(), integer };
      if (kind === "boolean") return { kind, data: flags.finish() };
      return words.length > 0 ? { kind: "words", ...words.finish() } : { kind: "text", data: texts };
    },
  };
}

function leafKind(value: unknown): Leaf | undefined {
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  return typeof value === "string" ? "text" : undefined;
}

/** Integers in as few bytes as hold them. */
export function compactIntegers(values: Float64Array): Uint8Array | Int32Array {
  return values.every((value) => value >= 0 && value < 256) ? Uint8Array.from(values) : Int32Array.from(values);
}

/** Lengths of nested lists along the first element of each. */
function shapeOf(value: unknown, place: Place): readonly number[] {
  const items = listOf(value);
  if (items === undefined) return [];
  if (items.length === 0) throw new DataError("the list is empty", { place, hint: "drop the row" });
  return [items.length, ...shapeOf(items[0], place)];
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value;
  return isNumbers(value) ? Array.from(value) : undefined;
}

/** A typed array of ordinary numbers. */
export function isNumbers(value: unknown): value is Numbers {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView) &&
    !(value instanceof BigInt64Array) &&
    !(value instanceof BigUint64Array)
  );
}

export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
