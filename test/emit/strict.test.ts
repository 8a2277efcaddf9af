import { expect, test } from "vitest";
import { toJavaScript } from "../../src/emit/javascript.ts";
import { CHARS } from "./chars.ts";
import { emitted, programsOf, textFor } from "./open.ts";
import { strictProblems } from "./strict.ts";

test("modules for every target pass strict checks without other packages, as TypeScript and as JavaScript with declarations", async () => {
  const programs = programsOf(CHARS, {});
  const file = await emitted(programs);
  const [script, declarations] = toJavaScript(file);
  expect(script?.text).not.toContain("interface ");
  expect(declarations?.text).toContain("forward(inputs: CharsInputs): Promise<CharsOutputs>;");
  const files = {
    "wasm.ts": file.text,
    "declared.d.ts": declarations?.text ?? "",
    "webgpu.ts": (await textFor(programs, "webgpu")).text,
    "auto.ts": (await textFor(programs, "auto")).text,
  };
  expect(strictProblems(files)).toEqual([]);
});
