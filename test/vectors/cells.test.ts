import { describe, test } from "vitest";
import { interpreter } from "../support/execute.ts";
import { checkCase } from "./case.ts";
import { cellCases } from "./cells.ts";

describe("recurrent layers of another framework", () => {
  for (const one of cellCases()) {
    test(one.name, () => checkCase(one, interpreter, { output: 1e-6, gradient: 1e-5 }));
  }
});
