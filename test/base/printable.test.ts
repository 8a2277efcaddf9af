import fc from "fast-check";
import { expect, test } from "vitest";
import { printBytes, readBytes } from "../../src/base/printable.ts";

test("bytes come back from their text, which no quoting changes", () => {
  const every = Uint8Array.from({ length: 256 }, (_, at) => at);
  expect(printBytes(every)).toMatch(/^[ -~]*$/);
  expect(printBytes(every)).not.toMatch(/["'`\\]/);
  expect(readBytes(printBytes(every))).toEqual(every);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(readBytes(printBytes(bytes))).toEqual(bytes);
    }),
  );
});

test("a byte is the same text wherever it stands", () => {
  const all = Array.from({ length: 256 }, (_, at) => at);
  expect(printBytes(all)).toBe(all.map((byte) => printBytes([byte])).join(""));
});
