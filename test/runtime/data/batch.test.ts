import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeBatch } from "../../../src/runtime/data/batch.ts";
import { conform } from "../../../src/runtime/data/conform.ts";
import type { Dataset } from "../../../src/runtime/data/dataset.ts";
import { type BatchRule, epochBatches } from "../../../src/runtime/data/epoch.ts";
import { foreignDataset } from "../../../src/runtime/data/foreign.ts";
import { streams } from "../../../src/runtime/data/stream.ts";

/** Rows of these lengths; row r is r·100, r·100 + 1, ... */
function raggedRows(lengths: readonly number[]): Dataset {
  return foreignDataset({ x: lengths.map((length, row) => Array.from({ length }, (_, at) => row * 100 + at)) }, "test");
}

const rule: BatchRule = { size: 4, unit: "examples", seed: 1, shuffle: true };
const lengthsArbitrary = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 120 });
const ruleArbitrary = fc.record({
  size: fc.integer({ min: 1, max: 60 }),
  unit: fc.constantFrom("examples", "tokens"),
  seed: fc.nat(),
  shuffle: fc.boolean(),
});

describe("batches of an epoch", () => {
  test("have every row once and keep to their size (property)", () => {
    fc.assert(
      fc.property(lengthsArbitrary, ruleArbitrary, fc.nat(5), (lengths, chosen, epoch) => {
        const batches = epochBatches(raggedRows(lengths), chosen, epoch);
        const rows = batches.flatMap((batch) => [...batch]);
        expect(rows.sort((a, b) => a - b)).toEqual(lengths.map((_, row) => row));
        for (const batch of batches) {
          const longest = Math.max(...Array.from(batch, (row) => lengths[row]!));
          const cost = chosen.unit === "examples" ? batch.length : batch.length * longest;
          expect(cost <= chosen.size || batch.length === 1).toBe(true);
        }
      }),
    );
  });

  test("depend on seed and epoch alone", () => {
    const dataset = raggedRows(Array.from({ length: 100 }, (_, row) => 1 + (row % 7)));
    expect(epochBatches(dataset, rule, 3)).toEqual(epochBatches(dataset, rule, 3));
    expect(epochBatches(dataset, rule, 3)).not.toEqual(epochBatches(dataset, rule, 4));
    expect(epochBatches(dataset, rule, 3)).not.toEqual(epochBatches(dataset, { ...rule, seed: 2 }, 3));
  });

  test("put similar lengths together", () => {
    const lengths = Array.from({ length: 1000 }, (_, row) => 1 + ((row * 37) % 100));
    const dataset = raggedRows(lengths);
    const padded = epochBatches(dataset, { ...rule, size: 10 }, 0).reduce(
      (sum, batch) => sum + batch.length * Math.max(...Array.from(batch, (row) => lengths[row]!)),
      0,
    );
    const real = lengths.reduce((sum, length) => sum + length, 0);
    expect(padded / real).toBeLessThan(1.05);
  });

  test("are not ordered by length", () => {
    const lengths = Array.from({ length: 400 }, (_, row) => 1 + (row % 100));
    const first = epochBatches(raggedRows(lengths), rule, 0).map((batch) => lengths[batch[0]!]!);
    expect(first).not.toEqual([...first].sort((a, b) => a - b));
  });

  test("come in the file's order where nothing shuffles", () => {
    const dataset = foreignDataset({ x: new Float32Array(7) }, "test");
    const batches = epochBatches(dataset, { ...rule, size: 3, shuffle: false }, 0);
    expect(batches.map((batch) => [...batch])).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });
});

