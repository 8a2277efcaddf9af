import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DataError } from "../../src/runtime/data/error.ts";
import { encodeTensors, readTensors, type WritableTensor } from "../../src/runtime/safetensors.ts";
import { folderOf } from "./data/clauses.ts";

function bytesOf(tensors: ReadonlyMap<string, WritableTensor>, metadata = new Map<string, string>()): Buffer {
  return Buffer.concat(encodeTensors(tensors, metadata));
}

/** A file with this header text and these bytes behind it. */
function fileOf(header: string, data: Uint8Array = new Uint8Array(0)): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([size, Buffer.from(header), data]);
}

async function readBytes(bytes: Uint8Array) {
  const folder = folderOf({ "a.safetensors": bytes });
  return readTensors(join(folder, "a.safetensors"));
}

const shape = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 });
const tensor: fc.Arbitrary<WritableTensor> = shape.chain((sizes) => {
  const elements = { minLength: sizes.reduce((a, b) => a * b, 1), maxLength: sizes.reduce((a, b) => a * b, 1) };
  return fc.oneof(
    fc.float32Array(elements).map((data) => ({ dtype: "F32" as const, shape: sizes, data })),
    fc.float64Array(elements).map((data) => ({ dtype: "F64" as const, shape: sizes, data })),
    fc.int32Array(elements).map((data) => ({ dtype: "I32" as const, shape: sizes, data })),
    fc.bigInt64Array(elements).map((data) => ({ dtype: "I64" as const, shape: sizes, data })),
    fc.uint8Array(elements).map((data) => ({ dtype: "U8" as const, shape: sizes, data })),
    fc.uint8Array({ ...elements, max: 1 }).map((data) => ({ dtype: "BOOL" as const, shape: sizes, data })),
  );
});
const name = fc.string().filter((text) => text !== "__metadata__");
const named = fc.uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 6 });

describe("safetensors", () => {
  test("gives back what was written (property)", async () => {
    await fc.assert(
      fc.asyncProperty(named, fc.dictionary(name, fc.string()), async (entries, notes) => {
        const metadata = new Map(Object.entries(notes));
        const file = await readBytes(bytesOf(new Map(entries), metadata));
        expect(new Map([...file.tensors].sort())).toEqual(new Map([...entries].sort()));
        expect(file.metadata).toEqual(metadata);
      }),
      { numRuns: 60 },
    );
  });

  test("the same tensors in any order are the same bytes (property)", () => {
    fc.assert(
      fc.property(named, (entries) => {
        expect(bytesOf(new Map(entries.toReversed()))).toEqual(bytesOf(new Map(entries)));
      }),
    );
  });

  test("every tensor is aligned to its element", () => {
    const bytes = bytesOf(
      new Map<string, WritableTensor>([
        ["a", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
        ["b", { dtype: "F64", shape: [1], data: Float64Array.of(1) }],
        ["c", { dtype: "F32", shape: [1], data: Float32Array.of(1) }],
      ]),
    );
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
    expect(header).toEqual({
      a: { dtype: "U8", shape: [3], data_offsets: [12, 15] },
      b: { dtype: "F64", shape: [1], data_offsets: [0, 8] },
      c: { dtype: "F32", shape: [1], data_offsets: [8, 12] },
    });
    expect(Number(bytes.readBigUInt64LE()) % 8).toBe(0);
  });

  test("half precision is read as float32", async () => {
    const header =
      '{"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]}}';
    const data = Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x7c00, 0x8000, 0x3fc0, 0xc2f7).buffer);
    const { tensors } = await readBytes(fileOf(header, data));
    expect([...tensors.get("h")!.data]).toEqual([1, -2, 65504, 2 ** -24, Infinity, -0]);
    expect([...tensors.get("b")!.data]).toEqual([1.5, -123.5]);
  });

  const one = '"dtype":"F32","shape":[1]';
  test.each([
    ["too short", Buffer.from("abc"), "a file of 3 bytes is no safetensors file"],
    ["huge header", Buffer.alloc(16, 0xff), "it claims a header of"],
    [
      "header cut off",
      fileOf('{"a":1}').subarray(0, 12),
      "the file is cut off: its header takes 7 bytes, the file has 12",
    ],
    ["no JSON", fileOf("{nonsense}"), "its header is not a JSON object"],
    ["a list", fileOf("[1, 2]"), "its header is not a JSON object"],
    [
      "tensors cut off",
      fileOf(`{"a":{${one},"data_offsets":[0,4]}}`, new Uint8Array(3)),
      "its tensors take 4 bytes, 3 are there",
    ],
    [
      "bytes left over",
      fileOf(`{"a":{${one},"data_offsets":[0,4]}}`, new Uint8Array(5)),
      "1 bytes at the end belong to no tensor",
    ],
    [
      "overlap",
      fileOf(`{"a":{${one},"data_offsets":[0,4]},"b":{${one},"data_offsets":[2,6]}}`, new Uint8Array(6)),
      'tensor "b" begins at byte 2, within "a", which ends at 4',
    ],
    [
      "hole",
      fileOf(`{"a":{${one},"data_offsets":[4,8]}}`, new Uint8Array(8)),
      'tensor "a" begins at byte 4; the 4 bytes before it',
    ],
    [
      "unknown type",
      fileOf('{"a":{"dtype":"F8","shape":[1],"data_offsets":[0,1]}}', new Uint8Array(1)),
      'tensor "a" has the type "F8"; known are',
    ],
    [
      "shape and size",
      fileOf('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', new Uint8Array(4)),
      'tensor "a" of F32 [2] needs 8 bytes, has 4',
    ],
    [
      "no shape",
      fileOf('{"a":{"dtype":"F32","data_offsets":[0,4]}}', new Uint8Array(4)),
      'tensor "a" has no proper shape',
    ],
    ["negative offset", fileOf(`{"a":{${one},"data_offsets":[-4,0]}}`), 'tensor "a" has no proper data_offsets'],
    ["entry is no object", fileOf('{"a":7}'), 'tensor "a" has the type none'],
  ])("%s", async (_, bytes, message) => {
    await expect(readBytes(bytes)).rejects.toThrow(message);
    await expect(readBytes(bytes)).rejects.toBeInstanceOf(DataError);
  });

  test("a damaged file never fails in another way (property)", async () => {
    const folder = folderOf({});
    const file = join(folder, "a.safetensors");
    const whole = bytesOf(
      new Map([
        ["a", { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ["b", { dtype: "I32", shape: [3], data: Int32Array.of(5, 6, 7) }],
      ] as const),
    );
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, fc.integer({ min: 0, max: whole.length }), async (changes, length) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        writeFileSync(file, bytes.subarray(0, length));
        const result = await readTensors(file).catch((error: unknown) => error);
        expect(
          result instanceof DataError || (typeof result === "object" && result !== null && "tensors" in result),
        ).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
