import type { GpuKernel, GpuStage } from "./module.ts";

/** What all shaders of a program have in common. */
export interface ShaderFrame {
  readonly cells: number;
  readonly depth: number;
  readonly threads: number;
  /** How many words the arena has, where shaders say so. */
  readonly words?: number;
}

/** The text of a shader: memory, the functions that it needs, one function for each stage, and the choice among these. */
export function shaderText(
  { label, extensions = [], library, shared, stages }: ShaderParts,
  { cells, depth, threads, words }: ShaderFrame,
): string {
  const hasSubgroups = extensions.includes("subgroups");
  return [
    ...(extensions.length > 0 ? ["enable subgroups;"] : []),
    // All four of a quad take the same way, though not all quads.
    ...(extensions.includes("quads") ? ["diagnostic(off, subgroup_uniformity);"] : []),
    ...(label === undefined ? [] : [`// ${label}`, ""]),
    `@group(0) @binding(0) var<storage, read_write> arena: array<u32${words === undefined ? "" : `, ${words}`}>;`,
    `@group(0) @binding(1) var<uniform> table: array<vec4i, ${Math.max(1, Math.ceil(cells / 4))}>;`,
    `@group(0) @binding(2) var<uniform> steps: array<vec4i, ${stepVectors(depth)}>;`,
    ...shared.map((array) => `var<workgroup> ${array};`),
    ...library.flatMap((code) => ["", code]),
    ...stages.flatMap(({ name, notes = [], code, cells: read = [] }, index) => [
      "",
      ...notes.map((note) => `// ${note}`),
      `fn ${name ?? `stage_${index}`}(group: i32, thread: i32${hasSubgroups ? ", in_step: i32" : ""}) {`,
      ...read.map((cell, at) => `  let N${at} = ${tableCode(cell)};`),
      code,
      "}",
    ]),
    "",
    `@compute @workgroup_size(${threads})`,
    "fn main(",
    "  @builtin(workgroup_id) id: vec3u,",
    "  @builtin(num_workgroups) count: vec3u,",
    "  @builtin(local_invocation_index) thread: u32,",
    ...(hasSubgroups ? ["  @builtin(subgroup_size) in_step: u32,"] : []),
    ") {",
    "  let group = i32(id.x + id.y * count.x);",
    ...stages.flatMap(({ name, end }, index) => {
      const before = index === 0 ? "0" : tableCode(stages[index - 1]?.end ?? 0);
      return [
        `  ${index === 0 ? "" : "} else "}if (group < ${tableCode(end)}) {`,
        `    ${name ?? `stage_${index}`}(group - ${before}, i32(thread)${hasSubgroups ? ", i32(in_step)" : ""});`,
      ];
    }),
    "  }",
    "}",
    "",
  ].join("\n");
}

/** What of a kernel its text depends on. */
type ShaderParts = Pick<GpuKernel, "label" | "extensions" | "library" | "shared"> & {
  readonly stages: readonly Pick<GpuStage, "name" | "notes" | "code" | "cells" | "end">[];
};

/** A cell of the table in a shader. */
export function tableCode(cell: number): string {
  return `table[${Math.floor(cell / 4)}].${"xyzw"[cell % 4]}`;
}

/** Vectors of four numbers that say how many steps the loops around a dispatch have done. */
export function stepVectors(depth: number): number {
  return Math.max(1, Math.ceil(depth / 4));
}
