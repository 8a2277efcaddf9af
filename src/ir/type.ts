import type { Size } from "./size.ts";

/** `int` also holds tokens and indices. */
export type DType = "float" | "int" | "bool";

/** A named axis. Within one graph an id has one size; ids of equal size are different axes until renamed. */
export interface Axis {
  readonly id: string;
  readonly size: Size;
}

/** A set of axes: two types with the same axes in another order are the same type. Order is the suggested layout, and is fixed at params and results. */
export interface Type {
  readonly dtype: DType;
  readonly axes: readonly Axis[];
}

export function hasAxis(type: Type, id: string): boolean {
  return type.axes.some((axis) => axis.id === id);
}

export function withoutAxes(axes: readonly Axis[], ids: readonly string[]): readonly Axis[] {
  return axes.filter((axis) => !ids.includes(axis.id));
}

/** The union, in order of first appearance: how operands of an elementwise op broadcast. */
export function unionAxes(...lists: readonly (readonly Axis[])[]): readonly Axis[] {
  const seen = new Map<string, Axis>();
  for (const axis of lists.flat()) if (!seen.has(axis.id)) seen.set(axis.id, axis);
  return [...seen.values()];
}

export function sameAxes(a: readonly Axis[], b: readonly Axis[]): boolean {
  return a.length === b.length && a.every((axis) => b.some((other) => other.id === axis.id));
}
