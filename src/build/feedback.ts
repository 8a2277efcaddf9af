import type { ParamRole, Program, ResultRole } from "./program.ts";

/** Which param takes a result back, by result name. */
export function feedbackOf(program: Program): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [result, role] of program.results) {
    const param = program.graph.params.find(({ id }) => takesBack(program.params.get(id), role));
    if (param !== undefined) found.set(result, param.id);
  }
  return found;
}

function takesBack(param: ParamRole | undefined, result: ResultRole): boolean {
  if (param === undefined || param.kind !== result.kind) return false;
  if (param.kind === "weight" || param.kind === "carry") return "name" in result && param.name === result.name;
  return (
    param.kind === "slot" && result.kind === "slot" && param.name === result.name && param.weight === result.weight
  );
}
