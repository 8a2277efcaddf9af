import { describe, expect, test } from "vitest";
import { createBuilder } from "../../src/ir/builder.ts";
import { OPS } from "../../src/op/table.ts";
import { optimize } from "../../src/pass/run.ts";
import { createChance } from "../support/chance.ts";
import { randomCase, SIZES } from "../support/op_cases.ts";
import { randomGraph } from "../support/random_graph.ts";
import { expectSameAsInterpreter } from "./compare.ts";

/** What is taken for known when code is made: nothing, one size, all but the batch. */
const KNOWN = [new Map<string, number>(), new Map([["H", 3]]), new Map([...SIZES].filter(([name]) => name !== "B"))];

describe("every op gives the interpreter's numbers", () => {
  test.each(OPS.map((op) => ({ name: op.name, op })))("$name", ({ op }) => {
    for (let seed = 0; seed < 8; seed++) {
      const { types, attributes, inputs, sizes } = randomCase(op, createChance(77 * seed + 5));
      const builder = createBuilder("one_op");
      const ids = types.map((type, index) => builder.param(`p${index}`, type));
      const outputs = builder.addAll(op, ids, attributes, ["out"]);
      const graph = builder.finish(outputs.map((id, index) => ({ name: `r${index}`, id })));
      const given = new Map(
        ids.flatMap((id, index) => (inputs[index] === undefined ? [] : [[id, inputs[index]] as const])),
      );
      // ψ' next to its poles is a difference of large numbers.
      const tolerance = op.name === "trigamma" ? 1e-5 : 2e-6;
      expectSameAsInterpreter(
        { graph, inputs: given, sizes },
        KNOWN[seed % KNOWN.length] ?? new Map(),
        tolerance,
        `seed ${seed}`,
      );
    }
  });

  test("the table has ops", () => expect(OPS.length).toBeGreaterThan(50));
});

describe("random graphs give the interpreter's numbers", () => {
  test.each([0, 1, 2, 3])("part %i", (part) => {
    for (let seed = 12 * part; seed < 12 * part + 12; seed++) {
      const { graph, inputs, sizes } = randomGraph(seed);
      const known = new Map(seed % 2 === 0 ? [] : [["H", 3] as const, ["E", 4] as const]);
      expectSameAsInterpreter({ graph, inputs, sizes }, known, 2e-5, `seed ${seed}`);
      const optimized = optimize(graph, { sizes: known, off: new Set() });
      expectSameAsInterpreter({ graph: optimized, inputs, sizes }, known, 2e-5, `seed ${seed} optimized`);
    }
  });
});
