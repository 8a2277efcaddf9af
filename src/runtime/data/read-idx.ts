import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Column, type Dataset, type FloatColumn, type Layout, type Numbers, product, table } from "./dataset.ts";
import { DataError } from "./error.ts";

interface ElementType {
  readonly name: string;
  readonly bytes: number;
  readonly decode: (bytes: Buffer, count: number) => Numbers;
  readonly float: boolean;
}

/** The element types of the IDX format by their code; numbers are stored big-endian. */
const ELEMENT_TYPES: ReadonlyMap<number, ElementType> = new Map([
  [0x08, element("unsigned byte", 1, false, (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))],
  [0x09, element("signed byte", 1, false, (bytes) => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length))],
  [
    0x0b,
    element("short", 2, false, (bytes, count) =>
      Int16Array.from({ length: count }, (_, at) => bytes.readInt16BE(at * 2)),
    ),
  ],
  [
    0x0c,
    element("int", 4, false, (bytes, count) =>
      Int32Array.from({ length: count }, (_, at) => bytes.readInt32BE(at * 4)),
    ),
  ],
  [
    0x0d,
    element("float", 4, true, (bytes, count) =>
      Float32Array.from({ length: count }, (_, at) => bytes.readFloatBE(at * 4)),
    ),
  ],
  [
    0x0e,
    element("double", 8, true, (bytes, count) =>
      Float64Array.from({ length: count }, (_, at) => bytes.readDoubleBE(at * 8)),
    ),
  ],
]);

/** An IDX file (LeCun's MNIST format, plain or `.gz`): its first axis is the rows. Bytes stay bytes. */
export async function readIdx(file: string): Promise<Column> {
  const { type, sizes, bytes } = await openIdx(file);
  const data = type.decode(bytes, product(sizes));
  const layout: Layout = {
    rows: sizes[0]!,
    shape: sizes.slice(1),
    starts: undefined,
    lengths: undefined,
    present: undefined,
    place: (row) => ({ file, row: row + 1 }),
  };
  if (!type.float) return { kind: "int", ...layout, data };
  const bad = data.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new DataError(`${data[bad]} is not a finite number`, {
      place: { file, row: Math.floor(bad / product(layout.shape)) + 1 },
    });
  return { kind: "float", ...layout, data, scale: 1, offset: 0 };
}

/** MNIST's two files of a split: `image` [28, 28], grey levels 0 ... 1, and `label` 0 ... 9. */
export async function readMnist(folder: string, split: string): Promise<Dataset> {
  const image = await readIdx(mnistFile(folder, `${split}-images`, "idx3-ubyte"));
  const label = await readIdx(mnistFile(folder, `${split}-labels`, "idx1-ubyte"));
  if (image.kind !== "int" || label.kind !== "int")
    throw new DataError("the images and labels must be bytes", { place: { file: folder } });
  const grey: FloatColumn = { ...image, kind: "float", scale: 1 / 255, offset: 0 };
  return table(
    new Map<string, Column>([
      ["image", grey],
      ["label", label],
    ]),
    false,
  );
}

function mnistFile(folder: string, name: string, suffix: string): string {
  const candidates = [`${name}-${suffix}`, `${name}.${suffix}`].flatMap((file) => [file, `${file}.gz`]);
  const found = candidates.map((file) => join(folder, file)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new DataError(`there is no ${candidates[0]} (or ${candidates.slice(1).join(", ")})`, {
    place: { file: folder },
  });
}

async function openIdx(file: string) {
  const raw = await readFile(file);
  const content = raw[0] === 0x1f && raw[1] === 0x8b ? (await import("node:zlib")).gunzipSync(raw) : raw;
  if (content.length === 0) throw new DataError("the file is empty", { place: { file } });
  const type = ELEMENT_TYPES.get(content[2] ?? -1);
  const axes = content[3] ?? 0;
  if (content.length < 4 || content[0] !== 0 || content[1] !== 0 || type === undefined || axes === 0)
    throw new DataError(`this is no IDX file: it begins with ${content.subarray(0, 4).toString("hex")}`, {
      place: { file, byte: 0 },
      hint: "an IDX file begins with 0000, its element type (08 for bytes) and its number of axes",
    });
  const begin = 4 + 4 * axes;
  if (content.length < begin)
    throw new DataError("the file ends within its header", { place: { file, byte: content.length } });
  const sizes = Array.from({ length: axes }, (_, axis) => content.readUInt32BE(4 + 4 * axis));
  const bytes = content.subarray(begin);
  const expected = product(sizes) * type.bytes;
  if (bytes.length !== expected)
    throw new DataError(
      `the header says ${sizes.join(" x ")} of ${type.name}: ${expected} bytes; there are ${bytes.length}`,
      { place: { file, byte: content.length }, hint: "the file is cut off or not whole: fetch it again" },
    );
  if (expected === 0) throw new DataError("the file has no rows", { place: { file } });
  return { type, sizes, bytes };
}

function element(name: string, bytes: number, float: boolean, decode: ElementType["decode"]): ElementType {
  return { name, bytes, float, decode };
}
