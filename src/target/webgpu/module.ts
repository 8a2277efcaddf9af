import { tableCode } from "./context.ts";
import { libraryCode } from "./math.ts";
import type { DraftKernel } from "./program.ts";

/** The text of a shader: memory, the functions that it needs, one function for each stage, and the choice among these. */
export function moduleText(
  { label, stages, functions, scope }: DraftKernel,
  { cells, depth, threads }: { readonly cells: number; readonly depth: number; readonly threads: number },
): string {
  const hasSubgroups = scope.extensions.has("subgroups");
  const own = functions.flatMap(({ name, notes, lines }) => [
    "",
    ...notes.map((note) => `// ${note}`),
    `fn ${name}(group: i32, thread: i32${hasSubgroups ? ", in_step: i32" : ""}) {`,
    ...lines,
    "}",
  ]);
  return [
    ...[...scope.extensions].map((extension) => `enable ${extension};`),
    `// ${label}`,
    "",
    "@group(0) @binding(0) var<storage, read_write> arena: array<u32>;",
    `@group(0) @binding(1) var<uniform> table: array<vec4i, ${Math.max(1, Math.ceil(cells / 4))}>;`,
    `@group(0) @binding(2) var<uniform> steps: array<vec4i, ${stepVectors(depth)}>;`,
    ...[...scope.shared].map(([name, { type, count }]) => `var<workgroup> ${name}: array<${type}, ${count}>;`),
    ...libraryCode(scope.functions).flatMap((code) => ["", code]),
    ...own,
    "",
    `@compute @workgroup_size(${threads})`,
    "fn main(",
    "  @builtin(workgroup_id) id: vec3u,",
    "  @builtin(num_workgroups) count: vec3u,",
    "  @builtin(local_invocation_index) thread: u32,",
    ...(hasSubgroups ? ["  @builtin(subgroup_size) in_step: u32,"] : []),
    ") {",
    "  let group = i32(id.x + id.y * count.x);",
    ...functions.flatMap(({ name }, index) => {
      const end = tableCode(stages[index]?.end ?? 0);
      const before = index === 0 ? "0" : tableCode(stages[index - 1]?.end ?? 0);
      return [
        `  ${index === 0 ? "" : "} else "}if (group < ${end}) {`,
        `    ${name}(group - ${before}, i32(thread)${hasSubgroups ? ", i32(in_step)" : ""});`,
      ];
    }),
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Vectors of four numbers that say how many steps the loops around a dispatch have done. */
export function stepVectors(depth: number): number {
  return Math.max(1, Math.ceil(depth / 4));
}
