import type { Program } from "../build/program.ts";
import { pruned } from "../compile/prune.ts";
import type { HostArray } from "./executor.ts";
import { referenceExecutor } from "./reference.ts";
import { trialOf, trialSizes } from "./trial.ts";

export interface GradientCheck {
  /** The greatest relative difference between a gradient and the central difference of the loss. */
  readonly worst: number;
  /** The weight or input that has it. */
  readonly where: string;
  readonly checked: number;
}

/** Below this, gradients agree: central differences in float64 are exact to about 1e-9 where the function is smooth. */
export const GRADIENT_TOLERANCE = 1e-5;

/** Positions of one array that are tried: all of a small one. */
const MOST_POSITIONS = 32;
const STEP = 1e-5;

/** Compares each gradient that a program gives with central differences of its loss, in float64, at random values. */
export async function checkGradients(program: Program): Promise<GradientCheck> {
  const prepared = referenceExecutor().prepare(program);
  const { inputs, sizes } = trialOf(program, trialSizes(program), 1);
  const results = await prepared.run(inputs, sizes);
  const forward = referenceExecutor().prepare(pruned(program, (name) => name === "loss"));
  const loss = async (id: string, value: HostArray): Promise<number> =>
    (await forward.run(new Map([...inputs, [id, value] as const]), sizes)).get("loss")?.data[0] ?? Number.NaN;
  let found: GradientCheck = { worst: 0, where: "", checked: 0 };
  for (const { id } of program.graph.params) {
    const role = program.params.get(id);
    const name = role?.kind === "weight" || role?.kind === "input" ? role.name : undefined;
    const gradient = name === undefined ? undefined : results.get(`gradient.${name}`);
    const value = inputs.get(id);
    if (name === undefined || gradient === undefined || value === undefined) continue;
    for (const at of positions(value.data.length)) {
      const ahead = await loss(id, moved(value, at, STEP));
      const behind = await loss(id, moved(value, at, -STEP));
      const difference = relativeDifference((ahead - behind) / (2 * STEP), gradient.data[at] ?? Number.NaN);
      const isWorst = !(difference <= found.worst);
      found = {
        worst: isWorst ? difference : found.worst,
        where: isWorst ? name : found.where,
        checked: found.checked + 1,
      };
    }
  }
  return found;
}

function moved({ shape, data }: HostArray, at: number, by: number): HostArray {
  const next = data.slice();
  next[at] = (next[at] ?? 0) + by;
  return { shape, data: next };
}

/** Small gradients are compared by their distance. */
function relativeDifference(a: number, b: number): number {
  return Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), 1e-3);
}

function positions(length: number): readonly number[] {
  const count = Math.min(length, MOST_POSITIONS);
  return Array.from({ length: count }, (_, at) => Math.floor((at * length) / count));
}
