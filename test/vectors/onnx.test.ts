import { describe, test } from "vitest";
import { checkCase } from "./case.ts";
import { onnxCases } from "./onnx.ts";
import { WAYS } from "./ways.ts";

describe("the recurrent operators of ONNX", () => {
  const cases = onnxCases();
  for (const { name, execute } of WAYS)
    for (const one of cases)
      test(`${one.name}, ${name}`, () => checkCase(one, execute(one.program), { output: 1e-5, gradient: 1e-5 }));
});
