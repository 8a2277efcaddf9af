import { describe, expect, test } from "vitest";
import type { TargetName } from "../../src/runtime/targets.ts";
import { readSource } from "../support/compile.ts";
import { filesIn, trained } from "../support/train.ts";

const TEXT = "call me ishmael. some years ago--";

function regime(name: string, clauses: string): string {
  return `train ${name} of CharLM(E: 3, H: 4) { data ids = chars("text.txt") minimize nll(ids) ${clauses} optim adam(1e-2) clip norm(1.0) batch 1 for 4 steps seed 2 }`;
}

const FILE = filesIn({
  "x.seq": [
    readSource("models/char_lm.seq").text.split(/^(?:\/\/\/.*\n)?train /m)[0],
    regime("full", ""),
    regime("whole", `bptt ${TEXT.length - 1}`),
    regime("longer", "bptt 500"),
    regime("cut", "bptt 16"),
  ].join("\n"),
  "text.txt": TEXT,
});

describe("truncated backpropagation", () => {
  test.each<TargetName>(["wasm", "reference"])(
    "%s: a truncation as long as the text has the same bits",
    async (target) => {
      const full = await trained(FILE, { regime: "full", target });
      for (const name of ["whole", "longer"]) {
        const { losses, outcome } = await trained(FILE, { regime: name, target });
        expect(losses, name).toEqual(full.losses);
        expect(outcome.state.weights, name).toEqual(full.outcome.state.weights);
      }
    },
  );

  test("a shorter one is another training", async () => {
    const [full, cut] = [await trained(FILE, { regime: "full" }), await trained(FILE, { regime: "cut" })];
    expect(cut.losses).not.toEqual(full.losses);
  });
});
