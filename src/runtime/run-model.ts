import type { Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import { resultLayouts } from "../build/layout.ts";
import type { Program, ResultRole } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import { compileForward } from "../compile/program.ts";
import { pruned, resultsOf } from "../compile/prune.ts";
import { valueTypes } from "../ir/graph.ts";
import { evaluateSize, type Size } from "../ir/size.ts";
import type { DType } from "../ir/type.ts";
import type { Expression } from "../syntax/tree.ts";
import { bindBatch } from "./bind.ts";
import { DataError } from "./data/error.ts";
import { type Executor, elementCount, type HostArray } from "./executor.ts";
import { type Given, readGiven } from "./given.ts";
import type { StoredTensor } from "./safetensors.ts";
import { declaredShape, writeState } from "./state.ts";
import { sizesFromWeights, type WeightFile } from "./weights.ts";

export interface RunRequest {
  readonly modules: Modules;
  readonly model: Expression;
  /** Gives the loss where it is said; otherwise that is the sum of all emissions' mean negative log-likelihoods. */
  readonly regime: Regime | undefined;
  readonly values: readonly { readonly name: string; readonly span: Span }[];
  readonly gradients: boolean;
  /** Dropout and its kin at work, with this seed; undefined for evaluation. */
  readonly training: number | undefined;
  readonly weights: WeightFile;
  readonly inputs: { readonly file: string; readonly tensors: ReadonlyMap<string, StoredTensor> };
}

/** An array that a run gives, under its name in the file of outputs. */
export interface RunOutput extends HostArray {
  readonly dtype: DType;
}

/**
 * Runs a model forward, and backward where gradients are wanted: the parameters of every emission (`y.logits`), the values asked for,
 * `loss`, and each weight's gradient under the weight's name. Positions behind an example's end are 0 in the result. Mistakes of the file
 * are reported; files that do not fit are a `DataError`.
 */
export async function runModel(
  request: RunRequest,
  executor: () => Promise<Executor>,
  report: Report,
): Promise<ReadonlyMap<string, RunOutput> | undefined> {
  const { modules, model, regime, values, gradients, weights, inputs } = request;
  const known = weights.trained?.sizes ?? new Map<string, number>();
  const compile = (sizes: ReadonlyMap<string, number>, dense: boolean, wanted: boolean): Program | undefined =>
    compileForward({ modules, sizes, dense, report }, model, { values, gradients: wanted }, regime);
  const probe = compile(known, false, false);
  if (probe === undefined) return undefined;
  const sizes = sizesFromWeights(
    probe.weights,
    weights,
    probe.sizes,
    new Set([...argumentNames(model), ...known.keys()]),
  );
  const given = readGiven(inputs.file, inputs.tensors, probe.inputs, sizes);
  const bound = new Map([...sizes, ...fixedSizes(probe, given)]);
  const whole = compile(bound, !given.isRagged, gradients);
  if (whole === undefined) return undefined;
  const program = withoutAbsent(whole, given, request);
  const results = await execute(program, given, request, await executor());
  return namedOutputs(program, given, results);
}

/** The parameters that the call itself fixes. */
function argumentNames(model: Expression): readonly string[] {
  return model.kind === "call" ? model.args.flatMap(({ name }) => name?.text ?? []) : [];
}

/** Sizes that only the inputs' shapes give: `D` of an input `[D]` that no weight has. */
function fixedSizes(program: Program, given: Given): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  for (const spec of program.inputs) {
    const column = given.columns.get(spec.name);
    spec.shape
      .filter((size) => size.text !== "1")
      .forEach((size, axis) => {
        const value = column?.shape[axis + 1];
        const isName = /^[\p{L}_]\w*$/u.test(size.text);
        if (isName && spec.times[axis] === undefined && value !== undefined) sizes.set(size.text, value);
      });
  }
  return sizes;
}