describe("a batch", () => {
  test("is padded with the last element, never with zeros (property)", () => {
    fc.assert(
      fc.property(lengthsArbitrary, (lengths) => {
        const rows = Uint32Array.from(lengths, (_, row) => row);
        const x = makeBatch(raggedRows(lengths), rows).columns.get("x")!;
        const longest = x.shape[1] ?? 1;
        const even = lengths.every((length) => length === lengths[0]);
        expect(x.lengths).toEqual(even ? undefined : Int32Array.from(lengths));
        lengths.forEach((length, row) => {
          for (let at = 0; at < longest; at++)
            expect(x.data[row * longest + at]).toBe(row * 100 + Math.min(at, length - 1));
        });
      }),
    );
  });

  test("repeats the whole last element of a row of vectors", () => {
    const dataset = foreignDataset(
      {
        x: [
          [[1, 2]],
          [
            [3, 4],
            [5, 6],
            [7, 8],
          ],
        ],
      },
      "test",
    );
    const x = makeBatch(dataset, Uint32Array.of(0, 1)).columns.get("x")!;
    expect(x.shape).toEqual([2, 3, 2]);
    expect([...x.data]).toEqual([1, 2, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("says which rows lack a value, and holds a legal one there", () => {
    const dataset = foreignDataset([{ x: 1, y: [5, 6] }, { x: 2 }, { x: 3, y: [7] }], "test");
    const y = makeBatch(dataset, Uint32Array.of(1, 0, 2)).columns.get("y")!;
    expect(y.present).toEqual(Uint8Array.of(0, 1, 1));
    expect(y.lengths).toEqual(Int32Array.of(0, 2, 1));
    expect([...y.data]).toEqual([5, 5, 5, 6, 7, 7]);
  });

  test("has the types that programs take, scaled where a column is", () => {
    const bytes = foreignDataset({ x: Uint8Array.of(0, 51, 255), b: [true, false, true] }, "test");
    const x = bytes.columns.get("x")!;
    const grey = {
      ...bytes,
      columns: new Map([
        ["x", { ...x, kind: "float", scale: 1 / 255, offset: 0 } as typeof x],
        ["b", bytes.columns.get("b")!],
      ]),
    };
    const { columns } = makeBatch(grey, Uint32Array.of(2, 1));
    expect(columns.get("x")).toMatchObject({ kind: "float", shape: [2], data: Float32Array.of(1, 0.2) });
    expect(columns.get("b")).toMatchObject({ kind: "bool", data: Uint8Array.of(1, 0) });
  });
});

describe("streams for truncated backpropagation", () => {
  function sequence(length: number): Dataset {
    const x = Float64Array.from({ length }, (_, at) => at);
    const expected = { name: "x", base: "float", sizes: [undefined], ragged: true, optional: false } as const;
    return conform(foreignDataset({ x }, "test"), [expected]);
  }

  test("make each prediction once, and go on where the chunk before ended (property)", () => {
    const arbitrary = fc.record({
      length: fc.integer({ min: 4, max: 400 }),
      streams: fc.integer({ min: 1, max: 9 }),
      chunk: fc.integer({ min: 1, max: 40 }),
      overlap: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ length, streams: most, chunk, overlap }) => {
        const plan = streams(sequence(length), { streams: most, length: chunk, overlap });
        expect(plan.size).toBeLessThanOrEqual(most);
        const predicted: number[] = [];
        const next = new Map<number, number>();
        for (let position = 0; position < plan.count; position++) {
          const { columns, fresh, size } = plan.chunk(position);
          expect([fresh, size]).toEqual([position === 0, plan.size]);
          const { data, shape, lengths } = columns.get("x")!;
          expect(lengths).toBeUndefined();
          const wide = shape[1]!;
          expect(wide).toBeLessThanOrEqual(chunk + overlap);
          for (let stream = 0; stream < plan.size; stream++) {
            const read = [...data.slice(stream * wide, (stream + 1) * wide)];
            expect(read).toEqual(read.map((_, at) => read[0]! + at));
            expect(next.get(stream) ?? read[0]).toBe(read[0]);
            next.set(stream, read[0]! + wide - overlap);
            predicted.push(...read.slice(overlap));
          }
        }
        const made = length - overlap - ((length - overlap) % plan.size);
        expect(predicted.sort((a, b) => a - b)).toEqual(Array.from({ length: made }, (_, at) => at + overlap));
      }),
    );
  });

  test("are as many as asked for where the sequence is long", () => {
    expect(streams(sequence(1000), { streams: 8, length: 10, overlap: 1 })).toMatchObject({ size: 8, count: 13 });
    expect(streams(sequence(25), { streams: 8, length: 10, overlap: 1 })).toMatchObject({ size: 2, count: 2 });
  });

  test("need one long sequence", () => {
    expect(() => streams(raggedRows([3, 4]), { streams: 2, length: 2, overlap: 1 })).toThrow(
      "bptt needs one long sequence, the data has 2 examples",
    );
    expect(() => streams(sequence(1), { streams: 2, length: 2, overlap: 1 })).toThrow("a sequence of 1 is too short");
  });
});
