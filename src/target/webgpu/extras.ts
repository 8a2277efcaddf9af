import type { GpuKernel } from "./module.ts";
import { type Extras, NO_EXTRAS } from "./shader-text.ts";

/** What a kernel's text has that is for some devices only; `words` is how many the arena has, where shaders say so. */
export function extrasOf({ extensions = [] }: Pick<GpuKernel, "extensions">, words?: number): Extras {
  const length = words === undefined ? "" : `, ${words}`;
  if (extensions.length === 0) return { ...NO_EXTRAS, length };
  // All four of a quad take the same way, though not all quads.
  const quads = extensions.includes("quads") ? "diagnostic(off, subgroup_uniformity);\n" : "";
  const extras = { ...NO_EXTRAS, length, head: `enable subgroups;\n${quads}` };
  if (!extensions.includes("subgroups")) return extras;
  return {
    ...extras,
    builtin: "\n  @builtin(subgroup_size) in_step: u32,",
    parameter: ", in_step: i32",
    argument: ", i32(in_step)",
  };
}
