import type { Program } from "../../build/program.ts";
import { lowerProgram } from "../tfjs/lower-program.ts";
import { ARGUMENT_NAMES, addMembers, argument, collectSupport, type FunctionContext } from "./members.ts";
import { openParams, type Sources } from "./params.ts";
import { printStatements } from "./print-program.ts";
import { addStart, addStateTypes, closingLines, groupLines, groupResults } from "./training-state.ts";

/** The state of a training, its beginning and its step. */
export function addTraining(
  context: FunctionContext,
  training: { readonly program: Program; readonly seed: number; readonly doc: string | undefined },
  suffix: string,
): void {
  const { file, names } = context;
  const { program } = training;
  const tensors = lowerProgram(program, [...context.taken, ...ARGUMENT_NAMES]);
  const sources: Sources = {
    weights: "state.weights",
    inputs: "batch",
    options: "options",
    slots: "state.slots",
    carry: "state.carry",
    step: "state.step",
    seed: `deriveSeed(${training.seed}, "step", state.step)`,
    training: true,
  };
  const opening = openParams(program, tensors, sources);
  collectSupport(context, opening, tensors);
  if (opening.lines.some((line) => line.includes("deriveSeed("))) context.support.add("deriveSeed");
  const type = `${names.model}${suffix}`;
  const groups = groupResults(program, tensors);
  addStateTypes(file, type, names, groups);
  addMembers(file, `${type}Batch`, "The arrays of one training step.", opening.inputs);
  addMembers(file, `${type}StepOptions`, "What else a training step depends on.", opening.options);
  addStart(file, type, suffix, names, program);
  file.addFunction({
    name: `trainStep${suffix}`,
    isExported: true,
    parameters: [
      { name: "state", type: `${type}State` },
      ...argument("batch", `${type}Batch`, opening.inputs),
      ...argument("options", `${type}StepOptions`, opening.options),
    ],
    returnType: `${type}Step`,
    docs: [
      {
        description: `${training.doc ?? `One training step of ${names.model}.`}\nTakes over the state: tensors in it that the step replaces are disposed, unless it throws.`,
      },
    ],
    statements: [
      "const next = tf.tidy(() => {",
      ...opening.lines.map((line) => `  ${line}`),
      ...printStatements(tensors, context.equation, 2),
      "  return {",
      ...groupLines(groups),
      "  };",
      "});",
      ...closingLines(groups),
    ],
  });
}
