import type { Report } from "../base/diagnostic.ts";
import type { InputSpec, Program } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import { compileGeneration, type Generation } from "../compile/decoder.ts";
import { modelRequest } from "../compile/program.ts";
import type { EmitItem, Generate } from "../syntax/tree.ts";
import { bindBatch } from "./bind.ts";
import { DataError } from "./data/error.ts";
import { decode, tokenText, type Vocabulary } from "./data/vocabulary.ts";
import { type Executor, elementCount, type HostArray } from "./executor.ts";
import { inputAxes } from "./fit.ts";
import { type Plan, planOf, repeated } from "./generate-plan.ts";
import type { OuterValue } from "./outer-values.ts";
import { writeState } from "./state.ts";
import { sizesFromWeights, type WeightFile } from "./weights.ts";

export interface GenerateRequest {
  readonly modules: Modules;
  readonly block: Generate;
  readonly weights: WeightFile;
  /** What a command says instead of the block. */
  readonly inputs: ReadonlyMap<string, OuterValue>;
  readonly prompt: string | undefined;
  readonly max: number | undefined;
  readonly count: number | undefined;
  readonly seed: number | undefined;
}

/** What was generated for one example, by name: text where tokens have a vocabulary, else numbers in lists. */
export type Sample = Readonly<Record<string, Nested>>;
export type Nested = string | number | boolean | readonly Nested[];

/** Runs a `generate` block. Mistakes of the file are reported; values that do not fit the model are a `DataError`. */
export async function generate(
  request: GenerateRequest,
  executor: () => Promise<Executor>,
  report: Report,
): Promise<readonly Sample[] | undefined> {
  const { modules, block, weights } = request;
  const compile = (sizes: ReadonlyMap<string, number>): Generation | undefined =>
    compileGeneration({ modules, sizes, dense: true, report }, block);
  const known = weights.trained?.sizes ?? new Map<string, number>();
  const probe = compile(known);
  if (probe === undefined) return undefined;
  const own = ownWeights(probe.program, weights);
  const sizes = sizesFromWeights(probe.program.weights, own, probe.program.sizes, new Set(known.keys()));
  const generation = compile(sizes);
  const definition = modelRequest({ modules, sizes, dense: true, report }, block.model)?.definition;
  if (generation === undefined || definition === undefined) return undefined;
  const emitted = definition.items.filter((item): item is EmitItem => item.kind === "emit");
  const plan = planOf(request, generation, emitted);
  const results = await execute(generation.program, own, plan, await executor());
  return Array.from({ length: plan.count }, (_, at) => sampleOf(generation, plan, results, at));
}

/** Weights that generating does not use need not fit. */
function ownWeights(program: Program, file: WeightFile): WeightFile {
  const names = new Set(program.weights.map(({ name }) => name));
  return { ...file, weights: new Map([...file.weights].filter(([name]) => names.has(name))) };
}

async function execute(
  program: Program,
  { weights }: WeightFile,
  plan: Plan,
  executor: Executor,
): Promise<ReadonlyMap<string, HostArray>> {
  const { count, seed, columns } = plan;
  const moment = { training: false, seed, step: 0, steps: 1, stepsPerEpoch: 1, fresh: true };
  const bound = bindBatch(program, { size: count, columns }, moment);
  const sizes = new Map([...bound.sizes, ...plan.times]);
  const inputs = new Map(bound.inputs);
  for (const { id } of program.graph.params) {
    const role = program.params.get(id);
    if (role?.kind === "prompt") inputs.set(id, promptInput(program, plan, role.emission));
    if (role?.kind === "prompt_length") {
      const length = plan.prompts.get(role.emission)?.shape[0] ?? 0;
      inputs.set(id, { shape: [count], data: new Int32Array(count).fill(length) });
    }
  }
  const prepared = executor.prepare(program, count);
  writeState(program, prepared, { weights, slots: new Map(), carries: new Map() }, sizes);
  const results = await prepared.run(inputs, sizes);
  prepared.dispose();
  return results;
}

/** The prompt as long as the whole emission: behind it stand legal values that are not read. */
function promptInput(program: Program, plan: Plan, emission: string): HostArray {
  const spec = program.inputs.find(({ name }) => name === emission);
  if (spec === undefined) throw new Error(`internal: no emission ${emission}`);
  const binding = new Map([...program.sizes, ...plan.times]);
  const shape = inputAxes(spec).map(({ size }) => expectedSize(size.text, binding));
  const data = new Float64Array(elementCount(shape));
  const prompt = plan.prompts.get(emission);
  if (prompt !== undefined) {
    const inner = elementCount(shape.slice(1));
    for (let at = 0; at < data.length; at++) {
      data[at] = prompt.data[at] ?? prompt.data[prompt.data.length - inner + (at % inner)] ?? 0;
    }
  }
  const example = { shape, data: spec.dtype === "int" ? Int32Array.from(data) : data };
  return repeated(example, plan.count);
}

function expectedSize(name: string, binding: ReadonlyMap<string, number>): number {
  const value = /^\d+$/.test(name) ? Number(name) : binding.get(name);
  if (value === undefined)
    throw new DataError(`the size ${name} is not known`, { hint: "give weights that were trained" });
  return value;
}

function sampleOf(
  { program, emissions, values }: Generation,
  plan: Plan,
  results: ReadonlyMap<string, HostArray>,
  at: number,
): Sample {
  const sample: Record<string, Nested> = {};
  for (const name of emissions) {
    const spec = program.inputs.find((one) => one.name === name);
    const array = example(results.get(`choice.${name}`), at);
    if (spec !== undefined) sample[name] = chosenValue(spec, array, plan.vocabulary(spec));
  }
  for (const name of values) sample[name] = nested(example(results.get(`value.${name}`), at));
  return sample;
}

function example(array: HostArray | undefined, at: number): HostArray {
  if (array === undefined) throw new Error("internal: a result is missing");
  const shape = array.shape.slice(1);
  const size = elementCount(shape);
  return { shape, data: array.data.slice(at * size, (at + 1) * size) };
}

function chosenValue(spec: InputSpec, array: HostArray, vocabulary: Vocabulary | undefined): Nested {
  if (spec.dtype !== "int" || vocabulary === undefined || array.shape.length > 1) return nested(array);
  if (array.shape.length === 0) return tokenText(vocabulary, array.data[0] ?? 0);
  return vocabulary.unit === "number" ? nested(array) : decode(vocabulary, array.data);
}

function nested({ shape, data }: HostArray): Nested {
  if (shape.length === 0) return data[0] ?? Number.NaN;
  const size = elementCount(shape.slice(1));
  return Array.from({ length: shape[0] ?? 0 }, (_, at) =>
    nested({ shape: shape.slice(1), data: data.subarray(at * size, (at + 1) * size) }),
  );
}
