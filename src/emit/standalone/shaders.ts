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
  // By what is left without the names of variables: texts that differ in these only are one.
  const constants = new Map<string, { readonly name: string; readonly variants: Named[] }>();
  const constant = (text: string): Code => {
    const named = withoutNames(text);
    const known = constants.get(named.shape) ?? { name: `WGSL_${constants.size}`, variants: [] };
    known.variants.push(named);
    constants.set(named.shape, known);
    return { code: known.name };
  };
  const kernel = <S>({ label: _, library, stages, ...others }: GpuKernel<S>) => ({
    ...others,
    library: library.map(constant),
    stages: stages.map(({ name: _name, notes: _notes, code, ...stage }) => ({
      ...stage,
      code: constant(code.replace(NOTE, "")),
    })),
  });
  return {
    named: ({ kernels, ...module }) => ({ ...module, kernels: kernels.map(kernel) }),
    declarations: () =>
      [...constants.values()].map(({ name, variants }) => `const ${name} = ${templateLiteral(common(variants))};`),
    names: () => [...constants.values()].map(({ name }) => name),
  };
}

/** A text, the variables that it declares, in order, and what it is without their names. */
interface Named {
  readonly text: string;
  readonly names: readonly string[];
  readonly shape: string;
}

function withoutNames(text: string): Named {
  const names = [...new Set([...text.matchAll(/\b(?:let|var) (\w+)/g)].map(([, name = ""]) => name))];
  const places = new Map(names.map((name, at) => [name, at]));
  return { text, names, shape: renamed(text, (name) => (places.has(name) ? `#${places.get(name)}` : name)) };
}

function renamed(text: string, rename: (name: string) => string): string {
  return text.replace(/(?<![\w$.])[A-Za-z_]\w*/g, rename);
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

/** A comment within a stage: texts that differ in these only are one. */
const NOTE = /^ *\/\/ ?(.*)\n/gm;

/** The text of all variants: names that they do not share become `any_1`, `any_2`, ... */
function common(variants: readonly Named[]): string {
  const [first] = variants;
  if (first === undefined) throw new Error("internal: a constant without text");
  const isShared = (name: string, at: number): boolean => variants.every(({ names }) => names[at] === name);
  const taken = new Set(first.names.filter(isShared));
  let count = 0;
  const fresh = (): string => {
    do count++;
    while (taken.has(`any_${count}`));
    return `any_${count}`;
  };
  const names = new Map(first.names.map((name, at) => [name, isShared(name, at) ? name : fresh()]));
  return renamed(first.text, (name) => names.get(name) ?? name);
}

/** Text over several lines; nothing in it ends it or is evaluated. */
function templateLiteral(text: string): string {
  return `\`${text.replace(/[\\`]|\$\{/g, "\\$&").replace(/\r/g, "\\r")}\``;
}
