import type { Program } from "../build/program.ts";
import type { Prepared } from "./executor.ts";
import { referenceExecutor } from "./reference.ts";
import { type Trial, trialOf, trialSizes } from "./trial.ts";

export interface Comparison {
  /** The greatest distance between outputs. */
  readonly worst: number;
  /** Why the two cannot be compared: weights or inputs that only one has. */
  readonly apart: string | undefined;
}

/** A definition by itself, and the names of its states. */
export interface Standalone {
  readonly program: Program;
  readonly states: readonly string[];
}

/** Steps that a cell walks, from one random state. */
const STEPS = 4;

/** Gives two definitions the same weights (by name) and inputs (by order), and compares what they give; cells over several steps. */
export async function compareDefinitions(a: Standalone, b: Standalone): Promise<Comparison> {
  const apart = difference(a.program, b.program);
  if (apart !== undefined) return { worst: Number.POSITIVE_INFINITY, apart };
  const sizes = new Map([...trialSizes(b.program), ...trialSizes(a.program)]);
  const left = walk(a, sizes);
  const right = walk(b, sizes);
  let worst = 0;
  for (let step = 0; step < STEPS; step++) {
    const [ours, theirs] = [await left(step), await right(step)];
    ours.forEach((value, at) => {
      const distance = Math.abs(value - (theirs[at] ?? Number.NaN));
      if (!(distance <= worst)) worst = distance;
    });
  }
  return { worst, apart: undefined };
}

function difference(a: Program, b: Program): string | undefined {
  const weights = (program: Program): Map<string, string> =>
    new Map(program.weights.map(({ name, shape }) => [name, `[${shape.map(({ text }) => text).join(", ")}]`]));
  const [left, right] = [weights(a), weights(b)];
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    if (left.get(name) === right.get(name)) continue;
    return `${a.name} has ${side(name, left)}, ${b.name} ${side(name, right)}`;
  }
  if (a.inputs.length !== b.inputs.length)
    return `${a.name} takes ${a.inputs.length} inputs and states, ${b.name} ${b.inputs.length}`;
  const outs = (program: Program): number => outputNames(program).length;
  return outs(a) === outs(b) ? undefined : `${a.name} gives ${outs(a)} outputs and states, ${b.name} ${outs(b)}`;
}

function side(name: string, weights: ReadonlyMap<string, string>): string {
  const shape = weights.get(name);
  return shape === undefined ? `no ${name}` : `${name} ${shape}`;
}

function outputNames(program: Program): readonly string[] {
  return [...program.results.keys()].filter((name) => name.startsWith("out."));
}

/** One definition's outputs, step after step: its last outputs are the next values of its last inputs. */
function walk(
  { program, states }: Standalone,
  sizes: ReadonlyMap<string, number>,
): (step: number) => Promise<readonly number[]> {
  const prepared: Prepared = referenceExecutor().prepare(program);
  const names = outputNames(program);
  let carried: Trial["inputs"] = new Map();
  return async (step) => {
    const results = await prepared.run(new Map([...valuesAt(program, sizes, step), ...carried]), sizes);
    const last = names.slice(names.length - states.length);
    carried = new Map(
      states.flatMap((state, at) => {
        const value = results.get(last[at] ?? "");
        return value === undefined ? [] : [[state, value] as const];
      }),
    );
    return names.flatMap((name) => Array.from(results.get(name)?.data ?? []));
  };
}

/** Weights stay; inputs are drawn anew at each step, by their order, so that names do not matter. */
function valuesAt(program: Program, sizes: ReadonlyMap<string, number>, step: number): Trial["inputs"] {
  const weights = trialOf(program, sizes, 1).inputs;
  const byOrder = new Map(program.inputs.map(({ name }, at) => [name, `input ${at}`]));
  const renamed: Program = {
    ...program,
    graph: {
      ...program.graph,
      params: program.graph.params.map((param) => ({ ...param, id: byOrder.get(param.id) ?? param.id })),
    },
    params: new Map([...program.params].map(([id, role]) => [byOrder.get(id) ?? id, role])),
  };
  const drawn = trialOf(renamed, sizes, 2 + step).inputs;
  return new Map([...weights].map(([id, value]) => [id, drawn.get(byOrder.get(id) ?? "") ?? value] as const));
}
