import type { GpuKernel, GpuModule } from "../../target/webgpu/module.ts";
import type { Code } from "./literal.ts";

/** Texts of shaders as constants of a file, each once whatever programs it is in. */
export interface ShaderTexts {
  /** A program whose texts are names of constants. */
  named<S>(module: GpuModule<S>): GpuModuleText<S>;
  /** The declarations of all constants, and their names. */
  declarations(): readonly string[];
  names(): readonly string[];
}

/** A program in a file. */
export type GpuModuleText<S> = Omit<GpuModule<S>, "kernels"> & { readonly kernels: readonly object[] };

export function createShaderTexts(): ShaderTexts {
  const constants = new Map<string, string>();
  const constant = (text: string): Code => {
    const known = constants.get(text) ?? `WGSL_${constants.size}`;
    constants.set(text, known);
    return { code: known };
  };
  const kernel = <S>({ library, stages, ...others }: GpuKernel<S>) => ({
    ...others,
    library: library.map(constant),
    stages: stages.map(({ code, ...stage }) => ({ ...stage, code: constant(code) })),
  });
  return {
    named: ({ kernels, ...module }) => ({ ...module, kernels: kernels.map(kernel) }),
    declarations: () => [...constants].map(([text, name]) => `const ${name} = ${templateLiteral(text)};`),
    names: () => [...constants.values()],
  };
}

/** Text over several lines; nothing in it ends it or is evaluated. */
function templateLiteral(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, "\\$&").replace(/\r/g, "\\r")}\``;
}
