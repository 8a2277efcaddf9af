import type { Span } from "../../base/span.ts";
import type { Initial, Program, ResultRole } from "../../build/program.ts";
import { identifier } from "../../target/tfjs/names.ts";
import { fixedShape } from "../tfjs/layout.ts";
import type { Shown, WantedProgram } from "./program.ts";

/** A model with all that is to be in its module. */
export interface StandaloneInput {
  readonly model: string;
  /** The source file's name, for the reader. */
  readonly file: string;
  readonly doc: string | undefined;
  /** The model in the source, and what it emits. */
  readonly span: Span;
  readonly emissions: ReadonlyMap<string, Span>;
  /** The source of the model and of what it is made of, for the reader. */
  readonly equations: readonly string[];
  /** The parameters of its emissions. */
  readonly forward: Program;
  /** The same on a piece of sequences, where the model can be run so. */
  readonly stream: Program | undefined;
  readonly train: readonly (NamedProgram & { readonly seed: number })[];
  readonly generate: readonly NamedProgram[];
}

export interface NamedProgram {
  /** The block in the source. */
  readonly span: Span;
  readonly name: string;
  readonly doc: string | undefined;
  readonly program: Program;
}

/** By what they are called in the file. */
export function wantedPrograms({
  forward,
  stream,
  train,
  generate,
}: StandaloneInput): ReadonlyMap<string, WantedProgram> {
  const parameters = parameterNames(forward);
  const run: WantedProgram =
    stream === undefined
      ? { program: forward, shown: parameters, feeds: false }
      : { program: stream, shown: new Map([...parameters, ...stateNames(stream)]), feeds: false };
  return new Map([
    [FORWARD, run],
    ...train.map(({ name, program }): [string, WantedProgram] => [
      constantName("TRAIN", train, name),
      { program, shown: new Map([["loss", { as: "loss" }]]), feeds: true },
    ]),
    ...generate.map(({ name, program }): [string, WantedProgram] => [
      constantName("GENERATE", generate, name),
      { program, shown: new Map(choices(program).map((choice) => [choice.result, choice])), feeds: false },
    ]),
  ]);
}

export const FORWARD = "FORWARD";

/** `TRAIN`, or `TRAIN_LSTM` where there are several. */
export function constantName(kind: "TRAIN" | "GENERATE", blocks: readonly NamedProgram[], name: string): string {
  return blocks.length > 1 ? `${kind}_${identifier(name).toUpperCase()}` : kind;
}

/** `logits`, or `ids_logits` where two emissions have one. */
function parameterNames(program: Program): Shown {
  const roles = [...program.results].flatMap(([name, role]) => (role.kind === "parameter" ? [{ name, role }] : []));
  const isAlone = (parameter: string): boolean => roles.filter(({ role }) => role.name === parameter).length === 1;
  return new Map(
    roles.map(({ name, role }) => [
      name,
      { as: resultName(isAlone(role.name) ? role.name : `${role.emission}_${role.name}`) },
    ]),
  );
}

/** What the class has beside a method for each result, and what would make promises of its models. */
const TAKEN = /^(constructor|load|init|forward|step|save|dispose|target|then|__proto__|(train|generate)[A-Z]?\w*)$/;

function resultName(name: string): string {
  const as = identifier(name);
  return TAKEN.test(as) ? `${as}_` : as;
}

function stateNames({ results }: Program): Shown {
  return new Map(
    [...results].flatMap(([name, role]) =>
      role.kind === "carry" ? [[name, { as: name, state: stateName(role) }] as const] : [],
    ),
  );
}

/** `cell.h` of the carried state `carry.cell.h'`. */
function stateName({ name }: Extract<ResultRole, { readonly kind: "carry" }>): string {
  return name.replace(/^carry\./, "").replace(/'$/, "");
}

/** Results that are chosen, with the emissions that they belong to. */
export function choices({ results }: Program): readonly { readonly result: string; readonly as: string }[] {
  return [...results].flatMap(([result, role]) => (role.kind === "choice" ? [{ result, as: role.emission }] : []));
}

function programsOf({ forward, stream, train, generate }: StandaloneInput): readonly Program[] {
  return [forward, stream, ...train.map(({ program }) => program), ...generate.map(({ program }) => program)].filter(
    (program) => program !== undefined,
  );
}

/** What a model keeps: its name, and the arrays that any of its programs has. */
export function keptBy(input: StandaloneInput): KeptArrays {
  const weights = new Map(
    programsOf(input).flatMap((program) =>
      program.weights.map((spec) => [spec.name, { spec, sizes: program.sizes }] as const),
    ),
  );
  return {
    name: input.model,
    weights: [...weights.values()].map(({ spec, sizes }) => ({
      name: spec.name,
      shape: fixedShape(spec, sizes),
      start: spec.initial,
    })),
  };
}

export interface KeptArrays {
  readonly name: string;
  readonly weights: readonly { readonly name: string; readonly shape: readonly number[]; readonly start: Initial }[];
}
