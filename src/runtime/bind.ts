import type { Program } from "../build/program.ts";
import { type HostArray, scalar } from "./executor.ts";
import { inputAxes } from "./fit.ts";

/** What a call of a program is given beside a batch. */
export interface Moment {
  /** Of this call's random numbers. */
  readonly seed: number;
  readonly training: boolean;
  /** Training steps done. */
  readonly step: number;
  /** In all. */
  readonly steps: number;
  readonly stepsPerEpoch: number;
  readonly fresh: boolean;
}

/** A batch of examples: arrays by input, with each row's length where rows are ragged. */
export interface Bindable {
  readonly size: number;
  readonly columns: ReadonlyMap<
    string,
    HostArray & { readonly lengths?: Int32Array | undefined; readonly present?: Uint8Array | undefined }
  >;
}

/** What a program is given for one batch. */
export interface Bound {
  /** By param id; what is kept (weights, slots, carries) is not in it. */
  readonly inputs: ReadonlyMap<string, HostArray>;
  readonly sizes: ReadonlyMap<string, number>;
}

/** The values of a program's params for one batch, and all sizes. */
export function bindBatch(program: Program, batch: Bindable, moment: Moment): Bound {
  const { sizes, lengths } = batchSizes(program, batch);
  const inputs = new Map<string, HostArray>();
  for (const { id } of program.graph.params) {
    const value = paramValue(program, id, batch, moment, lengths);
    if (value !== undefined) inputs.set(id, value);
  }
  return { inputs, sizes };
}

function paramValue(
  program: Program,
  id: string,
  batch: Bindable,
  moment: Moment,
  lengths: ReadonlyMap<string, Int32Array>,
): HostArray | undefined {
  const role = program.params.get(id);
  switch (role?.kind) {
    case "input": {
      const column = batch.columns.get(role.name);
      if (column === undefined) throw new Error(`internal: no value is given for the input ${role.name}`);
      return { shape: column.shape, data: column.data };
    }
    case "length":
      return { shape: [batch.size], data: lengths.get(role.time) ?? new Int32Array(batch.size) };
    case "present":
      return presentRows(batch, role.emission);
    case "fresh":
      return scalar(moment.fresh ? 1 : 0);
    case "training":
      return scalar(moment.training ? 1 : 0);
    case "seed":
      return scalar(moment.seed);
    case "step":
      return scalar(moment.step);
    case "steps":
      return scalar(moment.steps);
    case "steps_per_epoch":
      return scalar(moment.stepsPerEpoch);
    case "option":
      return scalar(role.value);
    case "weight":
    case "slot":
    case "carry":
    case "prompt":
    case "prompt_length":
    case undefined:
      return undefined;
    default:
      return role satisfies never;
  }
}

/** 1 for the rows that have a value: all, where nothing else is said. */
function presentRows({ size, columns }: Bindable, emission: string): HostArray {
  return { shape: [size], data: columns.get(emission)?.present ?? new Uint8Array(size).fill(1) };
}

/** The batch size and every time's length, with each example's own. */
export function batchSizes(
  program: Pick<Program, "inputs" | "sizes">,
  batch: Bindable,
): { readonly sizes: ReadonlyMap<string, number>; readonly lengths: ReadonlyMap<string, Int32Array> } {
  const sizes = new Map([...program.sizes, ["B", batch.size] as const]);
  const lengths = new Map<string, Int32Array>();
  for (const spec of program.inputs) {
    const column = batch.columns.get(spec.name);
    if (column === undefined) continue;
    inputAxes(spec).forEach(({ time }, axis) => {
      const size = column.shape[axis + 1];
      if (time === undefined || size === undefined) return;
      sizes.set(time, size);
      lengths.set(time, ownLengths(column, axis, size, batch.size));
    });
  }
  return { sizes, lengths };
}

/** Rows are ragged along their first axis only. */
function ownLengths(
  column: { readonly lengths?: Int32Array | undefined },
  axis: number,
  size: number,
  rows: number,
): Int32Array {
  return axis === 0 && column.lengths !== undefined ? column.lengths : new Int32Array(rows).fill(size);
}
