import { numberOf, sizesOf } from "../../plan/bound-size.ts";
import type { Numbers } from "../strided.ts";
import { type Batch, readBatch } from "./arrays.ts";
import { AT_REST, type Entry, type Inputs, type Model } from "./model.ts";
import { type Output, runOnce } from "./program.ts";
import { type ProgramSpec, roleOf } from "./spec.ts";

/** States that a model carries from one piece of a sequence to the next, by name: the caller's, never changed. */
export type States = Readonly<Record<string, Output>>;

/** Runs a piece of sequences, whose states go on from those given; without them sequences begin. */
export async function runStep<M>(
  model: Model<M>,
  program: ProgramSpec<M>,
  states: States | undefined,
  inputs: Inputs,
): Promise<[Record<string, Output>, States]> {
  const batch = readBatch(model.spec.name, program.inputs, inputs);
  const call = { ...AT_REST, batch, seed: 0, fresh: states === undefined };
  const results = await model.use(program, batch, (entry) =>
    runOnce(entry.program, call, carriedStates(entry, batch, states)),
  );
  return splitStates(program, results);
}

/** The states that a caller gives, or zeros, by param. */
function carriedStates(
  { spec, program: { memory } }: Entry,
  { sizes }: Batch,
  states: States | undefined,
): ReadonlyMap<string, Numbers> {
  const found = new Map<string, Numbers>();
  const values = sizesOf(memory, sizes);
  for (const { name, shape } of memory.params) {
    const role = roleOf(spec, name);
    if (role.kind !== "carry") continue;
    const wanted = shape.map((size) => numberOf(size, values));
    const called = spec.results.find(({ as }) => as === role.name)?.state ?? role.name;
    const given = states?.[called];
    if (states !== undefined && given?.shape.join() !== wanted.join()) {
      const what = given === undefined ? "is missing" : `is [${given.shape.join(", ")}]`;
      throw new RangeError(`the state ${called} ${what}, it should be [${wanted.join(", ")}]`);
    }
    found.set(name, given?.data ?? new Float32Array(wanted.reduce((all, size) => all * size, 1)));
  }
  return found;
}

/** Results for the caller, and the states to go on from. */
function splitStates(
  { results }: ProgramSpec,
  given: Readonly<Record<string, Output>>,
): [Record<string, Output>, States] {
  const outputs: Record<string, Output> = {};
  const states: Record<string, Output> = {};
  for (const { as, state } of results) {
    const value = given[as];
    if (value === undefined) continue;
    if (state === undefined) outputs[as] = value;
    else states[state] = value;
  }
  return [outputs, states];
}
