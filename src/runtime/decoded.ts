import type { DecodedMetric } from "../build/reports.ts";
import { evaluateSize } from "../ir/size.ts";
import { bindBatch, type Moment } from "./bind.ts";
import type { BatchColumn } from "./data/batch.ts";
import { DataError } from "./data/error.ts";
import type { Executor, HostArray } from "./executor.ts";
import type { FedBatch } from "./feed.ts";
import { inputAxes } from "./fit.ts";
import { SEQUENCE_METRICS, type Tokens } from "./sequence-metrics.ts";
import { writeState } from "./state.ts";

/** A metric of what is decoded: batch by batch, then its value. */
export interface Decoding {
  /** Begins anew, with these weights. */
  start(weights: ReadonlyMap<string, HostArray>): void;
  add(batch: FedBatch, moment: Moment): Promise<void>;
  value(): number;
}

/** Decodes each example without its answer and compares: what is decoded may be up to twice as long as the longest answer. */
export function createDecoding({ name, emission, program }: DecodedMetric, executor: Executor): Decoding {
  const metric = SEQUENCE_METRICS[name];
  const prepared = executor.prepare(program);
  const spec = program.inputs.find((input) => input.name === emission);
  if (spec === undefined) throw new Error(`internal: ${emission} is not decoded`);
  const end = spec.ends ? endToken() : undefined;
  const sums = new Float64Array(metric.size);
  let weights: ReadonlyMap<string, HostArray> | undefined;
  return {
    start(given) {
      weights = given;
      sums.fill(0);
    },
    async add(batch, moment) {
      const answer = batch.columns.get(emission);
      if (answer === undefined) throw new Error(`internal: the data has no ${emission}`);
      const columns = new Map([...batch.columns].filter(([column]) => column !== emission));
      const own = { size: batch.size, columns };
      const bound = bindBatch(program, own, moment);
      const sizes = new Map(bound.sizes);
      const time = inputAxes(spec)[0]?.time;
      const longest = answer.shape[1] ?? 1;
      const isOwn = time !== undefined && !sizes.has(time);
      if (isOwn) sizes.set(time, 2 * longest + 1);
      const inputs = new Map(bound.inputs);
      for (const [id, role] of program.params) {
        if (role.kind === "length" && role.time === time && isOwn) {
          inputs.set(id, { shape: [batch.size], data: new Int32Array(batch.size).fill(sizes.get(time) ?? 1) });
        }
        if (role.kind === "prompt") inputs.set(id, begun(answer, sizes.get(time ?? "") ?? longest));
        if (role.kind === "prompt_length")
          inputs.set(id, { shape: [batch.size], data: new Int32Array(batch.size).fill(offset()) });
      }
      if (weights !== undefined)
        writeState(program, prepared, { weights, slots: new Map(), carries: new Map() }, sizes);
      weights = undefined;
      const results = await prepared.run(inputs, sizes);
      const chosen = results.get(`choice.${emission}`);
      if (chosen === undefined) throw new Error("internal: nothing was decoded");
      for (let row = 0; row < batch.size; row++) {
        if (answer.present?.[row] === 0) continue;
        const wanted = rowOf(answer, row, answer.lengths?.[row]);
        const found = rowOf(chosen, row, isOwn ? undefined : answer.lengths?.[row]);
        metric.add(sums, untilEnd(found), untilEnd(wanted));
      }
    },
    value: () => metric.value(sums),
  };

  function endToken(): number {
    const vocabulary = spec?.vocabulary === undefined ? undefined : evaluateSize(spec.vocabulary, program.sizes);
    if (vocabulary === undefined)
      throw new DataError(`how many tokens ${emission} has is not known`, { span: spec?.span });
    return vocabulary - ((spec?.specials.length ?? 0) - (spec?.specials.indexOf("EOS") ?? 0));
  }

  function untilEnd(tokens: Tokens): Tokens {
    const at = end === undefined ? -1 : tokens.indexOf(end);
    return at < 0 ? tokens : tokens.slice(0, at);
  }

  /** How many positions the data gives, where the emission looks ahead. */
  function offset(): number {
    return spec?.optional === false ? 1 : 0;
  }
}

/** The answer's own beginning, as long as what is decoded. */
function begun(answer: BatchColumn, length: number): HostArray {
  const [rows = 0, own = 1] = answer.shape;
  const data = new Int32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < length; at++) data[row * length + at] = answer.data[row * own + Math.min(at, own - 1)] ?? 0;
  }
  return { shape: [rows, length], data };
}

function rowOf({ shape, data }: HostArray, row: number, length: number | undefined): Tokens {
  const size = shape.slice(1).reduce((product, axis) => product * axis, 1);
  return Array.from(data.subarray(row * size, row * size + (length ?? size)));
}
