import type { InputSpec } from "../build/program.ts";
import { type Column, type Dataset, isPresent, mapColumns, product } from "./data/dataset.ts";
import { inputAxes, rowLength } from "./fit.ts";

/** The columns that lack the values of some rows. */
export function absentColumns(datasets: readonly Dataset[]): ReadonlySet<string> {
  return new Set(datasets.flatMap(({ columns }) => [...columns].flatMap(([name, own]) => (own.present ? [name] : []))));
}

/**
 * Rows without a value get one that is legal, as long as another column over the same time axis is there, else one position: programs
 * compute with it, and count it nowhere.
 */
export function withLegalAbsent(dataset: Dataset, specs: readonly InputSpec[]): Dataset {
  return mapColumns(dataset, (column, name) => {
    const time = timeOf(specs, name);
    if (column.present === undefined || column.lengths === undefined || time === undefined) return column;
    const others = [...dataset.columns].filter(([other]) => other !== name && timeOf(specs, other) === time);
    const lengths = column.lengths.map((length, row) => {
      if (isPresent(column, row)) return length;
      const other = others.find(([, one]) => isPresent(one, row))?.[1];
      return other === undefined ? 1 : rowLength(other, row);
    });
    return filled(column, lengths);
  });
}

function timeOf(specs: readonly InputSpec[], name: string): string | undefined {
  const spec = specs.find((one) => one.name === name);
  return spec === undefined ? undefined : inputAxes(spec)[0]?.time;
}

/** The first element again and again, behind all others: what rows without a value read. */
function filled(column: Column, lengths: Uint32Array): Column {
  if (column.kind === "text") return column;
  const size = product(column.shape);
  const longest = lengths.reduce((most, length, row) => (isPresent(column, row) ? most : Math.max(most, length)), 0);
  const end = column.data.length;
  const data = Float64Array.from({ length: end + longest * size }, (_, at) =>
    at < end ? (column.data[at] ?? 0) : (column.data[(at - end) % size] ?? 0),
  );
  const starts = lengths.map((_, row) => (isPresent(column, row) ? (column.starts?.[row] ?? row * size) : end));
  const layout = { lengths, starts };
  return column.kind === "bool"
    ? { ...column, ...layout, data: Uint8Array.from(data) }
    : { ...column, ...layout, data: column.kind === "float" ? data : Int32Array.from(data) };
}
