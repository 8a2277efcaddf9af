import type { InputSpec, Program } from "../build/program.ts";
import { knownPart, parameterCount } from "../compile/parameter-count.ts";
import { evaluateSize, type Size } from "../ir/size.ts";
import type { Definition } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";

/** What a model reads, emits and has learned: the object of `seqc summary --json`. */
export interface ModelSummary {
  readonly model: string;
  /** Sizes that are known, by name. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Its arrays, the batch not listed; `type` is as the source says it, `tok(V)[T]`. */
  readonly inputs: readonly { readonly name: string; readonly type: string; readonly emitted: boolean }[];
  /** As the source says them: `ids[t+1] ~ categorical(head(y[t]))`. */
  readonly emissions: readonly string[];
  readonly weights: readonly WeightSummary[];
  /** How many numbers the weights have; null where a size is not known. */
  readonly parameters: number | null;
  /** The same with sizes that are not known by name. */
  readonly parametersText: string;
}

/** An array of the model. */
export interface WeightSummary {
  readonly name: string;
  /** By axis, as the source says it. */
  readonly shape: readonly string[];
  /** By axis; null where it is not known. */
  readonly sizes: readonly (number | null)[];
  /** False where an equation moves it. */
  readonly trained: boolean;
}

/** Says what a model is, from its forward program. `sizes` are known beside the program's own. */
export function summarizeModel(
  definition: Definition,
  program: Program,
  { title = definition.name.text, sizes = program.sizes }: SummaryOptions = {},
): ModelSummary {
  const count = parameterCount(program.weights);
  return {
    model: title,
    sizes: Object.fromEntries(sizes),
    inputs: program.inputs.map((spec) => ({ name: spec.name, type: typeText(spec), emitted: spec.emitted })),
    emissions: emissionsOf(definition),
    weights: program.weights.map(({ name, shape, trained }) => ({
      name,
      shape: shape.map(({ text }) => text),
      sizes: shape.map((size: Size) => evaluateSize(size, sizes) ?? null),
      trained,
    })),
    parameters: evaluateSize(count, sizes) ?? null,
    parametersText: knownPart(count, sizes).text,
  };
}

interface SummaryOptions {
  /** The model as it is asked for, `CharLM(Cell: GRU)`. */
  readonly title?: string;
  readonly sizes?: ReadonlyMap<string, number>;
}

export function emissionsOf(definition: Definition): readonly string[] {
  return definition.items.flatMap((item) => {
    if (item.kind !== "emit") return [];
    const indices = item.indices.map(
      ({ name, offset }) => `${name.text}${offset === 0 ? "" : offset > 0 ? `+${offset}` : offset}`,
    );
    const at = indices.length === 0 ? "" : `[${indices.join(", ")}]`;
    return [`${item.name.text}${at} ~ ${printExpression(item.dist)}`];
  });
}

/** `tok(V)[T]`, `[T, 2]` */
export function typeText({ dtype, vocabulary, shape }: InputSpec): string {
  const axes = `[${shape.map(({ text }) => text).join(", ")}]`;
  if (vocabulary !== undefined) return `tok(${vocabulary.text})${shape.length === 0 ? "" : axes}`;
  return dtype === "bool" ? `bool${axes}` : axes;
}
