import type { InputSpec } from "../build/program.ts";
import { solveSize } from "../ir/interpret.ts";
import { evaluateSize, isUnit, type Size, sizeConstant, sizeNames } from "../ir/size.ts";
import type { Column, Dataset } from "./data/dataset.ts";
import { DataError } from "./data/error.ts";
import { type Expected, vocabularyKey } from "./data/expected.ts";
import { type Vocabulary, vocabularySize } from "./data/vocabulary.ts";

/** What the data must have for an input; `sizes` are those that are known before data is read. */
export function expectedOf(spec: InputSpec, sizes: ReadonlyMap<string, number>): Expected {
  const axes = inputAxes(spec);
  const [first] = axes;
  const known = (size: Size): number | undefined => evaluateSize(size, sizes);
  const { vocabulary } = spec;
  const shared = vocabulary !== undefined && sizeConstant(vocabulary) === undefined;
  return {
    name: spec.name,
    base: spec.dtype === "int" ? "tok" : spec.dtype,
    sizes: axes.map(({ size, time }) => (time === undefined ? known(size) : undefined)),
    ragged: first?.time !== undefined,
    vocabulary: shared ? vocabulary.text : undefined,
    limit: vocabulary === undefined ? undefined : known(vocabulary),
    special: spec.specials,
    optional: spec.optional,
    span: spec.span,
  };
}

/** The axes of an input that its arrays have: those of size 1 are left out. */
export function inputAxes(spec: InputSpec): readonly { readonly size: Size; readonly time: string | undefined }[] {
  return spec.shape.flatMap((size, axis) => (isUnit(size) ? [] : [{ size, time: spec.times[axis] }]));
}

/** Adds the sizes that vocabularies and shapes of the data give: `V` of `tok(V)`, `D` of `[D]`. */
export function sizesFromData(
  specs: readonly InputSpec[],
  datasets: readonly Dataset[],
  vocabularies: ReadonlyMap<string, Vocabulary>,
  known: ReadonlyMap<string, number>,
): Map<string, number> {
  const sizes = new Map(known);
  const times = new Set(specs.flatMap((spec) => spec.times));
  const isFixed = (size: Size): boolean => [...sizeNames(size)].every((name) => !times.has(name));
  for (const spec of specs) {
    const vocabulary = vocabularies.get(vocabularyKey(expectedOf(spec, sizes)));
    if (vocabulary !== undefined && spec.vocabulary !== undefined) {
      bind(sizes, spec, spec.vocabulary, vocabularySize(vocabulary));
    }
    const column = datasets.map((dataset) => dataset.columns.get(spec.name)).find((found) => found !== undefined);
    if (column === undefined) continue;
    const shape = column.lengths === undefined ? column.shape : [undefined, ...column.shape];
    inputAxes(spec).forEach(({ size }, axis) => {
      const value = shape[axis];
      if (value !== undefined && isFixed(size)) bind(sizes, spec, size, value);
    });
  }
  return sizes;
}

function bind(sizes: Map<string, number>, spec: InputSpec, size: Size, value: number): void {
  const solved = solveSize(size, value, sizes);
  if (solved !== undefined) sizes.set(solved.name, solved.value);
  const known = evaluateSize(size, sizes);
  // A vocabulary may be larger than what the data has of it.
  if (known === undefined || known === value || (spec.vocabulary === size && known > value)) return;
  throw new DataError(`${size.text} is ${known}, and ${spec.name} has ${value} of it`, { span: spec.span });
}

/** Whether the rows of every dataset are equally long, so that no lengths are needed. */
export function isDense(datasets: readonly Dataset[]): boolean {
  return datasets.every((dataset) =>
    [...dataset.columns.values()].every(
      (column) => column.lengths?.every((length) => length === column.lengths?.[0]) ?? true,
    ),
  );
}

/** Inputs over one time axis must agree, row by row, how long it is. */
export function checkLengths(specs: readonly InputSpec[], dataset: Dataset): void {
  const seen = new Map<string, { readonly spec: InputSpec; readonly column: Column }>();
  for (const spec of specs) {
    const time = inputAxes(spec)[0]?.time;
    const column = dataset.columns.get(spec.name);
    if (time === undefined || column === undefined) continue;
    const first = seen.get(time);
    if (first === undefined) {
      seen.set(time, { spec, column });
      continue;
    }
    for (let row = 0; row < dataset.rows; row++) {
      const [ours, theirs] = [rowLength(column, row), rowLength(first.column, row)];
      if (ours === theirs) continue;
      throw new DataError(
        `${spec.name} has ${ours} positions here and ${first.spec.name} ${theirs}: both are along ${time}`,
        {
          place: column.place(row),
          hint: "give them axes of their own: time S, T",
          span: spec.span,
        },
      );
    }
  }
}

export function rowLength(column: Column, row: number): number {
  return column.lengths?.[row] ?? column.shape[0] ?? 1;
}
