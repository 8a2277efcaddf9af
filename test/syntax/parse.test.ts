import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { applyFixes } from "../../src/base/edit.ts";
import { format } from "../../src/syntax/format.ts";
import type { Definition, Expression } from "../../src/syntax/tree.ts";
import { read, readWell, sources } from "./read.ts";

function definition(text: string): Definition {
  const [only] = read(text).tree.declarations;
  if (only?.kind !== "definition") throw new Error("not a definition");
  return only;
}

test("what is right around a mistake stays in the tree", () => {
  const { tree, diagnostics } = read(`
cell A(D) {
  in x: [D]
  state h [H]
  y = f(x
  z = a b
  out y
}
modle B { out 1 }
train t of A {
  data x = csv("a.csv")
  optimizer adam()
  batch 32
}
cell C { out 1 }`);
  expect(diagnostics.map(({ span }) => span.start)).toEqual(
    diagnostics.map(({ span }) => span.start).sort((a, b) => a - b),
  );
  const [a, t, c] = tree.declarations;
  expect(tree.declarations.length).toBe(3);
  expect(a?.kind === "definition" && a.items.map(({ kind }) => kind)).toEqual(["in", "equation", "out"]);
  expect(t?.kind === "train" && t.clauses.map(({ kind }) => kind)).toEqual(["data", "batch"]);
  expect(c?.kind === "definition" && c.name.text).toBe("C");
});

test("the names of what could not be read are known", () => {
  const { tree } = read("cell A {\n  state h, c [H]\n  out h\n}");
  expect(tree.unread.flatMap(({ words }) => words)).toEqual(["state", "h", "c", "H"]);
});

test("documentation is what stands directly above", () => {
  const text = `
/// one
///   two 
cell A {
  /// far

  x = 1
  /// near
  y = 2 /// behind
  z = 3
  //// ruled
  w = 4
  /// first
  u = 5 v = 6
}`;
  const { doc, items } = definition(text);
  expect(doc).toBe("one\n  two");
  expect(items.map((item) => item.kind === "equation" && item.doc)).toEqual([
    undefined,
    "near",
    undefined,
    undefined,
    "first",
    undefined,
  ]);
});

test("spans cover what was written, parentheses included", () => {
  const text = 'cell A {\n  y = (a + b) * f[S](x[t-1] else 0).{i, f}\n  out "s"\n}';
  const spans: string[] = [];
  JSON.stringify(readWell(text), (key, value) => {
    if (key === "span" || key === "operatorSpan") spans.push(text.slice(value.start, value.end));
    return value;
  });
  expect(spans).toContain("(a + b) * f[S](x[t-1] else 0).{i, f}");
  expect(spans).toContain("(a + b)");
  expect(spans).toContain("f[S](x[t-1] else 0)");
  expect(spans).toContain("x[t-1] else 0");
  expect(spans).toContain("*");
  expect(spans.every((each) => each !== "" && each.trim() === each)).toBe(true);
});

test("a number keeps its text and has its value", () => {
  const value = (text: string): Expression | undefined => {
    const [only] = readWell(`expect ${text}`).declarations;
    return only?.kind === "expect" ? only.value : undefined;
  };
  expect(value("10_000")).toMatchObject({ kind: "number", value: 10_000, text: "10_000" });
  expect(value("1_0.2_5e-3")).toMatchObject({ value: 10.25e-3 });
  expect(value("007")).toMatchObject({ value: 7, text: "007" });
  expect(value('"a\\"\\\\\\n\\tb"')).toMatchObject({ kind: "string", value: 'a"\\\n\tb' });
});

test("what `--fix` does to a fixable file leaves nothing of that kind to report", () => {
  const fixable = [
    "misspelt_item",
    "misspelt_declaration",
    "misspelt_option",
    "single_quotes",
    "unclosed_brace",
    "unclosed_brace_at_end",
    "wrong_closer",
    "bad_escape",
  ];
  const all = new Map(sources("errors"));
  for (const name of fixable) {
    const text = all.get(`${name}.seq`)!;
    const { diagnostics } = read(text);
    const fixed = applyFixes(
      text,
      diagnostics.flatMap(({ fix }) => fix ?? []),
    );
    expect(read(fixed).diagnostics, `${name}\n${fixed}`).toEqual([]);
  }
});

test("a file with faults is not formatted", () => {
  const text = "cell A {\n   x = = 1\n}";
  expect(format(read(text).tree, text)).toBe(text);
});

test("every reading code has an example among the errors", () => {
  const goldens = sources("errors").map(([name]) =>
    readFileSync(new URL(`errors/golden/${name.replace(/seq$/, "txt")}`, import.meta.url), "utf8"),
  );
  const shown = new Set(goldens.join("\n").match(/(?<=^(?:error|warning)\[)[^\]]+/gm));
  const codes = readFileSync(new URL("../../src/base/codes.ts", import.meta.url), "utf8");
  const reading = /\/\/ reading\n([\s\S]*?)\n\n/.exec(codes)![1]!;
  const known = [...reading.matchAll(/"([\w-]+)":/g)].map(([, code]) => code!);
  expect(known.length).toBeGreaterThan(8);
  expect(known.filter((code) => !shown.has(code))).toEqual([]);
});
