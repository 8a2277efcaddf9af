import type { ParamRole, Program, ResultRole } from "../../build/program.ts";
import { lowerToTfjs } from "./lower.ts";
import type { TensorProgram } from "./program.ts";

/**
 * A compiled program as tfjs calls. Results have the layout that their roles promise: what goes round (weights, slots, carries)
 * that of the param it goes back to, what was chosen that of its prompt.
 * @param taken names that variables must not have
 */
export function lowerProgram(program: Program, taken: Iterable<string> = []): TensorProgram {
  const layouts = new Map<string, readonly string[]>();
  for (const [name, role] of program.results) {
    const axes = layoutOf(program, role);
    if (axes !== undefined) layouts.set(name, axes);
  }
  return lowerToTfjs(program.graph, program.sizes, { layouts, taken });
}

function layoutOf(program: Program, role: ResultRole): readonly string[] | undefined {
  switch (role.kind) {
    case "parameter":
    case "value":
      return role.axes;
    case "weight":
    case "carry":
      return paramAxes(program, (param) => param.kind === role.kind && param.name === role.name);
    case "gradient":
      return paramAxes(program, (param) => param.kind === "weight" && param.name === role.weight);
    case "slot":
      return paramAxes(
        program,
        (param) => param.kind === "slot" && param.name === role.name && param.weight === role.weight,
      );
    case "choice":
      return paramAxes(program, (param) => param.kind === "prompt" && param.emission === role.emission);
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
