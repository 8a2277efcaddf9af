import type { Program, WeightSpec } from "../build/program.ts";
import { isUnit } from "../ir/size.ts";
import { shapeOf, sizeValue } from "../ir/tensor.ts";
import type { Value } from "./checkpoint.ts";
import { elementCount, type HostArray, type Prepared } from "./executor.ts";
import { initialize } from "./initialize.ts";

/** All that training changes, outside of any target. Shapes of weights are as declared. */
export interface State {
  readonly weights: ReadonlyMap<string, HostArray>;
  /** `l1.W.i/m`: the optimizer's `m` of a weight. */
  readonly slots: ReadonlyMap<string, HostArray>;
  readonly carries: ReadonlyMap<string, HostArray>;
}

/** The shape of a weight in files, axes of size 1 included. */
export function declaredShape(spec: WeightSpec, sizes: ReadonlyMap<string, number>): readonly number[] {
  return spec.shape.map((size) => sizeValue(size, sizes));
}

/** The shape of a weight as programs take it: axes of size 1 are left out. */
export function programShape(spec: WeightSpec, sizes: ReadonlyMap<string, number>): readonly number[] {
  return spec.shape.filter((size) => !isUnit(size)).map((size) => sizeValue(size, sizes));
}

/** First values of all weights; each depends on the seed and its own name and shape alone. */
export function initialWeights(
  program: Pick<Program, "weights" | "sizes">,
  seed: number,
): ReadonlyMap<string, HostArray> {
  return new Map(
    program.weights.map((spec) => {
      const shape = declaredShape(spec, program.sizes);
      return [spec.name, { shape, data: initialize(spec.initial, shape, seed, spec.name) }];
    }),
  );
}

/** What training begins with: weights that are loaded, the others drawn by the seed. */
export function firstWeights({
  loaded,
  settings,
  ...program
}: Pick<Program, "weights" | "sizes"> & {
  readonly loaded: ReadonlyMap<string, HostArray>;
  readonly settings: { readonly seed: number };
}): ReadonlyMap<string, HostArray> {
  return new Map([...initialWeights(program, settings.seed), ...loaded]);
}

/** Gives a program its weights. */
function writeWeights(program: Program, prepared: Prepared, weights: State["weights"]): void {
  const specs = new Map(program.weights.map((spec) => [spec.name, spec]));
  for (const [id, role] of program.params) {
    if (role.kind !== "weight") continue;
    const value = weights.get(role.name);
    const spec = specs.get(role.name);
    if (value === undefined || spec === undefined) throw new Error(`internal: ${role.name} has no value`);
    prepared.keep(id, { shape: programShape(spec, program.sizes), data: value.data });
  }
}

/** Gives a program its weights, slots and carries; slots and carries that the state lacks start anew. */
export function writeState(
  program: Program,
  prepared: Prepared,
  state: State,
  sizes: ReadonlyMap<string, number>,
): void {
  writeWeights(program, prepared, state.weights);
  for (const { id, type } of program.graph.params) {
    const role = program.params.get(id);
    if (role?.kind !== "slot" && role?.kind !== "carry") continue;
    const kept = role.kind === "slot" ? state.slots.get(`${role.weight}/${role.name}`) : state.carries.get(role.name);
    const shape = shapeOf(type.axes, sizes);
    const fill = role.kind === "slot" ? role.start : 0;
    prepared.keep(id, kept ?? { shape, data: new Float32Array(elementCount(shape)).fill(fill) });
  }
}

/** The present weights, slots and carries of a program; what it does not have keeps the value of `before`. */
export async function readState(program: Program, prepared: Prepared, before: State): Promise<State> {
  const weights = new Map(before.weights);
  const slots = new Map(before.slots);
  const carries = new Map(before.carries);
  const specs = new Map(program.weights.map((spec) => [spec.name, spec]));
  for (const { id } of program.graph.params) {
    const role = program.params.get(id);
    if (role?.kind === "weight") {
      const spec = specs.get(role.name);
      const { data } = await prepared.kept(id);
      if (spec !== undefined) weights.set(role.name, { shape: declaredShape(spec, program.sizes), data });
    } else if (role?.kind === "slot") slots.set(`${role.weight}/${role.name}`, await prepared.kept(id));
    else if (role?.kind === "carry") carries.set(role.name, await prepared.kept(id));
  }
  return { weights, slots, carries };
}

/** As checkpoints hold it: float32. */
export function storable(values: ReadonlyMap<string, HostArray>): ReadonlyMap<string, Value> {
  return new Map([...values].map(([name, { shape, data }]) => [name, { shape, data: storableData(data) }]));
}

function storableData(data: HostArray["data"]): Float32Array | Int32Array {
  return data instanceof Float32Array || data instanceof Int32Array ? data : Float32Array.from(data);
}
