import { describe, expect, test } from "vitest";
import { renderDiagnostic } from "../../src/base/render.ts";
import { format } from "../../src/syntax/format.ts";
import { meaning, read, readWell, sources } from "./read.ts";
import { summary } from "./summary.ts";

/** The file beside `folder/name.seq` that holds what is expected. */
function golden(folder: string, name: string, ending: string): string {
  return new URL(`${folder}/golden/${name.replace(/seq$/, ending)}`, import.meta.url).pathname;
}

describe("trees", () => {
  test.for(sources("trees"))("%s", async ([name, text]) => {
    await expect(summary(readWell(text))).toMatchFileSnapshot(golden("trees", name, "txt"));
  });
});

describe("formatted", () => {
  test.for([...sources("format"), ...sources("sketches")])("%s", async ([name, text]) => {
    const tree = readWell(text);
    const formatted = format(tree, text);
    await expect(formatted).toMatchFileSnapshot(golden("format", name, "seq"));
    const again = readWell(formatted);
    expect(meaning(again)).toBe(meaning(tree));
    expect(format(again, formatted)).toBe(formatted);
    expect(again.comments.length).toBe(tree.comments.length);
    const tooWide = formatted.split("\n").filter((line) => line.replace(/ *\/\/.*/, "").length > 120);
    expect(tooWide.filter((line) => /[(,+]/.test(line))).toEqual([]);
  });
});

describe("errors", () => {
  test.for(sources("errors"))("%s", async ([name, text]) => {
    const { diagnostics } = read(text, name);
    expect(diagnostics.length).toBeGreaterThan(0);
    const rendered = diagnostics.map((each) => renderDiagnostic(each, new Map([[name, text]])));
    await expect(`${rendered.join("\n\n")}\n`).toMatchFileSnapshot(golden("errors", name, "txt"));
  });
});
