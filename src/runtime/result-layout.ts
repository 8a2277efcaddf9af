import type { SizeBinding } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";

/** A result whose axes have the order that its role promises. */
export function inLayout<S extends { readonly axes: readonly Axis[] }>(
  slot: S,
  layout: readonly string[] | undefined,
): S {
  if (layout === undefined) return slot;
  return { ...slot, axes: slot.axes.toSorted((a, b) => layout.indexOf(a.id) - layout.indexOf(b.id)) };
}

export function sameSizes(a: SizeBinding, b: SizeBinding): boolean {
  if (a.size !== b.size) return false;
  for (const [name, size] of b) if (a.get(name) !== size) return false;
  return true;
}