/** Results that need an input that is not given are left out where that is the loss alone; else the input is missing. */
function withoutAbsent(program: Program, given: Given, { inputs, gradients }: RunRequest): Program {
  const absent = program.inputs.filter((spec) => !given.columns.has(spec.name));
  const lost = new Set(
    absent.flatMap((spec) => {
      const param = program.graph.params.find(({ id }) => {
        const role = program.params.get(id);
        return role?.kind === "input" && role.name === spec.name;
      });
      return param === undefined ? [] : [...resultsOf(program, param.id)];
    }),
  );
  const needing = [...lost].filter((name) => name !== "loss");
  const [first] = absent;
  if (first !== undefined && needing.length > 0) {
    const what = gradients && needing.every((name) => name.startsWith("gradient.")) ? "the gradient" : needing[0];
    throw new DataError(`the inputs lack ${absent.map(({ name }) => name).join(", ")}, which ${what} needs`, {
      place: { file: inputs.file },
      hint: `it is ${first.dtype === "int" ? "I32" : "F32"} [${["B", ...first.shape.map(({ text }) => text)].join(", ")}]`,
      span: first.span,
    });
  }
  return pruned(program, (name) => !lost.has(name));
}

async function execute(
  program: Program,
  given: Given,
  { training, weights }: RunRequest,
  executor: Executor,
): Promise<ReadonlyMap<string, HostArray>> {
  const moment = {
    training: training !== undefined,
    seed: training ?? 0,
    step: 0,
    steps: 1,
    stepsPerEpoch: 1,
    fresh: true,
  };
  const bound = bindBatch(program, given, moment);
  const inputs = new Map(bound.inputs);
  for (const [id, role] of program.params) {
    const lengths = role.kind === "length" ? given.lengths.get(role.time) : undefined;
    if (lengths !== undefined) inputs.set(id, { shape: [given.size], data: lengths });
  }
  const prepared = executor.prepare(program, given.size);
  writeState(program, prepared, { weights: weights.weights, slots: new Map(), carries: new Map() }, bound.sizes);
  const results = await prepared.run(inputs, bound.sizes);
  prepared.dispose();
  return results;
}

function namedOutputs(
  program: Program,
  given: Given,
  results: ReadonlyMap<string, HostArray>,
): ReadonlyMap<string, RunOutput> {
  const types = valueTypes(program.graph);
  const layouts = resultLayouts(program);
  const outputs = new Map<string, RunOutput>();
  for (const { name, id } of program.graph.results) {
    const role = program.results.get(name);
    const value = results.get(name);
    const type = types.get(id);
    if (role === undefined || value === undefined || type === undefined) continue;
    const sizes = (layouts.get(name) ?? []).map((axis) => type.axes.find((own) => own.id === axis)?.size);
    const output =
      role.kind === "gradient"
        ? inDeclaredShape(program, role.weight, value)
        : withoutEnds(program, given, value, sizes);
    const key = outputName(role);
    if (outputs.has(key))
      throw new DataError(`two results are called ${key}`, { hint: "ask for one of them at a time" });
    outputs.set(key, { ...output, dtype: type.dtype });
  }
  return outputs;
}

function outputName(role: ResultRole): string {
  switch (role.kind) {
    case "loss":
      return "loss";
    case "parameter":
      return `${role.emission}.${role.name}`;
    case "value":
      return role.name;
    case "gradient":
      return role.weight;
    default:
      throw new Error(`internal: a run gives no ${role.kind}`);
  }
}

function inDeclaredShape(program: Program, weight: string, { data }: HostArray): HostArray {
  const spec = program.weights.find(({ name }) => name === weight);
  if (spec === undefined) throw new Error(`internal: no weight ${weight}`);
  return { shape: declaredShape(spec, program.sizes), data };
}

/** Along axes that differ by example, what lies behind an example's own extent is 0. `sizes` are the axes', the batch first. */
function withoutEnds(
  program: Program,
  given: Given,
  { shape, data }: HostArray,
  sizes: readonly (Size | undefined)[],
): HostArray {
  const out = data.slice();
  for (let example = 0; example < given.size; example++) {
    const own = new Map([...program.sizes, ["B", given.size] as const]);
    for (const [time, lengths] of given.lengths) own.set(time, lengths[example] ?? 0);
    sizes.forEach((size, axis) => {
      const length = shape[axis] ?? 0;
      const end = axis === 0 || size === undefined ? length : (evaluateSize(size, own) ?? length);
      if (end >= length) return;
      const inner = elementCount(shape.slice(axis + 1));
      const outer = elementCount(shape.slice(1, axis));
      for (let block = 0; block < outer; block++) {
        const base = (example * outer + block) * length * inner;
        out.fill(0, base + Math.max(0, end) * inner, base + length * inner);
      }
    });
  }
  return { shape, data: out };
}
