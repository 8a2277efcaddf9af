import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import type { TensorMapping } from "../compile/load-mapping.ts";
import { DataError, listed } from "./data/error.ts";
import { elementCount, type HostArray } from "./executor.ts";
import { type ForeignTensor, isFloating, type StoredTensor } from "./safetensors.ts";

type Shape = readonly number[];

/** A mapping and the tensors of the file that it is of. */
export interface MappedFile {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, StoredTensor | ForeignTensor>;
  readonly mapping: readonly TensorMapping[];
  /** Where the file is asked for. */
  readonly span: Span;
}

/**
 * The weights that tensors of other names hold: each tensor, or sum of tensors, cut along its first axis in the order in which its
 * targets name the weights. Throws where tensors are missing, of another shape or of a type that is no weight's: the error shows all of
 * them beside what the model needs.
 * @param shapes of the weights, by their names
 */
export function mappedWeights(source: MappedFile, shapes: ReadonlyMap<string, Shape>): ReadonlyMap<string, HostArray> {
  const found = new Map<string, HostArray>();
  const misfits: Misfit[] = [];
  for (const mapping of source.mapping) {
    const need = needOf(mapping, shapes);
    const sum = summed(source.tensors, mapping, need);
    if ("theirs" in sum) misfits.push(sum);
    else for (const [name, value] of cut(sum.data, need)) found.set(name, value);
  }
  if (misfits.length > 0) throw misfitError(source, misfits);
  return found;
}

/** What the weights of one mapping need. */
interface Need {
  readonly names: readonly string[];
  /** Of each weight. */
  readonly each: Shape;
  /** Of a tensor that holds them all, as it lies in the file; the usual one first. */
  readonly wholes: readonly Shape[];
  readonly swapped: boolean;
}

function needOf({ targets, swapped }: TensorMapping, shapes: ReadonlyMap<string, Shape>): Need {
  const names = targets.flatMap(({ weights }) => weights);
  const each = shapes.get(names[0] ?? "");
  if (each === undefined) throw new Error(`internal: a mapping names ${names[0]}, which is no weight`);
  const wholes = [joined(each, names.length)];
  // Several targets may also have an axis of their own, as the two biases of a cell.
  if (targets.length > 1) wholes.push([targets.length, ...joined(each, names.length / targets.length)]);
  return { names, each, wholes: swapped ? wholes.map((whole) => whole.toReversed()) : wholes, swapped };
}

function joined(each: Shape, count: number): Shape {
  const [first, ...rest] = each;
  if (count === 1) return each;
  return [(first ?? 1) * count, ...rest];
}

/** What does not fit, both sides. */
interface Misfit {
  readonly ours: string;
  readonly theirs: string;
  readonly hint: string | undefined;
}

/** The sum of a mapping's tensors with the axes in our order, or what is wrong with it. */
function summed(
  tensors: ReadonlyMap<string, StoredTensor | ForeignTensor>,
  mapping: TensorMapping,
  need: Need,
): { readonly data: Float64Array } | Misfit {
  const { swapped, wholes } = need;
  const fits = (shape: Shape): boolean => wholes.some((whole) => whole.join() === shape.join());
  const parts: Float64Array[] = [];
  for (const name of mapping.tensors) {
    const tensor = tensors.get(name);
    if (tensor === undefined) return misfit(need, `no ${JSON.stringify(name)}`, similar(name, tensors));
    const text = `${JSON.stringify(name)} [${tensor.shape.join(", ")}]`;
    if (!isFloating(tensor)) return misfit(need, `${text}, ${tensor.dtype}`, FLOATS);
    if (!fits(tensor.shape)) return misfit(need, text, fits(tensor.shape.toReversed()) ? turned(swapped) : undefined);
    const wide = tensor.data.find((value) => Number.isFinite(value) && !Number.isFinite(Math.fround(value)));
    if (wide !== undefined) return misfit(need, `${text}, with ${wide}`, "weights are float32: up to 3.4e38");
    parts.push(swapped ? transposed(tensor) : Float64Array.from(tensor.data));
  }
  const [first = new Float64Array(), ...others] = parts;
  return { data: others.reduce((sum, part) => sum.map((value, at) => value + (part[at] ?? 0)), first) };
}

const FLOATS = "weights are F64, F32, F16 or BF16: convert the tensor where the file is written";

function turned(swapped: boolean): string {
  return swapped
    ? "leave .T out for a tensor whose axes are in this order"
    : "write -> W.T for a tensor whose axes are the other way round";
}

function similar(name: string, tensors: ReadonlyMap<string, StoredTensor | ForeignTensor>): string {
  const near = nearest(name, [...tensors.keys()]);
  return near === undefined ? `it has ${listed([...tensors.keys()], 12)}` : `did you mean ${JSON.stringify(near)}?`;
}

function misfit({ names, wholes: [whole = []] }: Need, theirs: string, hint: string | undefined): Misfit {
  return { ours: `[${whole.join(", ")}] for ${namesText(names)}`, theirs, hint };
}

/** `enc.W.{i, f}` for `enc.W.i` and `enc.W.f`. */
function namesText(names: readonly string[]): string {
  const [first = ""] = names;
  const stem = first.slice(0, first.lastIndexOf(".") + 1);
  const ends = names.map((name) => name.slice(stem.length));
  const isFamily = names.length > 1 && stem !== "" && names.every((name, at) => name === `${stem}${ends[at]}`);
  return isFamily && ends.every((end) => !end.includes(".")) ? `${stem}{${ends.join(", ")}}` : names.join(", ");
}

/** More are counted. */
const MOST_ROWS = 12;

function misfitError({ file, span }: MappedFile, misfits: readonly Misfit[]): DataError {
  const rows = [{ ours: "the model needs", theirs: "the file has" }, ...misfits.slice(0, MOST_ROWS)];
  const width = Math.max(...rows.map(({ ours }) => ours.length));
  const lines = rows.map(({ ours, theirs }) => `    ${ours.padEnd(width)}   ${theirs}`);
  if (misfits.length > MOST_ROWS) lines.push(`    and ${misfits.length - MOST_ROWS} more`);
  const hint = misfits.find((one) => one.hint !== undefined)?.hint;
  return new DataError(`its tensors do not fit the model\n${lines.join("\n")}`, { place: { file }, hint, span });
}

function transposed({
  shape: [rows = 0, columns = 0],
  data,
}: {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}): Float64Array {
  return Float64Array.from(
    { length: data.length },
    (_, at) => data[(at % rows) * columns + Math.floor(at / rows)] ?? 0,
  );
}

function cut(data: Float64Array, { names, each }: Need): readonly (readonly [string, HostArray])[] {
  const count = elementCount(each);
  return names.map((name, at) => [name, { shape: each, data: data.slice(at * count, (at + 1) * count) }]);
}
