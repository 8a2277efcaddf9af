import { StructureKind } from "ts-morph";
import type { Program, ResultRole } from "../../build/program.ts";
import { lowerProgram } from "../../target/tfjs/lower-program.ts";
import { inComment } from "../comment.ts";
import {
  ARGUMENT_NAMES,
  addMembers,
  argument,
  collectSupport,
  type FunctionContext,
  outputMember,
  returned,
} from "./members.ts";
import { openParams, type Sources } from "./params.ts";
import { printStatements } from "./print-program.ts";

/** `forward`, or a function that generates: from weights and inputs to named results. */
export function addForward(
  context: FunctionContext,
  program: Program,
  name: string,
  type: string,
  doc: string,
  isGeneration: boolean,
): void {
  const { file, names } = context;
  const tensors = lowerProgram(program, [...context.taken, ...ARGUMENT_NAMES]);
  const sources: Sources = {
    weights: "weights",
    inputs: "inputs",
    options: "options",
    slots: "",
    carry: "options.carry",
    step: "0",
    seed: "0",
    training: isGeneration ? false : undefined,
  };
  const opening = openParams(program, tensors, sources);
  collectSupport(context, opening, tensors);
  addMembers(file, `${type}Inputs`, `What ${name} reads.`, opening.inputs);
  addMembers(file, `${type}Options`, `What else ${name} depends on.`, opening.options);
  const results = tensors.results.map((result) => ({
    result,
    name: resultName(result.name, program.results.get(result.name)),
  }));
  addMembers(
    file,
    `${type}Outputs`,
    `What ${name} gives. The tensors belong to the caller, who disposes them.`,
    results.map(({ result, name: own }) => outputMember(result, own)),
  );
  file.push({
    kind: StructureKind.Function,
    name,
    isExported: true,
    parameters: [
      { name: "weights", type: names.weights },
      ...argument("inputs", `${type}Inputs`, opening.inputs),
      ...argument("options", `${type}Options`, opening.options),
    ],
    returnType: `${type}Outputs`,
    docs: [{ description: inComment(doc) }],
    statements: [
      "return tf.tidy(() => {",
      ...opening.lines.map((line) => `  ${line}`),
      ...printStatements(tensors, context.equation, 2),
      "  return {",
      ...results.map(({ result, name: own }) => returned(4, own, result)),
      "  };",
      "});",
    ],
  });
}

function resultName(name: string, role: ResultRole | undefined): string {
  if (role?.kind === "choice") return role.emission;
  return role?.kind === "value" || role?.kind === "metric" ? role.name : name;
}
