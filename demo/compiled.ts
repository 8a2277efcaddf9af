import { type Compilation, type CompiledModel, compile, type Diagnostic, type InputSpec } from "../src/index.ts";
import { blocksOf } from "./blocks.ts";
import { DATA, type Data } from "./data.ts";
import type { SourceState } from "./messages.ts";

/** A source compiled for its data. */
export interface Opened {
  readonly compilation: Compilation;
  readonly model: CompiledModel;
  readonly block: string;
  /** What a training step reads. */
  readonly inputs: readonly InputSpec[];
  readonly data: Data;
}

/** Untrusted as any text: what is too large for a page ends with a finding. */
const LIMITS = { characters: 100_000, nodes: 200_000, milliseconds: 20_000 };

/** Compiles the model of a train block, at the sizes that its data has. Gives the findings where that cannot be done. */
export function openSource({ text, block, data: name }: SourceState): Opened | readonly Diagnostic[] {
  const blocks = blocksOf(text);
  const chosen = blocks.find((one) => one.name === block) ?? blocks[0];
  const options = { limits: LIMITS, ...(chosen && { model: chosen.model }) };
  const probe = compile(text, options);
  const first = probe.models[0];
  if (first === undefined) return probe.diagnostics;
  const training = first.programs.train.find((one) => one.name === chosen?.name)?.program;
  const data = DATA[name]();
  const wanted = new Set(
    [...(training?.params.values() ?? [])].flatMap((role) => (role.kind === "input" ? [role.name] : [])),
  );
  const inputs = (training ?? first.programs.forward).inputs.filter((spec) => wanted.has(spec.name));
  const known = first.programs.forward.sizes;
  const sizes = Object.fromEntries(Object.entries(data.sizes(inputs)).filter(([size]) => !known.has(size)));
  const compilation = compile(text, { ...options, sizes });
  const [model] = compilation.models;
  return model === undefined
    ? compilation.diagnostics
    : { compilation, model, block: chosen?.name ?? "", inputs, data };
}
