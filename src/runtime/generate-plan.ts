import type { InputSpec, Program } from "../build/program.ts";
import { constantValue } from "../check/constants.ts";
import type { Generation } from "../compile/decoder.ts";
import type { EmitItem, Expression } from "../syntax/tree.ts";
import { DataError } from "./data/error.ts";
import { vocabularyKey } from "./data/expected.ts";
import { specialId, type Vocabulary } from "./data/vocabulary.ts";
import type { HostArray } from "./executor.ts";
import { expectedOf, inputAxes } from "./fit.ts";
import type { GenerateRequest } from "./generate.ts";
import { exampleArray, type OuterValue } from "./outer-values.ts";

/** What one call of a decoder is given. */
export interface Plan {
  readonly count: number;
  readonly seed: number;
  /** The inputs that are given, each repeated for every example. */
  readonly columns: ReadonlyMap<string, HostArray>;
  /** Lengths of all `time` axes. */
  readonly times: ReadonlyMap<string, number>;
  /** The beginnings of emissions: one example's array, as long as is given. */
  readonly prompts: ReadonlyMap<string, HostArray>;
  readonly vocabulary: (spec: InputSpec) => Vocabulary | undefined;
}

/** How many positions are generated where nothing is said. */
const USUAL_LENGTH = 100;

/** Reads the clauses of a `generate` block, or what a command says instead: inputs, prompt, lengths. */
export function planOf(
  request: GenerateRequest,
  { program, given, options }: Generation,
  emitted: readonly EmitItem[],
): Plan {
  const { weights } = request;
  const vocabulary = (spec: InputSpec): Vocabulary | undefined =>
    weights.trained?.vocabularies.get(vocabularyKey(expectedOf(spec, program.sizes)));
  const count = request.count ?? wholeOption(options.get("count"), program.sizes, 1) ?? 1;
  const seed = request.seed ?? wholeOption(options.get("seed"), program.sizes, 0) ?? 0;
  const { columns, times } = givenInputs(request, program, given, vocabulary, count);
  const chosen = program.inputs.filter((spec) => !columns.has(spec.name));
  const prompts = new Map<string, HostArray>();
  for (const spec of chosen.filter(({ name }) => takesPrompt(program, name))) {
    // What is given is the beginning of the first emission that has one.
    const value = prompts.size === 0 ? promptValue(request.prompt, options.get("prompt")) : undefined;
    const prompt = promptArray(spec, value, vocabulary(spec), program.sizes, lookahead(emitted, spec.name));
    if (prompt !== undefined) prompts.set(spec.name, prompt);
  }
  const longest = Math.max(0, ...[...prompts.values()].map(({ shape }) => shape[0] ?? 0));
  const binding = new Map([...program.sizes, ...times]);
  const more = request.max ?? wholeOption(options.get("max"), binding, 1) ?? USUAL_LENGTH;
  const open = chosen.flatMap((spec) => spec.times).filter((time) => time !== undefined && !times.has(time));
  return {
    count,
    seed,
    columns,
    times: new Map([...times, ...open.map((time) => [time ?? "", longest + more] as const)]),
    prompts,
    vocabulary,
  };
}

function takesPrompt(program: Program, emission: string): boolean {
  return [...program.params.values()].some((role) => role.kind === "prompt" && role.emission === emission);
}

/** How far ahead an emission looks: 1 for `ids[t+1]`. */
function lookahead(emitted: readonly EmitItem[], name: string): number {
  const item = emitted.find((one) => one.name.text === name);
  return Math.max(0, ...(item?.indices ?? []).map((index) => index.offset));
}

/** The inputs that the block or the command gives, repeated for every example, and the lengths that they have. */
function givenInputs(
  request: GenerateRequest,
  program: Program,
  given: Generation["given"],
  vocabulary: Plan["vocabulary"],
  count: number,
): Pick<Plan, "columns" | "times"> {
  const columns = new Map<string, HostArray>();
  const times = new Map<string, number>();
  for (const spec of program.inputs) {
    const clause = given.findLast(({ name }) => name.text === spec.name);
    const value = request.inputs.get(spec.name) ?? (clause === undefined ? undefined : { expression: clause.value });
    if (value === undefined) continue;
    const example = exampleArray(spec, value, vocabulary(spec), program.sizes);
    inputAxes(spec).forEach(({ time }, axis) => {
      if (time !== undefined) times.set(time, example.shape[axis] ?? 0);
    });
    columns.set(spec.name, repeated(example, count));
  }
  return { columns, times };
}

/** An option's number; it may name sizes: `max 3 * S`. */
function wholeOption(
  expression: Expression | undefined,
  sizes: ReadonlyMap<string, number>,
  least: number,
): number | undefined {
  if (expression === undefined) return undefined;
  const value = numberOf(expression, sizes);
  if (value !== undefined && Number.isInteger(value) && value >= least) return value;
  throw new DataError(`this is ${value ?? "no number"}: a whole number from ${least} on is needed`, {
    hint: `it may name sizes: ${[...sizes.keys()].join(", ")}`,
    span: expression.span,
  });
}

function numberOf(expression: Expression, sizes: ReadonlyMap<string, number>): number | undefined {
  const constant = constantValue(expression);
  if (typeof constant === "number") return constant;
  if (expression.kind === "reference") return sizes.get(expression.name);
  if (expression.kind !== "binary") return undefined;
  const left = numberOf(expression.left, sizes);
  const right = numberOf(expression.right, sizes);
  if (left === undefined || right === undefined) return undefined;
  switch (expression.operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    default:
      return undefined;
  }
}

function promptValue(text: string | undefined, expression: Expression | undefined): OuterValue | undefined {
  if (text !== undefined) return { text };
  return expression === undefined ? undefined : { expression };
}

/** The given beginning; what looks `offset` ahead needs so many positions, for which BOS serves. */
function promptArray(
  spec: InputSpec,
  value: OuterValue | undefined,
  vocabulary: Vocabulary | undefined,
  sizes: ReadonlyMap<string, number>,
  offset: number,
): HostArray | undefined {
  const isEmpty = value !== undefined && "text" in value && value.text === "";
  if (value !== undefined && !isEmpty) return exampleArray(spec, value, vocabulary, sizes);
  if (offset === 0) return undefined;
  const begin = vocabulary === undefined ? undefined : specialId(vocabulary, "BOS");
  if (begin !== undefined) return { shape: [offset], data: new Int32Array(offset).fill(begin) };
  throw new DataError(`${spec.name} is chosen from what comes before it: it needs a beginning`, {
    hint: `write prompt ${spec.dtype === "int" ? '"The "' : "[0.1, 0.2]"} into the block, or give --prompt`,
    span: spec.span,
  });
}

/** One example's array as a batch of `count`. */
export function repeated({ shape, data }: HostArray, count: number): HostArray {
  const out = data instanceof Int32Array ? new Int32Array(data.length * count) : new Float64Array(data.length * count);
  for (let at = 0; at < count; at++) out.set(data, at * data.length);
  return { shape: [count, ...shape], data: out };
}
