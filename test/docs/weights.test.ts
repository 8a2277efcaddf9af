import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { createReport } from "../../src/base/report.ts";
import { encodeTensors, type WritableTensor } from "../../src/runtime/safetensors.ts";
import { format } from "../../src/syntax/format.ts";
import { parse } from "../../src/syntax/parse.ts";
import { LIBRARY } from "../support/library.ts";
import { filesIn, prepared } from "../support/train.ts";

const text = readFileSync(resolve(import.meta.dirname, "../../docs/weights.md"), "utf8");
const blocks = [...text.matchAll(/```seq\n([\s\S]*?)```/g)].map(([, block = ""]) => block);
const [model = "", layout = ""] = blocks;

const ROW = JSON.stringify({ x: [Array.from({ length: 8 }, () => 0)], score: 0 });
const file = filesIn({ "score.seq": model, "rows.jsonl": ROW });

function write(change: Readonly<Record<string, WritableTensor | undefined>> = {}): void {
  const shapes = { weight_ih_l0: [64, 8], weight_hh_l0: [64, 16], bias_ih_l0: [64], bias_hh_l0: [64] };
  const tensors: Record<string, WritableTensor | undefined> = {
    ...{ "head.weight": zeros([1, 32]), "head.bias": zeros([1]), ...change },
  };
  for (const [name, shape] of Object.entries(shapes)) {
    for (const end of ["", "_reverse"]) {
      const key = `lstm.${name}${end}`;
      if (!(key in tensors)) tensors[key] = zeros(shape);
    }
  }
  const all = Object.entries(tensors).flatMap(([name, tensor]) =>
    tensor === undefined ? [] : [[name, tensor] as const],
  );
  writeFileSync(join(dirname(file), "torch.safetensors"), Buffer.concat([...encodeTensors(new Map(all), new Map())]));
}

function zeros(shape: readonly number[]): WritableTensor {
  return { dtype: "F32", shape, data: new Float32Array(shape.reduce((all, size) => all * size, 1)) };
}

test("docs/weights.md: the model takes every weight from the file", async () => {
  write();
  const { loaded, weights } = await prepared(file);
  expect([...loaded.keys()].sort()).toEqual(weights.map(({ name }) => name).sort());
});

test("docs/weights.md: what does not fit is shown as it says", async () => {
  const integers: WritableTensor = { dtype: "I64", shape: [64], data: new BigInt64Array(64) };
  write({ "lstm.weight_ih_l0": zeros([64, 6]), "lstm.bias_ih_l0": integers, "lstm.weight_hh_l0": undefined });
  const [, shown = ""] = /```text\n.*: (its tensors[\s\S]*?)```/.exec(text) ?? [];
  expect(shown.split("\n").length).toBe(6);
  await expect(prepared(file)).rejects.toThrow(shown.trimEnd());
});

test("docs/weights.md: its programs are in canonical form, and its table has every layout of the library", () => {
  for (const block of blocks) expect(format(parse(block, "x.seq", createReport()), block)).toBe(block);
  const known = parse(layout, "x.seq", createReport()).declarations;
  expect(known.map(({ kind }) => kind)).toEqual(["definition"]);
  const names = LIBRARY.flatMap(({ tree }) =>
    (tree?.declarations ?? []).flatMap((one) =>
      one.kind === "definition" && one.definitionKind === "layout" ? [one] : [],
    ),
  );
  const table = [...text.matchAll(/^\| `(\w+)\((.*?)\)` \|/gm)].map(([, name, parameters]) => `${name}(${parameters})`);
  expect(table).toEqual(
    names.map(({ name, parameters }) => `${name.text}(${parameters.map((one) => one.name.text).join(", ")})`),
  );
});
