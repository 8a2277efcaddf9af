import { describe, expect, test } from "vitest";
import { functionText, stageText } from "../../src/emit/standalone/shader-code.ts";
import { inlined } from "../../src/target/webgpu/wgsl/inline.ts";
import { readStatements } from "../../src/target/webgpu/wgsl/read.ts";
import { writeStatements } from "../../src/target/webgpu/wgsl/write.ts";

const USUAL = { step: "  ", space: " " };
const lines = (...text: readonly string[]): string => text.join("\n");
const rewritten = (text: string): string => writeStatements(readStatements(text), USUAL);
const short = (text: string): string =>
  writeStatements(
    inlined(readStatements(text), () => true),
    USUAL,
  );

describe("shaders as text", () => {
  test.each([
    "x = (a + b) * c - d / (e * f) % g;",
    "x = a + (b + c) - (d - e);",
    "x = (-a + b) * (-c);",
    "x = (bits & 0x7fffffffu) > 0x7f800000u && (a << 2u) != 1u && !(b < c);",
    "x = f((a < b), c > d);",
    "x = select(bitcast<f32>(arena[a + 1].x), -1.5e-7f, a >= b);",
    lines("var sums = array<f32, 4>();", "var a: array<i32, 2>;", "var b: f32 = c;"),
    lines("for (var k = 0; k < n; k += 16) {", "  // of all", "  sums[k] += 1.0f;", "}"),
    lines("while (left > 0u) {", "  left /= 2u;", "}"),
    lines("{", "  count++;", "  workgroupBarrier();", "}"),
  ])("%s is read and written as it is", (text) => {
    expect(rewritten(text)).toBe(text);
  });

  test("brackets that change nothing are left out, others are not", () => {
    expect(rewritten("x = ((a * b) + (c)) - (d - (e + (f * g)));")).toBe("x = a * b + c - (d - (e + f * g));");
    expect(rewritten("x = (a / b) * (c * d);")).toBe("x = a / b * (c * d);");
    expect(() => readStatements("switch a { default { } }")).toThrow("internal: no shader is read with");
  });

  test("what is used once stands where it is used", () => {
    expect(short("let a = n * 2; let b = arena[a]; let unused = a; arena[a] = b + 1;")).toBe(
      lines("let a = n * 2;", "arena[a] = arena[a] + 1;"),
    );
    expect(short("let a = arena[1]; if (n > 0) { let b = a * 2; arena[2] = b; }")).toBe(
      lines("if (n > 0) {", "  arena[2] = arena[1] * 2;", "}"),
    );
  });

  test.each([
    ["what is written meanwhile", "let a = arena[1];\narena[0] = 0u;\narena[2] = a;"],
    ["what other threads may write meanwhile", "let a = shared_float[1];\nworkgroupBarrier();\narena[2] = a;"],
    ["a variable that changes meanwhile", "var sum = 0.0f;\nlet a = sum + 1;\nsum += 2;\narena[2] = a;"],
    ["what would be computed in every turn", "let a = n * m;\nfor (var k = 0; k < a; k++) {\n  arena[k] = a;\n}"],
    ["what is used in a loop", "let a = n * m;\nfor (var k = 0; k < 4; k++) {\n  arena[k] = a;\n}"],
    ["what goes from thread to thread", "let a = subgroupShuffleXor(b, 1u);\nif (thread == 0) {\n  arena[0] = a;\n}"],
  ])("%s stays where it is", (_, text) => {
    expect(short(text)).toBe(text);
  });

  test("emitted code has the same text for the same work, and brings its cells of the table", () => {
    const made = (name: string, cell: string) =>
      stageText(`
  // ${name}
  let at_${name} = table[1].${cell};
  for (var item = thread; item < 128; item += 256) {
    let ${name} = bitcast<f32>(arena[at_${name} + item]);
    arena[table[0].x + item] = bitcast<u32>(${name} * ${name});
  }`);
    expect(made("first", "z")).toEqual({
      code: lines(
        "for (var i1 = thread; i1<128; i1 += 256) {",
        " let a1 = bitcast<f32>(arena[N0+i1]);",
        " arena[N1+i1] = bitcast<u32>(a1*a1);",
        "}",
      ),
      cells: [6, 0],
    });
    expect(made("other", "w")).toEqual({ ...made("first", "z"), cells: [7, 0] });
    expect(
      functionText("fn twice(value: f32, times: i32) -> f32 {\n  let sum = value + value;\n  return sum;\n}"),
    ).toBe("fn twice(a: f32, b: i32) -> f32 {\nreturn a+a;\n}");
  });
});
