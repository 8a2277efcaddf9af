import type { GpuKernel, GpuStage } from "./module.ts";

/** The text of a shader: memory, the functions that it needs, one function for each stage, and the choice among these. */
export function shaderText(
  { library = [], shared = [], stages }: ShaderParts,
  { cells, ends, depth, threads }: ShaderFrame,
  { head, length, builtin, parameter, argument }: Extras = NO_EXTRAS,
): string {
  const functions = stages.map(({ code, cells: read = [] }, at) => {
    const numbers = read.map((cell, index) => `  let N${index} = ${tableCode(cell)};\n`).join("");
    return `fn stage_${at}(group: i32, thread: i32${parameter}) {\n${numbers}${code}\n}\n`;
  });
  const calls = stages.map((_, at) => {
    const first = at === 0 ? "0" : tableCode(ends + at - 1);
    return `  if (group >= ${first} && group < ${tableCode(ends + at)}) {
    stage_${at}(group - ${first}, i32(thread)${argument});
  }
`;
  });
  return `${head}@group(0) @binding(0) var<storage, read_write> arena: array<u32${length}>;
@group(0) @binding(1) var<uniform> table: array<vec4i, ${vectors(cells)}>;
@group(0) @binding(2) var<uniform> steps: array<vec4i, ${vectors(depth)}>;
${[...shared.map((array) => `var<workgroup> ${array};`), ...library, ...functions].join("\n")}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) thread: u32,${builtin}
) {
  let group = i32(id.x + id.y * count.x);
${calls.join("")}}
`;
}

/** What a shader needs to know of its program. */
export interface ShaderFrame {
  /** Of the table. */
  readonly cells: number;
  /** The cell with the end of the first stage's groups; those of the others follow. */
  readonly ends: number;
  readonly depth: number;
  readonly threads: number;
}

export function frameOf(program: FrameParts, kernel: number): ShaderFrame {
  const { depth, threads } = program;
  return { cells: tableLength(program), ends: tableLength(program, kernel), depth, threads };
}

/** Of the table, up to the ends of the stages of so many kernels. */
export function tableLength({ cells, kernels }: Pick<FrameParts, "cells" | "kernels">, count?: number): number {
  return kernels.slice(0, count).reduce((sum, { stages }) => sum + stages.length, cells.length);
}

interface FrameParts {
  readonly cells: readonly unknown[];
  readonly kernels: readonly { readonly stages: readonly unknown[] }[];
  readonly depth: number;
  readonly threads: number;
}

/**
 * What is for some devices only: at the beginning of the text, behind the type of the arena's numbers, among the parameters of its entry and
 * of its stages, and where it calls these.
 */
export interface Extras {
  readonly head: string;
  readonly length: string;
  readonly builtin: string;
  readonly parameter: string;
  readonly argument: string;
}

export const NO_EXTRAS: Extras = { head: "", length: "", builtin: "", parameter: "", argument: "" };

/** What of a kernel its text depends on. */
type ShaderParts = Pick<GpuKernel, "library" | "shared"> & {
  readonly stages: readonly Pick<GpuStage, "code" | "cells">[];
};

/** A cell of the table in a shader. */
export function tableCode(cell: number): string {
  return `table[${cell >> 2}].${"xyzw"[cell % 4]}`;
}

/** Vectors of four that hold some numbers: at least one. */
export function vectors(count: number): number {
  return Math.max(1, Math.ceil(count / 4));
}
