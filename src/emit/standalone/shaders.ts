import type { GpuKernel, GpuModule } from "../../target/webgpu/module.ts";
import type { Code } from "./literal.ts";
import { functionText, stageText } from "./shader-code.ts";

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
    const name = constants.get(text) ?? `WGSL_${constants.size}`;
    constants.set(text, name);
    return { code: name };
  };
  const kernel = <S>({ label: _, library, stages, ...others }: GpuKernel<S>) => ({
    ...others,
    ...(library && { library: library.map((text) => constant(functionText(text))) }),
    stages: stages.map(({ name: _name, notes: _notes, code, ...stage }) => {
      const { code: text, cells } = stageText(code);
      return { ...stage, cells, code: constant(text) };
    }),
  });
  return {
    named: ({ kernels, ...module }) => ({ ...module, kernels: kernels.map(kernel) }),
    declarations: () => [LEGEND, ...[...constants].map(([text, name]) => `const ${name} = ${templateLiteral(text)};`)],
    names: () => [...constants.values()],
  };
}

/** What each stage of a program computes, line by line. */
export function equationsOf({ kernels }: GpuModule<unknown>): readonly string[] {
  return kernels.flatMap(({ stages }, kernel) =>
    stages.flatMap(({ notes = [], code }, at) =>
      [...notes, ...[...code.matchAll(NOTE)].map(([, note = ""]) => note)].map(
        (note) => `kernel ${kernel}, stage ${at}: ${note}`,
      ),
    ),
  );
}

const LEGEND = `// Parts of shaders, each once. Of a stage it is what the thread \`thread\` of the group \`group\` does: \`N0\`, \`N1\`, ... are entries of the
// table of sizes and addresses that its program names, all other names end with how deep their block lies.`;

/** A comment within a stage. */
const NOTE = /^ *\/\/ ?(.*)\n/gm;

/** Text over several lines; nothing in it ends it or is evaluated. */
function templateLiteral(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, "\\$&").replace(/\r/g, "\\r")}\``;
}
