import { describe, test } from "vitest";
import { checkCase } from "./case.ts";
import { cellCases } from "./cells.ts";
import { WAYS } from "./ways.ts";

describe("recurrent layers of another framework", () => {
  const cases = cellCases();
  for (const { name, execute, single } of WAYS) {
    const tolerance = single ? { output: 1e-5, gradient: 1e-4 } : { output: 1e-6, gradient: 1e-5 };
    for (const one of cases) test(`${one.name}, ${name}`, () => checkCase(one, execute(one.program), tolerance));
  }
});
