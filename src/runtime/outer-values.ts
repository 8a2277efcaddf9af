import type { InputSpec } from "../build/program.ts";
import { type Constant, constantValue } from "../check/constants.ts";
import { evaluateSize } from "../ir/size.ts";
import type { Expression } from "../syntax/tree.ts";
import { DataError, listed } from "./data/error.ts";
import { encode, splitText, type Vocabulary } from "./data/vocabulary.ts";
import type { HostArray } from "./executor.ts";
import { inputAxes } from "./fit.ts";

/** One example's value of an input, as a `generate` block or a command gives it. */
export type OuterValue = { readonly text: string } | { readonly expression: Expression };

/**
 * One example's array: `"steering"` becomes tokens of the vocabulary, numbers and lists of numbers stand for themselves. The sizes of
 * time axes follow from the value; all others must fit.
 */
export function exampleArray(
  spec: InputSpec,
  value: OuterValue,
  vocabulary: Vocabulary | undefined,
  sizes: ReadonlyMap<string, number>,
): HostArray {
  const span = "expression" in value ? value.expression.span : undefined;
  const wrong = (reason: string, hint?: string): DataError => new DataError(`${spec.name} ${reason}`, { span, hint });
  const constant = "expression" in value ? constantValue(value.expression) : numberOrText(value.text, vocabulary);
  if (constant === undefined) throw wrong("is no constant", "write a number, a text or a list");
  const rank = inputAxes(spec).length;
  const nested = typeof constant === "string" ? tokensOf(spec, constant, vocabulary, rank, wrong) : constant;
  const shape: number[] = [];
  const data = Float64Array.from(flattened(nested, 0, shape, wrong));
  const axes = inputAxes(spec);
  const wanted = axes.map(({ size, time }) => (time === undefined ? evaluateSize(size, sizes) : undefined));
  if (shape.length !== rank || wanted.some((size, axis) => size !== undefined && size !== shape[axis])) {
    throw wrong(`is [${shape.join(", ")}], the model takes [${spec.shape.map(({ text }) => text).join(", ")}]`);
  }
  const limit = spec.vocabulary === undefined ? undefined : evaluateSize(spec.vocabulary, sizes);
  const bad =
    spec.dtype === "int" ? data.find((id) => !Number.isInteger(id) || id < 0 || id >= (limit ?? Infinity)) : undefined;
  if (bad !== undefined) throw wrong(`has ${bad}: tokens are whole numbers from 0 on, below ${limit}`);
  return { shape, data: spec.dtype === "int" ? Int32Array.from(data) : data };
}

/** What stands behind `--input name=`: a text where the input has a vocabulary of texts, else numbers. */
function numberOrText(text: string, vocabulary: Vocabulary | undefined): Constant | undefined {
  if (vocabulary !== undefined && vocabulary.unit !== "number") return text;
  try {
    const value: unknown = JSON.parse(text);
    return isNumbers(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isNumbers(value: unknown): value is Constant {
  return typeof value === "number" || typeof value === "boolean" || (Array.isArray(value) && value.every(isNumbers));
}

function tokensOf(
  spec: InputSpec,
  text: string,
  vocabulary: Vocabulary | undefined,
  rank: number,
  wrong: (reason: string, hint?: string) => DataError,
): Constant {
  if (spec.dtype !== "int") throw wrong("takes numbers, not text");
  if (vocabulary === undefined)
    throw wrong("is a text, and the weights have no vocabulary", "give token numbers: [3, 1, 4]");
  const { ids, unknown } = encode(vocabulary, text);
  if (unknown.length > 0) {
    throw wrong(`has ${listed(unknown)}, not in the vocabulary`, `it has ${listed(vocabulary.tokens, 12)}`);
  }
  if (rank > 0) return ids;
  const [only] = ids;
  if (ids.length === 1 && only !== undefined) return only;
  throw wrong(`is one token, ${JSON.stringify(text)} is ${splitText(vocabulary.unit, text).length}`);
}

function flattened(
  value: Constant,
  depth: number,
  shape: number[],
  wrong: (reason: string) => DataError,
): readonly number[] {
  if (typeof value === "string") throw wrong("mixes texts and numbers");
  if (typeof value !== "object") return [Number(value)];
  if (value.length === 0) throw wrong("is empty");
  if (shape[depth] !== undefined && shape[depth] !== value.length)
    throw wrong("is a list of lists that differ in length");
  shape[depth] = value.length;
  return value.flatMap((item) => flattened(item, depth + 1, shape, wrong));
}
