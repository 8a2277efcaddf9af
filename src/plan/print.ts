import { nodeLines, typeText } from "../ir/print.ts";
import { KERNEL_NAMES, kernelsOf, type PlannedKernel } from "./kernels.ts";
import type { Plan } from "./plan.ts";
import type { Loop, Value } from "./value.ts";

/**
 * A plan as text: each kernel with what it leaves in memory, then what it computes.
 * ```
 * 3 map %h: float[B, H]
 *   %u: float[B, H] = add(%g, %b) // cell.h
 *   %h: float[B, H] = tanh(%u) // cell.h
 * loop over T
 *   4 products %y: float[B, K]
 * ```
 */
export function printPlan(plan: Plan): string {
  const lines: string[] = [];
  let open: readonly Loop[] = [];
  for (const kernel of kernelsOf(plan)) {
    const around = kernel.loops;
    const shared = open.findIndex((loop, depth) => loop !== around[depth]);
    for (let depth = shared < 0 ? open.length : shared; depth < around.length; depth++) {
      const loop = around[depth];
      if (loop !== undefined)
        lines.push(`${"  ".repeat(depth)}loop over ${loop.axis.id}${loop.reverse ? ", backwards" : ""}`);
    }
    open = around;
    lines.push(...kernelLines(kernel).map((line) => "  ".repeat(around.length) + line));
  }
  return `${lines.join("\n")}\n`;
}

function kernelLines({ number, role, once, outputs, computes }: PlannedKernel): readonly string[] {
  const head = `${number} ${once ? "once " : ""}${KERNEL_NAMES[role]} ${outputs.map(valueText).join(", ")}`;
  return [head, ...computes.flatMap(valueLines).map((line) => `  ${line}`)];
}

function valueText({ name, dtype, axes }: Value): string {
  return `%${name}: ${typeText({ dtype, axes })}`;
}

function valueLines({ name, dtype, axes, definition }: Value): readonly string[] {
  if (definition.kind !== "node") return [];
  const { node, inputs } = definition;
  const named = { ...node, inputs: inputs.map((input) => input.name), outputs: [{ id: name, type: { dtype, axes } }] };
  return nodeLines(named, { origins: true });
}
