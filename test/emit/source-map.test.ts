import { SourceMap } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import { toJavaScript } from "../../src/emit/javascript.ts";
import { withSourceMap } from "../../src/emit/source-map.ts";
import type { SourceText } from "../../src/emit/source-text.ts";
import { emitStandalone } from "../../src/emit/standalone/emit.ts";
import { STANDALONE } from "../support/typescript.ts";
import { programsOf } from "./open.ts";

const TEXT = `/// Two outputs.
model Pair(N = 3) {
  in  x: []
  param w: [N]
  emit y: [N] ~ normal(w * x, 1)
  emit z: [] ~ normal(x, 1)
}

train fit of Pair {
  data x, y, z = csv("rows.csv")
  minimize nll(y) + nll(z)
  optim sgd(0.1)
  for 3 steps
}

generate made of Pair {
  x = 1.0
  y by sample
}
`;

describe("a source map leads to the model's file", () => {
  const programs = programsOf(TEXT, {});
  let written: readonly SourceText[];
  beforeAll(async () => {
    const { origins, ...file } = emitStandalone(programs, await STANDALONE, { instructions: ["plain"] });
    const [script] = toJavaScript(file);
    written = [file, ...(script ? [script] : [])].flatMap((one) => withSourceMap(one, origins, programs.sources));
  });

  /** The line of the source that a line of a written file comes from, found by what it contains. */
  function originOf(ending: string, text: string): string | undefined {
    const file = written.find(({ path }) => path === `Pair.${ending}`);
    const map = written.find(({ path }) => path === `Pair.${ending}.map`);
    if (file === undefined || map === undefined) return undefined;
    expect(file.text.trimEnd().split("\n").at(-1)).toBe(`//# sourceMappingURL=Pair.${ending}.map`);
    const lines = file.text.split("\n");
    const line = lines.findIndex((one) => one.includes(text));
    const name = /\w+(?=[( {]*$)|\w+(?=\()/.exec(text)?.[0] ?? "";
    const entry = new SourceMap(JSON.parse(map.text)).findEntry(line, (lines[line] ?? "").indexOf(name));
    if (!("originalLine" in entry)) return undefined;
    const [content = ""] = JSON.parse(map.text).sourcesContent;
    return content.split("\n")[entry.originalLine];
  }

  for (const ending of ["ts", "js"]) {
    test(ending, () => {
      expect(originOf(ending, "class Pair {")).toBe("model Pair(N = 3) {");
      expect(originOf(ending, "async forward(")).toBe("model Pair(N = 3) {");
      expect(originOf(ending, "async y_mu(")).toBe("  emit y: [N] ~ normal(w * x, 1)");
      expect(originOf(ending, "async z_mu(")).toBe("  emit z: [] ~ normal(x, 1)");
      expect(originOf(ending, " train(")).toBe("train fit of Pair {");
      expect(originOf(ending, " generate(")).toBe("generate made of Pair {");
    });
  }
});
