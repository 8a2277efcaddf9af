import type { Report } from "../base/diagnostic.ts";
import type { FlowLine, FlowWants, GradientFlow } from "../build/gradient-flow.ts";
import type { Program } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import { compileGradientFlow } from "../compile/gradient-flow.ts";
import type { Job } from "../compile/program.ts";
import { evaluateSize, sizeNames } from "../ir/size.ts";
import type { Expression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { type Bindable, batchSizes, bindBatch } from "./bind.ts";
import { DataError, listed } from "./data/error.ts";
import { type Executor, elementCount, type HostArray } from "./executor.ts";
import { findSizes } from "./find-sizes.ts";
import { prepareTraining } from "./prepare.ts";
import { firstWeights, initialWeights, writeState } from "./state.ts";
import { trialOf } from "./trial.ts";
import { sizesFromWeights, type WeightFile } from "./weights.ts";

export interface FlowRequest {
  readonly modules: Modules;
  readonly model: Expression;
  readonly wants: FlowWants;
  /** Whose data and objective are taken; without it inputs are random, and the objective is the sum of all mean negative log-likelihoods. */
  readonly regime: Regime | undefined;
  /** Instead of first weights that are drawn by the seed. */
  readonly weights: WeightFile | undefined;
  readonly seed: number;
  /** Of random inputs: how many examples, and how long each `time` is. */
  readonly batch: number;
  readonly length: number | undefined;
}

/** The norm of the loss' derivative by one thing at every step. */
export interface FlowNorms extends Pick<FlowLine, "kind" | "name"> {
  /** The id of the axis: `T`; `T~1` is another of the same size. */
  readonly axis: string;
  /** From the first step on: ‖dL/dh_t‖, of each example by itself, the mean over the examples that have the step. */
  readonly norms: readonly number[];
}

export interface FlowReport {
  readonly model: string;
  readonly loss: number;
  readonly examples: number;
  /** Whether examples differ in length: then their last steps are put under each other. */
  readonly ragged: boolean;
  readonly lines: readonly FlowNorms[];
  /** ‖dL/dW‖ of the mean loss, and what the regime's `clip` leaves of it. */
  readonly weights: readonly { readonly name: string; readonly norm: number; readonly clipped: number | undefined }[];
  /** Of all weights together. */
  readonly norm: number;
  readonly clipped: number | undefined;
}

/** How long a `time` is where nothing says it. */
const USUAL_LENGTH = 100;

/**
 * Runs a model once on a batch and measures how its loss depends on each recurrence's states at every step, as in training (dropout at
 * work). Mistakes of the file are reported; a model without recurrence, sizes that are not known and data that do not fit are a `DataError`.
 */
export async function measureFlow(
  request: FlowRequest,
  executor: () => Promise<Executor>,
  report: Report,
): Promise<FlowReport | undefined> {
  const bound =
    request.regime === undefined ? await onRandom(request, report) : await onData(request, request.regime, report);
  if (bound === undefined) return undefined;
  const { flow, batch, weights } = bound;
  checkFlow(request, flow);
  const results = await execute(flow.program, request, batch, weights, await executor());
  return reportOf(request, flow, batch, results);
}

interface BoundFlow {
  readonly flow: GradientFlow;
  readonly batch: Bindable;
  readonly weights: ReadonlyMap<string, HostArray>;
}

/** The first batch of a regime's training data. */
async function onData(request: FlowRequest, regime: Regime, report: Report): Promise<BoundFlow | undefined> {
  const { modules, model, wants, weights, seed } = request;
  if (request.length !== undefined)
    throw new DataError(`the data of ${regime.name} says how long its sequences are`, {
      hint: "leave --length or --train out",
    });
  const training = await prepareTraining(
    modules,
    { ...regime, model },
    { seed, vocabularies: weights?.trained?.vocabularies },
    report,
  );
  if (training === undefined) return undefined;
  const batch = training.feeds.train.batch(0, 0);
  const columns = [...batch.columns];
  const job: Job = {
    modules,
    sizes: training.sizes,
    dense: columns.every(([, { lengths }]) => lengths === undefined),
    absent: new Set(columns.flatMap(([name, { present }]) => (present === undefined ? [] : [name]))),
    report,
  };
  const flow = compileGradientFlow(job, model, wants, { ...regime, model });
  if (flow === undefined) return undefined;
  const { program } = flow;
  // Throws where the weights are not this model's.
  if (weights !== undefined) sizesFromWeights(program.weights, weights, program.sizes, new Set(program.sizes.keys()));
  return { flow, batch, weights: weights?.weights ?? firstWeights({ ...training, ...program }) };
}

/** Random inputs, legal ones, all of one length. */
async function onRandom(request: FlowRequest, report: Report): Promise<BoundFlow | undefined> {
  const { modules, model, wants, weights, seed } = request;
  const known = await findSizes(modules, model, weights);
  const flow = compileGradientFlow({ modules, sizes: known, dense: true, report }, model, wants);
  if (flow === undefined) return undefined;
  const { program } = flow;
  const times = new Set(program.inputs.flatMap((input) => input.times.flatMap((time) => time ?? [])));
  if (request.length !== undefined && times.size === 0) {
    throw new DataError(`${printExpression(model)} has no time axis whose length --length could say`, {
      hint: "a length that is a parameter is given with --set",
    });
  }
  const sizes = new Map([...program.sizes, ["B", request.batch] as const]);
  for (const time of times) sizes.set(time, request.length ?? USUAL_LENGTH);
  const [open] = namesOf(program).filter((name) => !sizes.has(name));
  if (open !== undefined) {
    throw new DataError(`the size ${open} is not known`, {
      hint: `give --set ${open}=..., or data with --train`,
      span: model.span,
    });
  }
  const trial = trialOf(program, sizes, seed);
  const columns = new Map<string, HostArray>();
  for (const [id, role] of program.params) {
    const value = role.kind === "input" ? trial.inputs.get(id) : undefined;
    if (role.kind === "input" && value !== undefined) columns.set(role.name, value);
  }
  return { flow, batch: { size: request.batch, columns }, weights: weights?.weights ?? initialWeights(program, seed) };
}

/** Every name of a size that a program needs. */
function namesOf({ graph, weights, inputs }: Program): readonly string[] {
  const sizes = [
    ...graph.params.flatMap(({ type }) => type.axes.map(({ size }) => size)),
    ...weights.flatMap(({ shape }) => shape),
    ...inputs.flatMap(({ vocabulary }) => vocabulary ?? []),
  ];
  return [...new Set(sizes.flatMap((size) => [...sizeNames(size)]))];
}

/** There is something to show, and all that was asked for. */
function checkFlow({ model }: FlowRequest, { lines, mixed, unread }: GradientFlow): void {
  const name = printExpression(model);
  if (lines.length === 0) {
    throw new DataError(`${name} has no recurrence: nothing in it is handed on from step to step`, {
      hint: "name values that have a time axis with --values",
      span: model.span,
    });
  }
  if (mixed.length > 0) {
    throw new DataError(`what the steps of ${name} add to the gradient of ${listed(mixed)} cannot be told apart`, {
      hint: "it reaches them through another recurrence, or with an axis of its own; leave it out of --split",
    });
  }
  const [missing] = unread;
  if (missing !== undefined) {
    throw new DataError(`no step of a recurrence of ${name} reads a weight ${missing}`, {
      hint: "seqc summary shows the weights",
    });
  }
}

async function execute(
  program: Program,
  { seed }: FlowRequest,
  batch: Bindable,
  weights: ReadonlyMap<string, HostArray>,
  executor: Executor,
): Promise<ReadonlyMap<string, HostArray>> {
  const moment = { training: true, seed, step: 0, steps: 1, stepsPerEpoch: 1, fresh: true };
  const { inputs, sizes } = bindBatch(program, batch, moment);
  const prepared = executor.prepare(program, batch.size);
  writeState(program, prepared, { weights, slots: new Map(), carries: new Map() }, sizes);
  const results = await prepared.run(inputs, sizes);
  prepared.dispose();
  return results;
}

function reportOf(
  { model }: FlowRequest,
  { program, lines, weights }: GradientFlow,
  batch: Bindable,
  results: ReadonlyMap<string, HostArray>,
): FlowReport {
  const find = (name: string): HostArray => {
    const found = results.get(name);
    if (found === undefined) throw new Error(`internal: the program gives no ${name}`);
    return found;
  };
  const whole = weights.map(({ name, result, clipped }) => ({
    name,
    norm: normOf(find(result).data),
    clipped: clipped === undefined ? undefined : normOf(find(clipped).data),
  }));
  const isClipped = whole.some(({ clipped }) => clipped !== undefined);
  return {
    model: printExpression(model),
    loss: find("loss").data[0] ?? Number.NaN,
    examples: batch.size,
    ragged: [...batch.columns.values()].some(
      ({ lengths }) => lengths?.some((length) => length !== lengths[0]) ?? false,
    ),
    lines: lines.map((line) => ({
      kind: line.kind,
      name: line.name,
      axis: line.axis.id,
      norms: normsOf(line, find(line.result), lengthsOf(program, line, batch)),
    })),
    weights: whole,
    norm: normOf(whole.map(({ norm }) => norm)),
    clipped: isClipped ? normOf(whole.map(({ clipped }) => clipped ?? 0)) : undefined,
  };
}

/** How many steps each example has. */
function lengthsOf(program: Program, { axis }: FlowLine, batch: Bindable): readonly number[] {
  const { sizes, lengths } = batchSizes(program, batch);
  return Array.from({ length: batch.size }, (_, example) => {
    const own = new Map(sizes);
    for (const [time, each] of lengths) own.set(time, each[example] ?? 0);
    return evaluateSize(axis.size, own) ?? Number.NaN;
  });
}

/** The loss is a mean over the batch: an example's own loss is its share times their number. */
function normsOf({ batched }: FlowLine, { shape, data }: HostArray, lengths: readonly number[]): readonly number[] {
  const [examples = 1, steps = 0] = batched ? shape : [1, ...shape];
  const width = elementCount(shape.slice(batched ? 2 : 1));
  const sums = new Array<number>(steps).fill(0);
  const counts = new Array<number>(steps).fill(0);
  for (let example = 0; example < examples; example++) {
    const own = batched ? Math.min(steps, lengths[example] ?? steps) : steps;
    for (let step = 0; step < own; step++) {
      const base = (example * steps + step) * width;
      const place = step + steps - own;
      sums[place] = (sums[place] ?? 0) + examples * normOf(data.subarray(base, base + width));
      counts[place] = (counts[place] ?? 0) + 1;
    }
  }
  return sums.map((sum, step) => sum / Math.max(1, counts[step] ?? 0));
}

/** √Σx², in float64: squares of what is small in float32 are not lost. */
function normOf(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  if (!(most > 0 && most < Number.POSITIVE_INFINITY)) return most;
  let sum = 0;
  for (const value of values) sum += (value / most) ** 2;
  return most * Math.sqrt(sum);
}
