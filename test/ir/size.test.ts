import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addSizes,
  ceilSize,
  constantSize,
  divideSizes,
  evaluateSize,
  laidOutSize,
  multiplySizes,
  namedSize,
  partSize,
  type Size,
  sizeConstant,
  sizeNames,
  substituteSize,
  subtractSizes,
} from "../../src/ir/size.ts";
import { readSize } from "../../src/ir/size_read.ts";

const names = ["B", "H", "N", "enc.T"];
const leaf = fc.oneof(fc.integer({ min: -4, max: 9 }).map(constantSize), fc.constantFrom(...names).map(namedSize));
const { size } = fc.letrec<{ size: Size }>((tie) => ({
  size: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => addSizes(a, b)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => subtractSizes(a, b)),
    fc.tuple(tie("size"), tie("size")).map(([a, b]) => multiplySizes(a, b)),
    fc.tuple(tie("size"), leaf).map(([a, b]) => divideSizes(a, b) ?? a),
    fc
      .tuple(tie("size"), fc.integer({ min: 2, max: 5 }))
      .map(([a, n]) => ceilSize(divideSizes(a, constantSize(n)) ?? a)),
  ),
}));
const binding = new Map([
  ["B", 6],
  ["H", 4],
  ["N", 3],
  ["enc.T", 10],
]);

describe("canonical arithmetic", () => {
  const same = (a: Size, b: Size) => expect(a.text).toBe(b.text);

  test("addition and multiplication commute, associate, distribute", () => {
    fc.assert(
      fc.property(size, size, size, (a, b, c) => {
        same(addSizes(a, b), addSizes(b, a));
        same(multiplySizes(a, b), multiplySizes(b, a));
        same(addSizes(addSizes(a, b), c), addSizes(a, addSizes(b, c)));
        same(multiplySizes(multiplySizes(a, b), c), multiplySizes(a, multiplySizes(b, c)));
        same(multiplySizes(a, addSizes(b, c)), addSizes(multiplySizes(a, b), multiplySizes(a, c)));
      }),
    );
  });

  test("0 and 1 are neutral, and inverses cancel", () => {
    fc.assert(
      fc.property(size, fc.constantFrom(...names).map(namedSize), (a, name) => {
        same(addSizes(a, constantSize(0)), a);
        same(multiplySizes(a, constantSize(1)), a);
        same(multiplySizes(a, constantSize(0)), constantSize(0));
        same(subtractSizes(a, a), constantSize(0));
        const quotient = divideSizes(a, name);
        expect(quotient).toBeDefined();
        if (quotient !== undefined) same(multiplySizes(quotient, name), a);
      }),
    );
  });

  test("equal texts mean equal numbers: arithmetic of sizes is arithmetic of their values", () => {
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [x = 0, y = 0] = [evaluateSize(a, binding), evaluateSize(b, binding)];
        expect(evaluateSize(addSizes(a, b), binding)).toBeCloseTo(x + y, 8);
        expect(evaluateSize(multiplySizes(a, b), binding)).toBeCloseTo(x * y, 4);
      }),
    );
  });

  test("a text reads back as the size that it is", () => {
    fc.assert(
      fc.property(size, (a) => {
        expect(readSize(a.text)).toEqual(a);
        const part = partSize(a, ":t+1");
        expect(readSize(part.text)).toEqual(part);
      }),
    );
  });

  test("a substituted name is gone, and its value counts", () => {
    fc.assert(
      fc.property(size, (a) => {
        const replaced = substituteSize(a, new Map([["H", multiplySizes(constantSize(2), namedSize("N"))]]));
        expect(sizeNames(replaced).has("H")).toBe(false);
        const expected = evaluateSize(a, new Map(binding).set("H", 6));
        expect(evaluateSize(replaced, binding)).toBeCloseTo(expected ?? Number.NaN, 6);
      }),
    );
  });
});

test("texts", () => {
  const [H, N, T] = [namedSize("H"), namedSize("N"), namedSize("T")];
  const half = divideSizes(T, constantSize(2)) ?? T;
  const texts: readonly (readonly [Size, string])[] = [
    [multiplySizes(constantSize(2), H), "2*H"],
    [divideSizes(H, N) ?? H, "H/N"],
    [addSizes(constantSize(-1), multiplySizes(H, H)), "H**2 - 1"],
    [ceilSize(half), "ceil(T/2)"],
    [ceilSize(multiplySizes(half, constantSize(2))), "T"],
    [ceilSize(constantSize(2.5)), "3"],
    [subtractSizes(constantSize(0), H), "-H"],
    [partSize(addSizes(T, constantSize(1)), ":t"), "(T + 1)[:t]"],
  ];
  for (const [size, text] of texts) expect(size.text).toBe(text);
});

test("a number never equals a name", () => {
  expect(sizeConstant(namedSize("H"))).toBeUndefined();
  expect(sizeConstant(subtractSizes(namedSize("H"), namedSize("H")))).toBe(0);
  expect(evaluateSize(namedSize("H"), new Map())).toBeUndefined();
});

test("rounding up is exact where fractions add to a whole number", () => {
  for (let T = 1; T < 200; T++) {
    const third = divideSizes(addSizes(namedSize("T"), constantSize(2)), constantSize(3)) ?? constantSize(0);
    expect(evaluateSize(ceilSize(third), new Map([["T", T]]))).toBe(Math.floor((T + 4) / 3));
  }
});

test("parts of parts keep their labels, and are laid out as the whole", () => {
  const inner = partSize(namedSize("T"), ":t+1");
  const outer = partSize(inner, ":u");
  const moved = substituteSize(outer, new Map([["T", namedSize("S")]]));
  expect(moved.text).toBe("(S[:t+1])[:u]");
  expect(laidOutSize(outer)).toEqual(namedSize("T"));
  expect(evaluateSize(outer, new Map([["T", 5]]))).toBe(5);
});

test.each([
  ["", '"" is no size: it ends early'],
  ["H +", '"H +" is no size: it ends early'],
  ["(H", '"(H" is no size: a bracket is not closed'],
  ["H)", '"H)" is no size: ")" is unexpected'],
  ["3/(H+1)", '"3/(H+1)" is no size: it divides by a sum'],
  ["H**N", '"H**N" is no size: an exponent is a whole number'],
])("%j is no size", (text, message) => {
  expect(() => readSize(text)).toThrow(new Error(message));
});
