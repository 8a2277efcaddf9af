import { readFileSync } from "node:fs";
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { describe, expect, test } from "vitest";
import { dotOf } from "../../src/compile/dot.ts";
import { type Picture, pictureOf } from "../../src/compile/picture.ts";
import { openJob, packageFile, readSource, seqFiles } from "../support/compile.ts";

function picture(text: string, file = "model.seq"): Picture {
  const [first] = openJob(text, { file })
    .modules.entry.tree.declarations.filter((one) => one.kind === "definition")
    .filter((one, _, all) => one.definitionKind === "model" || all.every((each) => each.definitionKind !== "model"));
  if (first === undefined) throw new Error(`${file} defines nothing`);
  return pictureOf(first);
}

describe("docs/models.md", () => {
  const docs = readFileSync(packageFile("docs/models.md"), "utf8");
  const shown = [...docs.matchAll(/\(models\/(\w+)\.svg\)/g)].map((match) => match[1] ?? "");

  test("has every example model", () => {
    const missing = seqFiles("models").filter((file) => !docs.includes(`../models/${file})`));
    expect(missing).toEqual([]);
  });

  test("has a picture of every one, as it is", async () => {
    expect(seqFiles("models").filter((file) => !shown.includes(file.replace(".seq", "")))).toEqual([]);
    const graphviz = await Graphviz.load();
    for (const name of shown) {
      const { file, text } = readSource(`models/${name}.seq`);
      const drawn = `${graphviz.dot(dotOf(picture(text, file))).trimEnd()}\n`;
      await expect(drawn).toMatchFileSnapshot(packageFile(`docs/models/${name}.svg`));
    }
  });
});

describe("a picture of equations", () => {
  const { nodes, edges } = picture(`
cell Leaky(D) {
  in    x: [D]
  state h: [D]
  param a: [D]
  use   f = Linear(D, D)
  h' = a * h + f(x)
  out h'
}`);

  test("has a node for each name", () => {
    expect(nodes.map(({ id, kind, text }) => `${id}, ${kind}: ${text}`)).toEqual([
      "x, input: x",
      "h, state: h",
      "a, weights: a",
      "f, weights: f = Linear(D, D)",
      "h', equation: h' = a * h + f(x)",
      "out, output: out h'",
    ]);
  });

  test("has an edge for each read", () => {
    expect(edges.map(({ from, to }) => `${from} -> ${to}`)).toEqual([
      "a -> h'",
      "h -> h'",
      "f -> h'",
      "x -> h'",
      "h' -> out",
    ]);
  });

  test("a read at another position is delayed, unless the same is read here too", () => {
    const { edges: found } = picture(
      "model M { time T in x: [T] y[t] = x[t] - x[t-1] else 0\n z[t] = y[t] + z[t-1] else 0 }",
    );
    expect(found.filter(({ delayed }) => delayed).map(({ from, to }) => `${from} -> ${to}`)).toEqual(["z -> z"]);
  });

  test("is escaped for Graphviz", () => {
    expect(dotOf({ name: 'a"b', nodes: [{ id: "x", kind: "input", text: 'a "b"' }], edges: [] })).toContain(
      '"a \\"b\\""',
    );
  });
});
