import { f32x4, type V128 } from "./encode-code.ts";
import { createModule } from "./encode-module.ts";

/** What an engine may be asked for: SIMD, or relaxed SIMD too, whose `f32x4.relaxed_madd` multiplies and adds in one instruction. */
export type Instructions = "relaxed" | "plain";

/** A module that is valid where an engine has these instructions. */
export function instructionProbe(instructions: Instructions): Uint8Array<ArrayBuffer> {
  const module = createModule();
  const builder = module.function("probe", [], "v128");
  const one: V128 = f32x4.const(1);
  builder.finish(instructions === "relaxed" ? f32x4.relaxedMultiplyAdd(one, one, one) : f32x4.mul(one, one));
  module.export("probe", builder.reference);
  return module.finish();
}
