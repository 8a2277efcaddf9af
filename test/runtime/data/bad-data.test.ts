import { describe, expect, test } from "vitest";
import { createReport } from "../../../src/base/report.ts";
import { checkDataClause } from "../../../src/check/check-data.ts";
import { readClause } from "../../../src/runtime/data/clause.ts";
import { DataError } from "../../../src/runtime/data/error.ts";
import { dataClauses, type Files, folderOf, spanText } from "./clauses.ts";

const IDX = [0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9];

/** Name, what the regime says, and the files beside it. Each has a golden file with all of it and the message. */
const CASES: readonly (readonly [name: string, source: string, files: Files])[] = [
  ["missing-file", 'data x = csv("birth.csv").x', { "births.csv": "x\n1\n" }],
  ["missing-folder", 'data x = chars("texts/a.txt")', {}],
  ["missing-package", 'data x = chars("npm:no-such-package/a.txt")', {}],
  ["missing-package-scoped", 'data x = chars("npm:@none/such/a.txt")', {}],
  ["outside-package", 'data x = chars("npm:csv-parse/../fast-check/README.md")', {}],
  ["folder", 'data x = chars("texts")', { "texts/a.txt": "a" }],
  ["file-for-folder", 'data x, y = mnist("a.txt", "train")', { "a.txt": "a" }],
  ["empty-file", 'data x = chars("a.txt")', { "a.txt": "" }],
  ["blank-lines", 'data x = lines("a.txt")', { "a.txt": "\n \n" }],
  [
    "not-utf8",
    'data x = lines("a.txt")',
    { "a.txt": Buffer.concat([Buffer.from("café\n"), Buffer.from([0x63, 0x61, 0x66, 0xe9]), Buffer.from("\nc\n")]) },
  ],
  ["cut-character", 'data x = chars("a.txt")', { "a.txt": Buffer.from([0x61, 0xc3]) }],
  ["broken-gz", 'data x = lines("a.txt.gz")', { "a.txt.gz": "no gzip" }],
  ["ragged-table", 'data a = csv("t.csv").a', { "t.csv": "a,b\n1,2\n3\n4,5\n" }],
  ["too-many-cells", 'data a = csv("t.csv").a', { "t.csv": "a,b\n1,2\n1,234,5\n" }],
  ["not-a-number", 'data a = csv("t.csv").a', { "t.csv": "a,b\n1,2\n2,3\nx7,4\n" }],
  ["nan", 'data a = csv("t.csv").a', { "t.csv": "a,b\n1,2\nNaN,3\n" }],
  ["infinity", 'data a = csv("t.csv").a', { "t.csv": "a,b\n-inf,2\n" }],
  ["missing-column", 'data a = csv("t.csv").brths', { "t.csv": "day,births\n1,2\n" }],
  ["missing-column-by-name", 'data day, count = csv("t.csv")', { "t.csv": "day,births\n1,2\n" }],
  ["duplicate-header", 'data a = csv("t.csv").a', { "t.csv": "a,b,a\n1,2,3\n" }],
  ["unclosed-quote", 'data a = csv("t.csv").a', { "t.csv": 'a,b\n1,2\n3,"4\n5,6\n' }],
  ["text-behind-quote", 'data b = csv("t.csv").b', { "t.csv": 'a,b\n1,"2"3\n' }],
  ["quote-inside", 'data b = csv("t.csv").b', { "t.csv": 'a,b\n1,5" disk\n' }],
  ["no-rows", 'data a = csv("t.csv").a', { "t.csv": "a,b\n" }],
  ["no-values", 'data a = csv("t.csv").a', { "t.csv": "a,b\n,1\n,2\n" }],
  ["bad-json-line", 'data a = jsonl("d.jsonl").a', { "d.jsonl": '{"a": 1}\n{"a": }\n' }],
  ["bad-json", 'data a = json("d.json")', { "d.json": '[\n  {"a": 1},\n  {"a": 2,}\n]' }],
  ["json-object", 'data a = json("d.json")', { "d.json": '{"a": [1, 2]}' }],
  ["json-line-no-object", 'data a = jsonl("d.jsonl").a', { "d.jsonl": '{"a": 1}\n[2]\n' }],
  ["mixed-kinds", 'data a = jsonl("d.jsonl").a', { "d.jsonl": '{"a": 1}\n{"a": "two"}\n' }],
  ["empty-list", 'data a = jsonl("d.jsonl").a', { "d.jsonl": '{"a": [1]}\n{"a": []}\n' }],
  ["uneven-matrix", 'data a = jsonl("d.jsonl").a', { "d.jsonl": '{"a": [[1, 2]]}\n{"a": [[1, 2], [3]]}\n' }],
  ["scalar-among-lists", 'data a = jsonl("d.jsonl").a', { "d.jsonl": '{"a": [1]}\n{"a": 2}\n' }],
  ["object-as-value", 'data a = jsonl("d.jsonl").a', { "d.jsonl": '{"a": {"b": 1}}\n' }],
  ["field-nowhere", 'data tgas = jsonl("d.jsonl")', { "d.jsonl": '{"words": ["a"], "tags": ["b"]}\n' }],
  ["idx-magic", 'data y = idx("y")', { y: Uint8Array.from([0x50, 0x4b, 3, 4, 0]) }],
  ["idx-truncated", 'data y = idx("y")', { y: Uint8Array.from(IDX.slice(0, -1)) }],
  ["idx-longer", 'data y = idx("y")', { y: Uint8Array.from([...IDX, 1]) }],
  ["idx-header", 'data y = idx("y")', { y: Uint8Array.from(IDX.slice(0, 6)) }],
  ["mnist-absent", 'data x, y = mnist("d", "train")', { "d/t10k-labels-idx1-ubyte": Uint8Array.from(IDX) }],
  [
    "mnist-uneven",
    'data x, y = mnist("d", "t10k")',
    {
      "d/t10k-labels-idx1-ubyte": Uint8Array.from(IDX),
      "d/t10k-images-idx3-ubyte": Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 5, 6]),
    },
  ],
  [
    "mnist-crossed",
    'data label, x = mnist("d", "t10k")',
    {
      "d/t10k-labels-idx1-ubyte": Uint8Array.from(IDX),
      "d/t10k-images-idx3-ubyte": Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 5, 6, 7]),
    },
  ],
  ["safetensors-text", 'data x = safetensors("a.txt").x', { "a.txt": "hello, this is a text" }],
  ["window-too-long", 'data x = windows(csv("t.csv").a, 7)', { "t.csv": "a\n1\n2\n" }],
  ["windows-of-lines", 'data x = windows(lines("a.txt"), 2)', { "a.txt": "ab\ncde\n" }],
  ["windows-missing", 'data x = windows(csv("t.csv").a, 2)', { "t.csv": "a,b\n1,1\n,2\n3,3\n" }],
  ["standard-text", 'data x = standard(csv("t.csv").a)', { "t.csv": "a\nred\n" }],
  ["standard-constant", 'data x = standard(csv("t.csv").a)', { "t.csv": "a\n2\n2\n" }],
  ["join-columns", 'data a = join(csv("a.csv"), csv("b.csv"))', { "a.csv": "a\n1\n", "b.csv": "b\n1\n" }],
  ["join-kinds", 'data a = join(csv("a.csv").a, csv("b.csv").a)', { "a.csv": "a\n1\n", "b.csv": "a\nred\n" }],
  ["where-nothing-left", 'data a = csv("t.csv") where a > 5', { "t.csv": "a\n1\n2\n" }],
  ["where-kind", 'data a = csv("t.csv") where a < 5', { "t.csv": "a\nred\n" }],
  ["reader-absent", 'data a = reader("mine.mjs", "rows")', { "mine.mjs": "export const other = 1;\n" }],
  [
    "reader-throws",
    'data a = reader("mine.mjs", "rows")',
    { "mine.mjs": 'export function rows() { throw new Error("no luck"); }\n' },
  ],
  ["reader-nonsense", 'data a = reader("mine.mjs", "rows")', { "mine.mjs": "export const rows = () => 7;\n" }],
  ["where-bool", 'data a = jsonl("d.jsonl") where a == 1', { "d.jsonl": '{"a": true}\n' }],
  ["host-absent", "data a = host()", {}],
];

