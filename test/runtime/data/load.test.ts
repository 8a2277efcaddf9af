import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeBatch } from "../../../src/runtime/data/batch.ts";
import type { Dataset } from "../../../src/runtime/data/dataset.ts";
import type { Expected } from "../../../src/runtime/data/expected.ts";
import { foreignDataset } from "../../../src/runtime/data/foreign.ts";
import { loadData } from "../../../src/runtime/data/load.ts";
import { type ShareClause, splitRows } from "../../../src/runtime/data/split.ts";
import { createVocabulary, vocabularySize } from "../../../src/runtime/data/vocabulary.ts";
import { dataClauses, type Files, folderOf, rowsOf, splitClauses } from "./clauses.ts";

const series: Expected = { name: "x", base: "float", sizes: [undefined], ragged: true, optional: false };
const text: Expected = { name: "ids", base: "tok", sizes: [undefined], ragged: true, optional: false, vocabulary: "V" };
const scalar: Expected = { name: "y", base: "float", sizes: [], ragged: false, optional: true };
const label: Expected = { ...scalar, base: "tok" };

function load(source: string, files: Files, expected: readonly Expected[], seed = 7, known = new Map()) {
  const options = { folder: folderOf(files), seed, vocabularies: known };
  return loadData(dataClauses(source), splitClauses(source), expected, options);
}

function column(datasets: readonly Dataset[] | undefined, name: string) {
  return datasets![0]!.columns.get(name)!;
}

