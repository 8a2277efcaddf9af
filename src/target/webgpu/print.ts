import type { KernelCode, WebGpuProgram } from "./compile.ts";
import { extrasOf } from "./extras.ts";
import type { Item } from "./program.ts";
import { frameOf, type ShaderFrame, shaderText } from "./shader-text.ts";

/** What runs in which order, then every shader: the text of `--emit wgsl`. */
export function printWebGpu(program: WebGpuProgram): string {
  const { prepare, items, kernels } = program;
  const order = [
    ...(prepare.length === 0 ? [] : ["// once for weights that stay as they are:", ...linesOf(prepare, kernels, 1)]),
    "// in order:",
    ...linesOf(items, kernels, 1),
  ];
  const shaders = kernels.map(
    (kernel, index) => `// ---- shader ${index} ----\n// ${kernel.label}\n${told(kernel, frameOf(program, index))}`,
  );
  return [...order, "", ...shaders].join("\n");
}

/** A shader whose stages have names, and above them what they compute. */
function told(kernel: KernelCode, frame: ShaderFrame): string {
  const { stages } = kernel;
  return shaderText(kernel, frame, extrasOf(kernel)).replace(/(^fn )?\bstage_(\d+)\b/gm, (_, declared = "", at) => {
    const { name, notes } = stages[Number(at)] ?? { name: `stage_${at}`, notes: [] };
    return declared === "" ? name : `${notes.map((note) => `// ${note}\n`).join("")}fn ${name}`;
  });
}

function linesOf(items: readonly Item[], kernels: WebGpuProgram["kernels"], depth: number): readonly string[] {
  const indent = `//${"  ".repeat(depth)}`;
  return items.flatMap((item): readonly string[] => {
    if (item.kind === "dispatch") return [`${indent}shader ${item.kernel}: ${kernels[item.kernel]?.label ?? ""}`];
    const ways = item.loops.map(({ axis, reverse }) => `${axis.id}${reverse ? ", backwards" : ""}`);
    const whole = item.loops.every((loop) =>
      kernels.some(({ stages }) => stages.some((stage) => stage.whole === loop)),
    );
    const instead = whole ? `, where ${item.loops.length > 1 ? "they do" : "it does"} not run in one stage` : "";
    return [
      `${indent}at every step along ${ways.join(", and along ")}${instead}:`,
      ...(item.before.length === 0
        ? linesOf(item.body, kernels, depth + 1)
        : [
            `${indent}  before the first:`,
            ...linesOf(item.before, kernels, depth + 2),
            `${indent}  at all but the last:`,
            ...linesOf(item.body, kernels, depth + 2),
            `${indent}  at the last:`,
            ...linesOf(item.last, kernels, depth + 2),
          ]),
    ];
  });
}
