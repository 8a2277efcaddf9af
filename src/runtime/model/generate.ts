import { numberOf, type SizeOf, type Sizes, sizesOf } from "../../plan/bound-size.ts";
import type { Numbers } from "../strided.ts";
import { type InputArray, type NumberList, readBatch } from "./arrays.ts";
import { type Inputs, type Model, runProgram } from "./model.ts";
import type { Output } from "./program.ts";
import { type InputEntry, type ProgramMemory, type ProgramSpec, roleOf } from "./spec.ts";

/** A program that chooses what a model emits. */
export interface GenerationSpec<M = unknown> extends ProgramSpec<M> {
  readonly model: string;
  /** What it chooses. */
  readonly emissions: readonly InputEntry[];
}

export interface GenerateOptions {
  /** One example's arrays. */
  readonly inputs?: Inputs | undefined;
  /** How the first emission begins. */
  readonly prompt?: NumberList | undefined;
  /** How many positions are generated at most, behind the prompt. */
  readonly max?: number | undefined;
  /** What samples depend on. */
  readonly seed?: number | undefined;
  /** Ends the generation before the next position; the iterator throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Numbers that say how samples are drawn, as `temperature`; the model's own where left out. */
  readonly drawn?: Readonly<Record<string, number | undefined>> | undefined;
}

/** What is chosen for a position, or for the whole where there are no positions, by emission. */
export type Chosen = Readonly<Record<string, number | Output>>;

const FIRST_PIECE = 16;

/**
 * Generates one example, a position at a time. The decoder runs in pieces of 16, 32, 64, ... positions, each of which begins with what was chosen
 * before it: what is chosen at a position does not depend on how far the piece goes.
 */
export async function* generateWith<M>(
  model: Model<M>,
  spec: GenerationSpec<M>,
  { inputs = {}, prompt = [], max = 100, seed = 0, signal, drawn = {}, ...unknown }: GenerateOptions,
): AsyncGenerator<Chosen, void, undefined> {
  if (!Number.isInteger(max) || max < 1) throw new RangeError(`max is a whole number from 1, given is ${max}`);
  const options = optionParams(spec, { ...unknown, ...drawn });
  const [first] = spec.emissions;
  const time = first?.axes.find((axis) => axis.time !== undefined)?.time;
  const batch = readBatch(spec.model, spec.inputs, wrapped(inputs));
  const begun: (number | NumberList)[] = [...prompt];
  const end = prompt.length + max;
  const run = (length: number): Promise<Record<string, Output>> => {
    signal?.throwIfAborted();
    const sizes = new Map([["B", 1] as const, ...batch.sizes]);
    const lengths = new Map(batch.lengths);
    if (time !== undefined) {
      sizes.set(time, length);
      lengths.set(time, Int32Array.of(length));
    }
    const more = (memory: ProgramMemory): ReadonlyMap<string, Numbers> => {
      const found = new Map<string, Numbers>(options);
      for (const { name, shape } of memory.params) {
        const role = roleOf(spec, name);
        const isFirst = "emission" in role && role.emission === first?.name;
        if (role.kind === "prompt_length") found.set(name, [isFirst ? begun.length : 0]);
        if (role.kind === "prompt") found.set(name, filled(shape, sizesOf(memory, sizes), isFirst ? begun : []));
      }
      return found;
    };
    return runProgram(model, spec, { ...batch, sizes, lengths }, seed, more);
  };
  if (time === undefined || first === undefined) {
    yield chosenAt(spec, await run(1), undefined);
    return;
  }
  for (let piece = FIRST_PIECE; begun.length < end; piece *= 2) {
    const length = Math.min(end, begun.length + piece);
    const chosen = await run(length);
    while (begun.length < length) {
      signal?.throwIfAborted();
      const at = begun.length;
      const all = chosenAt(spec, chosen, at);
      const own = all[first.name] ?? 0;
      if (own === first.end) return;
      begun.push(typeof own === "number" ? own : Array.from(own.data));
      yield all;
    }
  }
}

/** By param, what a caller says of how samples are drawn. */
function optionParams(
  { model, params }: GenerationSpec,
  given: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, Numbers> {
  const known = new Map(
    Object.entries(params).flatMap(([id, role]) => (role.kind === "option" ? [[role.name, id] as const] : [])),
  );
  const found = new Map<string, Numbers>();
  for (const [name, value] of Object.entries(given)) {
    const id = known.get(name);
    if (id === undefined) {
      const names = ["inputs", "prompt", "max", "seed", "signal", ...known.keys()].join(", ");
      throw new TypeError(`this generation of ${model} has no option ${name}: it has ${names}`);
    }
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new RangeError(`${name} is a number, given is ${String(value)}`);
    }
    found.set(id, [value]);
  }
  return found;
}

function wrapped(inputs: Inputs): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]): [string, InputArray | undefined] => {
      if (value === undefined) return [name, value];
      return [name, "shape" in value ? { ...value, shape: [1, ...value.shape] } : [value]];
    }),
  );
}

/** The beginning, as long as the whole: behind it stand legal values that are not read. */
function filled(shape: readonly SizeOf[], sizes: Sizes, begun: NumberList): Numbers {
  const count = shape.reduce((all: number, size) => all * numberOf(size, sizes), 1);
  const numbers = flat(begun);
  return Float64Array.from({ length: count }, (_, at) => numbers[at] ?? 0);
}

function flat(list: NumberList): readonly number[] {
  return list.flatMap((item) => (typeof item === "number" ? [item] : flat(item)));
}

/** What was chosen at a position of the first example. */
function chosenAt(
  { emissions }: GenerationSpec,
  results: Readonly<Record<string, Output>>,
  at: number | undefined,
): Chosen {
  return Object.fromEntries(
    emissions.map(({ name, axes }) => {
      const { shape, data } = results[name] ?? { shape: [1], data: new Float32Array(1) };
      const isLong = at !== undefined && axes[0]?.time !== undefined;
      const inner = shape.slice(isLong ? 2 : 1);
      const count = inner.reduce((all, size) => all * size, 1);
      const own = data.slice((isLong ? at : 0) * count, ((isLong ? at : 0) + 1) * count);
      return [name, inner.length === 0 ? (own[0] ?? 0) : { shape: inner, data: own }];
    }),
  );
}
