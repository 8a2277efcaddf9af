import { optimizedFor } from "../../src/api/modules.ts";
import { emitStandalone } from "../../src/emit/standalone/emit.ts";
import { type ModelPrograms, modelPrograms } from "../../src/runtime/model-programs.ts";
import { PROCESSOR_TUNING } from "../../src/runtime/webgpu-tuning.ts";
import { expressionOf, openJob, renderFindings } from "../support/compile.ts";
import { STANDALONE } from "../support/typescript.ts";
import type { Sketch } from "./sketches.ts";

/** All programs of a model that a module can hold. */
export function programsOf({ text, file, model, parameters }: Sketch): ModelPrograms {
  const job = openJob(text, { file, sizes: parameters });
  const programs = modelPrograms(job.modules, expressionOf(model), job.sizes, job.report);
  if (programs === undefined) throw new Error(renderFindings(job));
  return { ...programs, train: programs.train.filter(({ changing }) => changing === undefined) };
}

/** The module that needs nothing else; its shaders are those for a processor that stands in for a graphics card. */
export async function standaloneText(programs: ModelPrograms, target: "wasm" | "webgpu"): Promise<string> {
  if (target === "wasm") return emitStandalone(programs, await STANDALONE, { instructions: ["plain"] }).text;
  const forDevices = optimizedFor(programs, target);
  const options = { target, instructions: ["plain"], tuning: PROCESSOR_TUNING } as const;
  return emitStandalone(forDevices, await STANDALONE, { ...options, forDevices }).text;
}
