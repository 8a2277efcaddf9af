import { isNode } from "../ir/graph.ts";
import type { ScalarExpression } from "../ir/scalar.ts";
import type { SizeBinding } from "../ir/size.ts";
import { sizeValue } from "../ir/tensor.ts";
import type { Axis } from "../ir/type.ts";
import { contract } from "../op/contract.ts";
import { gather } from "../op/move.ts";
import type { PlannedKernel } from "./kernels.ts";
import type { Value } from "./value.ts";

/** What a kernel does in one call of the program, where sizes are bound. */
export interface KernelCost {
  /** How many times it runs: once, or at every step of the loops around it. */
  readonly runs: number;
  /** Additions, multiplications and functions of one number, each counted as one, in all runs. */
  readonly flops: number;
  /** The part of them that multiplies matrices. */
  readonly productFlops: number;
  /** What it reads and writes in all runs, each operand and result once a run, in bytes. */
  readonly bytes: number;
}

/** Throws where a size is not bound. */
export function kernelCost(kernel: PlannedKernel, sizes: SizeBinding): KernelCost {
  const around = new Set(kernel.loops.map((loop) => loop.axis.id));
  const positions = (axes: readonly Axis[]): number =>
    axes.reduce((count, axis) => (around.has(axis.id) ? count : count * sizeValue(axis.size, sizes)), 1);
  const runs = kernel.loops.reduce((count, loop) => count * sizeValue(loop.axis.size, sizes), 1);
  let flops = 0;
  let productFlops = 0;
  for (const value of kernel.computes) {
    const { definition } = value;
    if (definition.kind !== "node") continue;
    const { node, inputs } = definition;
    if (isNode(node, contract)) productFlops += 2 * positions(unionOf(inputs));
    else if (node.op.form === "reduce") flops += positions(inputs[0]?.axes ?? []);
    else if (node.op.scalar !== undefined) flops += functionCount(node.op.scalar) * positions(value.axes);
  }
  const looked = lookedUp(kernel);
  const read = kernel.reads.reduce(
    (sum, value) => sum + Math.min(positions(value.axes), positions(looked.get(value)?.axes ?? value.axes)),
    0,
  );
  const written = kernel.outputs.reduce((sum, value) => sum + positions(value.axes), 0);
  return {
    runs,
    flops: runs * (flops + productFlops),
    productFlops: runs * productFlops,
    bytes: 4 * runs * (read + written),
  };
}

/** Of values that are read at looked-up positions only, what comes of that. */
function lookedUp({ computes }: PlannedKernel): ReadonlyMap<Value, Value> {
  const found = new Map<Value, Value>();
  for (const value of computes) {
    const { definition } = value;
    if (definition.kind === "node" && isNode(definition.node, gather) && definition.inputs[0] !== undefined) {
      found.set(definition.inputs[0], value);
    }
  }
  return found;
}

function unionOf(values: readonly Value[]): readonly Axis[] {
  const axes = new Map(values.flatMap((value) => value.axes.map((axis) => [axis.id, axis] as const)));
  return [...axes.values()];
}

function functionCount(expression: ScalarExpression): number {
  if (expression.kind !== "apply") return 0;
  return expression.args.reduce((sum, arg) => sum + functionCount(arg), 1);
}
