import { StructureKind } from "ts-morph";
import type { Program } from "../../build/program.ts";
import { lowerToTfjs } from "../../target/tfjs/lower.ts";
import { lowerProgram } from "../../target/tfjs/lower-program.ts";
import { identifier } from "../../target/tfjs/names.ts";
import { type Expression, list, type TensorProgram, type TensorResult, variable } from "../../target/tfjs/program.ts";
import { inComment } from "../comment.ts";
import { access, hasUnits, property, shapeText, weightOf } from "./layout.ts";
import { ARGUMENT_NAMES, addMembers, argument, collectSupport, type FunctionContext } from "./members.ts";
import { openParams, type Sources } from "./params.ts";
import { printExpression } from "./print-expression.ts";
import { printStatements } from "./print-program.ts";
import { addStart, addStateTypes, closingLines, groupLines, groupResults } from "./training-state.ts";
import { type SplitStep, splitUpdates, type Update, type UpdateFunction } from "./updates.ts";

/** The state of a training, its beginning and its step. */
export function addTraining(
  context: FunctionContext,
  training: { readonly program: Program; readonly seed: number; readonly doc: string | undefined },
  suffix: string,
): void {
  const { file, names } = context;
  const { program } = training;
  const split = splitUpdates(program);
  const variables = split.updates.map((update) => updateVariable(update));
  const functions = split.functions.map((shape) => `${shape.name}${suffix}`);
  const tensors = lowerProgram(split.main, [...context.taken, ...ARGUMENT_NAMES, ...variables, ...functions]);
  const opening = openParams(split.main, tensors, stepSources(training.seed));
  collectSupport(context, opening, tensors);
  if (opening.lines.some((line) => line.includes("deriveSeed("))) context.support.add("deriveSeed");
  const type = `${names.model}${suffix}`;
  const groups = groupResults(program, allResults(program, split, tensors));
  addStateTypes(file, type, names, groups);
  addMembers(file, `${type}Batch`, "The arrays of one training step.", opening.inputs);
  addMembers(file, `${type}StepOptions`, "What else a training step depends on.", opening.options);
  addStart(file, type, suffix, names, program);
  for (const shape of split.functions) addUpdateFunction(context, program, shape, suffix);
  file.push({
    kind: StructureKind.Function,
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
        description: `${inComment(training.doc ?? "") || `One training step of ${names.model}.`}\nTakes over the state: tensors in it that the step replaces are disposed, unless it throws.`,
      },
    ],
    statements: [
      "const next = tf.tidy(() => {",
      ...opening.lines.map((line) => `  ${line}`),
      ...printStatements(tensors, context.equation, 2),
      ...updateLines(program, split, tensors, suffix),
      "  return {",
      ...groupLines(groups),
      "  };",
      "});",
      ...closingLines(groups),
    ],
  });
}

function stepSources(seed: number): Sources {
  return {
    weights: "state.weights",
    inputs: "batch",
    options: "options",
    slots: "state.slots",
    carry: "state.carry",
    step: "state.step",
    seed: `deriveSeed(${seed}, "step", state.step)`,
    training: true,
  };
}

function updateVariable(update: Update): string {
  return `${identifier(update.weight)}_moved`;
}

/** The results of the whole step: those of the main program, and those of the functions' calls. */
function allResults(program: Program, split: SplitStep, tensors: TensorProgram): readonly TensorResult[] {
  const own = tensors.results.filter((result) => program.results.has(result.name));
  const moved = [...program.results].flatMap(([name, role]): readonly TensorResult[] => {
    if (role.kind !== "weight" && role.kind !== "slot") return [];
    const update = split.updates.find((one) => one.weight === (role.kind === "weight" ? role.name : role.weight));
    const field = role.kind === "weight" ? "weight" : role.name;
    const type = update?.types.get(field);
    if (update === undefined || type === undefined) return [];
    return [{ name, value: variable(access(updateVariable(update), field)), dtype: type.dtype, axes: type.axes }];
  });
  return [...own, ...moved];
}

/** The optimizer's equations for one weight. */
function addUpdateFunction(context: FunctionContext, program: Program, shape: UpdateFunction, suffix: string): void {
  const full = shape.graph.params.find((param) => param.type.axes.length > 0)?.type.axes.map((axis) => axis.id) ?? [];
  const layouts = new Map(shape.graph.results.map((result) => [result.name, full]));
  const tensors = lowerToTfjs(shape.graph, program.sizes, { taken: context.taken, layouts });
  collectSupport(context, { lines: [], inputs: [], options: [], support: [] }, tensors);
  context.file.push({
    kind: StructureKind.Function,
    name: `${shape.name}${suffix}`,
    parameters: tensors.params.map((param) => ({ name: param.name, type: "tf.Tensor" })),
    docs: [{ description: "How the optimizer moves one weight." }],
    statements: [
      "return tf.tidy(() => {",
      ...printStatements(tensors, context.equation, 2),
      "  return {",
      ...tensors.results.map((result) => `    ${property(result.name)}: ${printExpression(result.value, 4)},`),
      "  };",
      "});",
    ],
  });
}

/** A call for each weight; what several calls are given is computed once before them. */
function updateLines(program: Program, split: SplitStep, tensors: TensorProgram, suffix: string): readonly string[] {
  const values = new Map(tensors.results.map((result) => [result.name, result.value]));
  const uses = new Map<string, number>();
  for (const one of split.updates.flatMap((update) => update.args))
    if (one.kind === "result") uses.set(one.name, (uses.get(one.name) ?? 0) + 1);
  const lines: string[] = [];
  const shared = new Map<string, Expression>();
  for (const [name, count] of uses) {
    const value = values.get(name);
    if (value === undefined || value.kind === "variable" || count === 1) continue;
    const constant = `shared_${shared.size + 1}`;
    lines.push(`  const ${constant} = ${printExpression(value, 2, constant.length + 11)};`);
    shared.set(name, variable(constant));
  }
  for (const update of split.updates) {
    const args = update.args.map((one): Expression => {
      if (one.kind === "weight") return variable(weightSource(program, update.weight));
      if (one.kind === "slot") return variable(access("state.slots", `${update.weight}.${one.name}`));
      return shared.get(one.name) ?? values.get(one.name) ?? variable(one.name);
    });
    const start = `  const ${updateVariable(update)} = ${update.function.name}${suffix}(`;
    const call = printExpression(list(args), 2, start.length + 2);
    lines.push(`${start}${call.slice(1, -1)});`);
  }
  return lines;
}

/** Without declared axes of size 1, which the program does not know. */
function weightSource(program: Program, name: string): string {
  const spec = weightOf(program, name);
  const own = access("state.weights", name);
  const param = program.graph.params.find(({ id }) => {
    const role = program.params.get(id);
    return role?.kind === "weight" && role.name === name;
  });
  if (param === undefined || !hasUnits(spec.shape, program.sizes)) return own;
  const sizes = param.type.axes.map((axis) => axis.size);
  return `tf.reshape(${own}, ${shapeText(sizes, program.sizes)})`;
}
