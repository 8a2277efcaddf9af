import type { Axis } from "../ir/type.ts";
import type { ParamRole, Program, ResultRole } from "./program.ts";

/** The order of each result's axes that its role promises, by result name: what goes round has the layout of the param that takes it back. */
export function resultLayouts(program: Program): ReadonlyMap<string, readonly string[]> {
  const layouts = new Map<string, readonly string[]>();
  for (const [name, role] of program.results) {
    const axes = layoutOf(program, role);
    if (axes !== undefined) layouts.set(name, axes);
  }
  return layouts;
}

function layoutOf(program: Program, role: ResultRole): readonly string[] | undefined {
  switch (role.kind) {
    case "parameter":
    case "value":
    case "choice":
      return role.axes;
    case "weight":
    case "carry":
      return paramAxes(program, (param) => param.kind === role.kind && param.name === role.name);
    case "gradient":
      return paramAxes(
        program,
        (param) => (param.kind === "weight" || param.kind === "input") && param.name === role.weight,
      );
    case "slot":
      return paramAxes(
        program,
        (param) => param.kind === "slot" && param.name === role.name && param.weight === role.weight,
      );
    case "loss":
    case "metric":
      return undefined;
    default:
      return role satisfies never;
  }
}

function paramAxes(program: Program, isWanted: (role: ParamRole) => boolean): readonly string[] | undefined {
  const param = program.graph.params.find(({ id }) => {
    const role = program.params.get(id);
    return role !== undefined && isWanted(role);
  });
  return param?.type.axes.map((axis) => axis.id);
}

/** A result whose axes have the order that its role promises. */
export function inLayout<S extends { readonly axes: readonly Axis[] }>(
  slot: S,
  layout: readonly string[] | undefined,
): S {
  if (layout === undefined) return slot;
  return { ...slot, axes: slot.axes.toSorted((a, b) => layout.indexOf(a.id) - layout.indexOf(b.id)) };
}
