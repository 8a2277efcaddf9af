import { describe, expect, test } from "vitest";
import { applyFixes } from "../../src/base/edit.ts";
import { type Document, openDocument } from "../../src/index.ts";
import { readSource } from "../support/compile.ts";

const TEXT = `/// One gate.
cell Leaky(D, H) {
  in    x: [D]
  state h: [H]
  param W: [H, D], b: [H]
  h' = 0.9 * h + tanh(W @ x + b)
  out h'
}

model Chars(V, H = 4) {
  time T
  in  ids: tok(V)[T]
  use emb = Embed(V, H), cell = Leaky(H, H), head = Linear(H, V)
  y, s = scan cell over emb(ids)
  emit ids[t+1] ~ categorical(head(y[t]))
}

train quick of Chars {
  data ids = chars("none.txt")
  minimize nll(ids)
  optim adam(0.05)
  batch 2
  for 3 steps
}
`;

function opened(text = TEXT): Document {
  const document = openDocument();
  document.update(text);
  document.check();
  return document;
}

/** What completes at a mark `|`, of which `some` are looked for. */
function completed(marked: string): readonly string[] {
  const offset = marked.indexOf("|");
  const document = opened(marked.replace("|", ""));
  return document.complete(offset).items.map(({ label }) => label);
}

describe("a document in an editor", () => {
  test("has the findings of a check, however it came to its text", () => {
    const document = openDocument();
    const edits: readonly (readonly [string, string])[] = [
      ["h' = 0.9", "h' = 0.9 * q"],
      ["0.9 * q", "0.9"],
      ["cell Leaky", "\n\n// moved\ncell Leaky"],
      ["in    x: [D]", "in    x: [H]"],
      ["in    x: [H]", "in    x: [D]"],
      ["head = Linear(H, V)", "head = Linear(H, 7)"],
      ["adam(0.05)", "adm(0.05)"],
      ["adm(0.05)", "adam(0.05)"],
      ["7)", "V)"],
      ["state h", "state hh"],
      ["model Chars(", "model Chars(Q = 3, "],
      ["}\n\nmodel", "\n\nmodel"],
      ["\n\nmodel", "}\n\nmodel"],
    ];
    let text = TEXT;
    for (const [from, to] of [["", ""] as const, ...edits]) {
      expect(text).toContain(from);
      text = text.replace(from, to);
      document.update(text);
      const fresh = openDocument();
      fresh.update(text);
      expect(document.check(), `after ${from} → ${to}`).toEqual(fresh.check());
    }
  });

  test("says at once what is wrong with definitions, and keeps what it knows of regimes", () => {
    const document = opened(TEXT.replace("adam(", "adm("));
    const wrong = TEXT.replace("adam(", "adm(").replace("tanh(", "tanhh(");
    expect(document.update(wrong).map(({ message }) => message)).toEqual([
      expect.stringContaining("tanhh"),
      expect.stringContaining("adm"),
    ]);
    const [fixable] = document.check();
    expect(fixable?.fix && applyFixes(wrong, [fixable.fix])).toContain("tanh(");
  });

  test("completes what can stand there", () => {
    expect(completed("|")).toEqual(expect.arrayContaining(["model", "cell", "train"]));
    expect(completed(TEXT.replace("  time T", "  |\n  time T"))).toEqual(
      expect.arrayContaining(["use", "emit", "ids"]),
    );
    expect(completed(TEXT.replace("tanh(W", "tanh(|"))).toEqual(
      expect.arrayContaining(["x", "b", "W", "sigmoid", "sum", "LSTM"]),
    );
    expect(completed(TEXT.replace("Linear(H, V)", "Lin|"))).toEqual(expect.arrayContaining(["Linear", "Leaky"]));
    expect(completed(TEXT.replace("head(y[t])", "head(s.|)"))).toEqual(["h"]);
    expect(completed(TEXT.replace("head(y[t])", "cell.|"))).toEqual(["h", "W", "b", "state"]);
    expect(completed(TEXT.replace("  batch 2", "  ba|"))).toContain("batch");
    expect(completed(TEXT.replace("  batch 2", '  load cell from "x.safetensors" as Torch|'))).toContain("TorchLSTM");
    expect(completed(TEXT.replace("chars(", "ch|("))).toContain("chars");
    expect(completed(TEXT.replace("of Chars", "of |"))).toEqual(["Chars"]);
    expect(completed(TEXT.replace("nll(ids)", "n|"))).toEqual(expect.arrayContaining(["nll", "ids"]));
    expect(completed(TEXT.replace("Embed(V, H)", "Embed(V, H, |)"))).toContain("sigma");
    expect(completed(`${TEXT}// wor|`)).toEqual([]);
    expect(completed(TEXT.replace("none.txt", "no|ne.txt"))).toEqual([]);
    expect(opened().complete(TEXT.indexOf("Linear(H, V)") + 3).from).toBe(TEXT.indexOf("Linear(H, V)"));
  });

  test("says what a word means", () => {
    const document = opened();
    const meaning = (place: string, inside: string): string | undefined =>
      document.hover(TEXT.indexOf(place) + place.indexOf(inside) + 1)?.text;
    expect(meaning("y, s = scan", "y")).toBe("y: [T, H]");
    expect(meaning("y, s = scan", "s")).toBe("s: h: [H]");
    expect(meaning("over emb(ids)", "ids")).toBe("ids: tok(V)[T]");
    expect(meaning("W @ x", "W")).toBe("W: [H, D]");
    expect(meaning("= Leaky(H", "Leaky")).toBe("cell Leaky(D, H)\n  in x: [D]\n  state h: [H]\n  out h'");
    expect(document.hover(TEXT.indexOf("= Leaky(H") + 3)?.doc).toBe("One gate.");
    expect(meaning('chars("none', "chars")).toBe("chars(...)");
    expect(meaning("time T", "time")).toBeUndefined();
  });

  test("formats, unless it cannot be read", () => {
    expect(opened("model   M{in x:[2] loss=sum(x)}").format()).toBe("model M {\n  in x: [2]\n  loss = sum(x)\n}\n");
    expect(opened("model M {").format()).toBeUndefined();
  });

  test("lives through any text, at every place", () => {
    const { text } = readSource("models/names.seq");
    const document = openDocument();
    for (let end = 0; end < text.length; end += 97) {
      const part = text.slice(0, end);
      document.update(part);
      expect(document.complete(end).from).toBeLessThanOrEqual(end);
      document.hover(Math.max(0, end - 3));
    }
  });
});