describe("what the model expects decides what a column means", () => {
  test("a text is one long sequence, and last 10% cuts its end", async () => {
    const source = 'data ids = chars("a.txt")\n val last 20%\n test last 3 rows';
    const loaded = await load(source, { "a.txt": "abcdefghij" }, [text]);
    expect(rowsOf(column(loaded.train, "ids"))).toEqual([["a", "b", "c", "d", "e"]]);
    expect(rowsOf(column(loaded.val, "ids"))).toEqual([["f", "g"]]);
    expect(rowsOf(column(loaded.test, "ids"))).toEqual([["h", "i", "j"]]);
    expect(column(loaded.train, "ids")).toMatchObject({ rows: 1, lengths: Uint32Array.of(5) });
    expect(vocabularySize(loaded.vocabularies.get("V")!)).toBe(10);
  });

  test("a column of numbers is a series, or rows of one number each", async () => {
    const files = { "t.csv": "x,y\n1,2\n3,4\n5,6\n" };
    expect(rowsOf(column((await load('data x = csv("t.csv").x', files, [series])).train, "x"))).toEqual([[1, 3, 5]]);
    expect(rowsOf(column((await load('data y = csv("t.csv").y', files, [scalar])).train, "y"))).toEqual([2, 4, 6]);
  });

  test("a filtered series is its kept rows, one behind the other", async () => {
    const loaded = await load('data x, y = csv("t.csv") where y > 2', { "t.csv": "x,y\n1,9\n2,1\n3,9\n" }, [series]);
    expect(rowsOf(column(loaded.train, "x"))).toEqual([[1, 3]]);
  });

  test("texts are labels of tok(K), characters of tok(V)[T]", async () => {
    const files = { "t.csv": "ids,y\nbob,m\nada,f\nabe,m\n" };
    const loaded = await load('data ids, y = csv("t.csv")', files, [text, { ...label, limit: 2 }]);
    expect(rowsOf(column(loaded.train, "ids"))).toEqual([
      ["b", "o", "b"],
      ["a", "d", "a"],
      ["a", "b", "e"],
    ]);
    expect(column(loaded.train, "y")).toMatchObject({
      kind: "tokens",
      vocabulary: { tokens: ["f", "m"], unit: "label" },
    });
    expect(makeBatch(loaded.train[0]!, Uint32Array.of(0, 1, 2)).columns.get("y")!.data).toEqual(Int32Array.of(1, 0, 1));
  });

  test("numbers are tokens and booleans where these are meant", async () => {
    const files = { "t.csv": "y,b\n3,0\n1,1\n" };
    const loaded = await load('data y, b = csv("t.csv")', files, [
      { ...label, limit: 5 },
      { ...scalar, name: "b", base: "bool" },
    ]);
    expect(column(loaded.train, "y")).toMatchObject({ vocabulary: { tokens: ["0", "1", "2", "3", "4"] } });
    expect(column(loaded.train, "b")).toMatchObject({ kind: "bool" });
    expect(vocabularySize((await load('data y = csv("t.csv").y', files, [label])).vocabularies.get(":y")!)).toBe(4);
  });

  test("columns under one key share a vocabulary, with the special tokens that either names", async () => {
    const files = { "d.jsonl": '{"a": ["x", "y"], "b": ["y", "z"]}\n' };
    const a: Expected = { ...text, name: "a", vocabulary: "V" };
    const loaded = await load('data a, b = jsonl("d.jsonl")', files, [a, { ...a, name: "b", special: ["BOS", "EOS"] }]);
    expect(loaded.vocabularies.get("V")).toMatchObject({ tokens: ["x", "y", "z"], special: ["BOS", "EOS"] });
    const { columns } = makeBatch(loaded.train[0]!, Uint32Array.of(0));
    expect([columns.get("a")!.data, columns.get("b")!.data]).toEqual([Int32Array.of(0, 1), Int32Array.of(1, 2)]);
  });

  test("data read for val is under the vocabulary that was trained", async () => {
    const source = 'data ids = lines("a.txt")\n val ids = lines("b.txt")';
    const loaded = await load(source, { "a.txt": "abc", "b.txt": "cb" }, [text]);
    expect(makeBatch(loaded.val![0]!, Uint32Array.of(0)).columns.get("ids")!.data).toEqual(Int32Array.of(2, 1));
    expect(loaded.test).toBeUndefined();
  });

  test("UNK takes the words that training does not know", async () => {
    const source = 'data ids = words("a.txt", least: 2)\n val ids = words("b.txt")';
    const loaded = await load(source, { "a.txt": "so so la", "b.txt": "so what" }, [text]);
    expect(rowsOf(column(loaded.val, "ids"))).toEqual([["so", "<UNK>"]]);
  });

  test("a vocabulary that is settled already stays", async () => {
    const known = new Map([["V", createVocabulary("character", ["z", "b", "a"])]]);
    const loaded = await load('data ids = lines("a.txt")', { "a.txt": "abz" }, [text], 7, known);
    expect(makeBatch(loaded.train[0]!, Uint32Array.of(0)).columns.get("ids")!.data).toEqual(Int32Array.of(2, 1, 0));
  });

  test("lines of data are not paired, and share what val holds out", async () => {
    const files = { "a.csv": "x\n1\n2\n3\n4\n", "b.csv": "y\n1\n2\n" };
    const loaded = await load('data x = windows(csv("a.csv").x, 1)\n data y = csv("b.csv").y\n val last 50%', files, [
      series,
      scalar,
    ]);
    expect(loaded.train.map((dataset) => dataset.rows)).toEqual([2, 1]);
    expect(loaded.val!.map((dataset) => dataset.rows)).toEqual([2, 1]);
  });

  test("an axis of size 1 may be left out", async () => {
    const dataset = foreignDataset({ x: { data: new Float32Array(8), shape: [2, 4, 1] } }, "test");
    expect(dataset.columns.get("x")!.shape).toEqual([4, 1]);
    const loaded = await load('data x = json("d.json")', { "d.json": "[[[1], [2]], [[3], [4]]]" }, [
      { ...series, sizes: [2], ragged: false },
    ]);
    expect(column(loaded.train, "x").shape).toEqual([2]);
  });
});