describe("wrong data says where and what to do", () => {
  test.each(CASES)("%s", async (name, source, files) => {
    const folder = folderOf(files);
    const error = await readClause(dataClauses(source)[0]!, { folder }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(DataError);
    if (!(error instanceof DataError)) return;
    const message = error.message.replaceAll(`${folder}/`, "").replaceAll(folder, ".");
    const at = error.span === undefined ? "(nowhere)" : spanText(source, error.span);
    await expect(`${source}\n${shownFiles(files)}\n${message}\n  in:   ${at}\n`).toMatchFileSnapshot(
      `golden/${name}.txt`,
    );
  });
});

/** What the checker finds without opening a file. */
const CALLS = [
  'data x = windws(chars("a.txt"), 3)',
  'data x = frobnicate("a.txt")',
  "data x = ids",
  "data x = chars()",
  'data x = chars("a.txt", "b.txt")',
  "data x = chars(7)",
  'data x = windows("a.txt", 3)',
  'data x = windows(chars("a.txt"), 3.5)',
  'data x = windows(chars("a.txt"), T)',
  'data x = windows(chars("a.txt"), 3, stpe: 2)',
  'data x = windows(chars("a.txt"), 3, length: 2)',
  'data x = scaled(csv("t.csv").a, 1)',
  'data x, y = mnist("d", "tran")',
  'data x = mnist("d", "train").images',
  'data x, y, z = mnist("d", "train")',
  'data x, y = chars("a.txt")',
  'data x, x = csv("t.csv")',
  'data x = chars("a.txt").x',
  'data x = join(csv("a.csv"))',
  'data x = csv("a.csv", text: "zip").zip',
  'data x, y = csv("t.csv") where z < 5',
  'data x = csv("t.csv") where x + 1 < 5',
  'data x = csv("t.csv") where 1 < 5',
  'data x = sum[T](csv("t.csv").x)',
];

test("wrong calls are found without opening a file", async () => {
  const found = CALLS.map((source) => {
    const report = createReport();
    checkDataClause(dataClauses(source)[0]!, report);
    const lines = report.diagnostics.map(
      ({ code, message, hint, span }) =>
        `  ${code}: ${message} [${spanText(source, span)}]${hint === undefined ? "" : `\n    hint: ${hint}`}`,
    );
    return [source, ...lines].join("\n");
  });
  await expect(`${found.join("\n\n")}\n`).toMatchFileSnapshot("golden/calls.txt");
});

test("a module that does not parse is named", async () => {
  const folder = folderOf({ "mine.mjs": "export const rows = (;\n" });
  const reading = readClause(dataClauses('data a = reader("mine.mjs", "rows")')[0]!, { folder });
  await expect(reading).rejects.toThrow(`${folder}/mine.mjs: it cannot be loaded: `);
});

test("what the checker refuses, reading refuses with the same words", async () => {
  const source = 'data x = windws(chars("a.txt"), 3)';
  const error = await readClause(dataClauses(source)[0]!, { folder: "." }).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ reason: "there is no reader `windws`", hint: "did you mean `windows`?" });
});

function shownFiles(files: Files): string {
  return Object.entries(files)
    .map(([name, content]) => {
      const text = typeof content === "string" ? content : Buffer.from(content).toString("latin1");
      const shown = typeof content === "string" || /^[\n\x20-\x7e\xa0-\xff]*$/.test(text) ? text : hex(content);
      return `--- ${name}\n${shown.replace(/\n$/, "")}`;
    })
    .concat("---")
    .join("\n");
}

function hex(content: string | Uint8Array): string {
  return Buffer.from(content).toString("hex").replace(/../g, "$& ").trim();
}
