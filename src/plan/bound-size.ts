import { type Size, type SizeBinding, sizeConstant, sizeNames } from "../ir/size.ts";
import { sizeValue } from "../ir/tensor.ts";

/** Values of a program's size names, in their order; NaN for one that is not bound. */
export type Sizes = readonly number[];

/** A size: a number, or what it is for sizes that are bound. */
export type SizeOf = number | ((...sizes: Sizes) => number);

/** How a size is written that is known when a program runs, with the names that are bound then, in their order. */
export type SizeForm<S> = (size: Size, names: readonly string[]) => S;

/** Throws where the size is not known or no whole number. */
export function numberOf(size: SizeOf, sizes: Sizes): number {
  const value = typeof size === "number" ? size : size(...sizes);
  if (Number.isInteger(value) && value >= 0) return value;
  throw new Error(`a size is ${value} for ${sizes.join(", ")}, not a whole number: are all names bound?`);
}

/** The values of a program's size names. */
export function sizesOf({ sizes }: { readonly sizes: readonly string[] }, binding: SizeBinding): Sizes {
  return sizes.map((name) => binding.get(name) ?? Number.NaN);
}

/** A size as what it is for the values of names. */
export function boundSize(size: Size, names: readonly string[]): SizeOf {
  return (...values) => sizeValue(size, bindingOf(names, values));
}

function bindingOf(names: readonly string[], values: Sizes): SizeBinding {
  const known = names.flatMap((name, at): readonly (readonly [string, number])[] => {
    const value = values[at];
    return value === undefined || Number.isNaN(value) ? [] : [[name, value]];
  });
  return new Map(known);
}

/** Every name that sizes need, sorted. */
export function boundNames(sizes: readonly Size[]): readonly string[] {
  return [...new Set(sizes.flatMap((size) => [...sizeNames(size)]))].sort();
}

/** A number where it is one, else as `form` writes it. */
export function numberOr<S>(form: SizeForm<S>, names: readonly string[]): (size: Size) => S | number {
  return (size) => sizeConstant(size) ?? form(size, names);
}
