import { describe, test } from "vitest";
import { interpreter } from "../support/execute.ts";
import { checkCase } from "./case.ts";
import { onnxCases } from "./onnx.ts";

describe("the recurrent operators of ONNX", () => {
  for (const one of onnxCases()) test(one.name, () => checkCase(one, interpreter, { output: 1e-5, gradient: 1e-5 }));
});