describe("what does not fit is said", () => {
  const csv = { "t.csv": "x,y\n1,red\n2.5,\n-3,blue\n" };
  test.each<[string, string, Files, readonly Expected[], string]>([
    [
      "text for numbers",
      'data y = csv("t.csv").y',
      csv,
      [scalar],
      't.csv:2, column "y": y needs numbers; the data has text',
    ],
    [
      "a token below 0",
      'data y = windows(csv("t.csv").x, 1)',
      { "t.csv": "x\n3\n-1\n" },
      [{ ...label, sizes: [undefined], ragged: true }],
      't.csv:3, column "x": y is -1: a token is a whole number from 0 on',
    ],
    [
      "a token out of range",
      'data y = csv("t.csv").y',
      { "t.csv": "y\n3\n5\n" },
      [{ ...label, limit: 5 }],
      't.csv:3, column "y": y is 5: tok(5) ends at 4',
    ],
    [
      "a fraction",
      'data y = csv("t.csv").y',
      { "t.csv": "y\n3\n5.5\n" },
      [label],
      't.csv:3, column "y": y is 5.5: a token is a whole number from 0 on',
    ],
    [
      "too many labels",
      'data y = csv("t.csv").y',
      { "t.csv": "y\na\nb\nc\n" },
      [{ ...label, limit: 2 }],
      'y has 3 different labels, tok(2) holds 2\n  hint: they are "a", "b" and "c"',
    ],
    [
      "no truth value",
      'data y = csv("t.csv").y',
      { "t.csv": "y\n1\n2\n" },
      [{ ...scalar, base: "bool" }],
      't.csv:3, column "y": y is 2: a bool is 0 or 1',
    ],
    [
      "a missing input",
      'data y = csv("t.csv").y',
      csv,
      [{ ...label, optional: false }],
      't.csv:3, column "y": the value is missing',
    ],
    [
      "other sizes",
      'data x = json("d.json")',
      { "d.json": "[[1, 2], [3, 4]]" },
      [{ ...series, sizes: [3], ragged: false }],
      "d.json, row 1: x is [2] in the data, [3] in the model",
    ],
    [
      "an image for a vector",
      'data x = json("d.json")',
      { "d.json": "[[[1, 2]], [[3, 4]]]" },
      [{ ...series, sizes: [2], ragged: false }],
      "x is [1, 2] in the data, [2] in the model\n  hint: write flat(...) around the reader",
    ],
    [
      "ragged rows without time",
      'data x = json("d.json")',
      { "d.json": "[[1, 2], [3]]" },
      [{ ...series, sizes: [undefined], ragged: false }],
      "rows of x differ in length (2, then 1), and its first axis is no time axis",
    ],
    [
      "characters that training lacks",
      'data ids = lines("a.txt")\n val ids = lines("b.txt")',
      { "a.txt": "ab", "b.txt": "b\nabé" },
      [text],
      'b.txt:2: "é" is not in the vocabulary of ids',
    ],
    [
      "a torn sequence",
      'data ids = chars("a.txt")\n val random 10%',
      { "a.txt": "abcdefghijklmnop" },
      [text],
      "ids is one long sequence: random rows would tear it apart",
    ],
    [
      "nothing to train on",
      'data y = csv("t.csv").y\n test last 3 rows',
      { "t.csv": "y\n1\n2\n3\n" },
      [scalar],
      "test would take 3 of 3 rows: none is left to train on",
    ],
    [
      "words and characters in one vocabulary",
      'data ids = lines("a.txt")\n data w = words("a.txt")',
      { "a.txt": "ab" },
      [text, { ...text, name: "w" }],
      "w has words, but shares its vocabulary with characters",
    ],
  ])("%s", async (_, source, files, expected, message) => {
    await expect(load(source, files, expected)).rejects.toThrow(message);
  });
});

test("splits part the rows: none lost, none twice (property)", () => {
  const amount = fc.record({
    role: fc.constantFrom("val", "test"),
    from: fc.constantFrom("last", "random"),
    percent: fc.integer({ min: 1, max: 40 }),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 200 }),
      fc.uniqueArray(amount, { selector: ({ role }) => role }),
      fc.nat(),
      (rows, parts, seed) => {
        const source = parts.map(({ role, from, percent }) => `${role} ${from} ${percent}%`).join("\n");
        const shares = splitClauses(source).filter((clause): clause is ShareClause => clause.rule.kind === "share");
        const dataset = foreignDataset({ x: Float64Array.from({ length: rows }, (_, row) => row) }, "test");
        const { train, val, test: held } = splitRows(dataset, shares, seed);
        const kept = [train, val, held].flatMap((part) => (part === undefined ? [] : rowsOf(part.columns.get("x")!)));
        expect([...kept].map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: rows }, (_, row) => row));
        for (const { role, percent } of parts)
          expect((role === "val" ? val : held)!.rows).toBe(Math.max(1, Math.round((rows * percent) / 100)));
      },
    ),
  );
});

test("a random split depends on the seed, and keeps the order of rows", () => {
  const dataset = foreignDataset({ x: Float64Array.from({ length: 50 }, (_, row) => row) }, "test");
  const clauses = splitClauses("val random 20 rows") as readonly ShareClause[];
  const chosen = (seed: number): readonly unknown[] => rowsOf(splitRows(dataset, clauses, seed).val!.columns.get("x")!);
  expect(chosen(1)).toEqual(chosen(1));
  expect(chosen(1)).not.toEqual(chosen(2));
  expect(chosen(1)).toEqual([...chosen(1)].sort((a, b) => Number(a) - Number(b)));
});
