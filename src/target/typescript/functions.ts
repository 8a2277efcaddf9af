import type { SourceFile } from "ts-morph";
import type { Program, ResultRole, WeightSpec } from "../../build/program.ts";
import { lowerProgram } from "../tfjs/lower-program.ts";
import { type TensorProgram, type TensorResult, TF_DTYPE } from "../tfjs/program.ts";
import { fixedShape, property, rolesOf, shapeText, tensorType } from "./layout.ts";
import { type Member, type Opening, openParams, type Sources } from "./params.ts";
import { printExpression, printNumber } from "./print-expression.ts";
import { type EquationText, printStatements } from "./print-program.ts";
import { supportCalls } from "./support-calls.ts";
import type { ModuleNames } from "./weights.ts";

/** What a model's functions share. */
export interface FunctionContext {
  readonly file: SourceFile;
  readonly names: ModuleNames;
  readonly equation: EquationText;
  /** Names that no variable may have: those of the support functions. */
  readonly taken: readonly string[];
  /** Collects the support functions that are called. */
  readonly support: Set<string>;
}

const ARGUMENT_NAMES = ["weights", "inputs", "options", "state", "batch", "init", "load", "save"] as const;

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
  file.addFunction({
    name,
    isExported: true,
    parameters: [
      { name: "weights", type: names.weights },
      ...argument("inputs", `${type}Inputs`, opening.inputs),
      ...argument("options", `${type}Options`, opening.options),
    ],
    returnType: `${type}Outputs`,
    docs: [{ description: `${doc}` }],
    statements: [
      "return tf.tidy(() => {",
      ...opening.lines.map((line) => `  ${line}`),
      ...printStatements(tensors, context.equation, 2),
      "  return {",
      ...results.map(({ result, name: own }) => `    ${returned(own, result)}`),
      "  };",
      "});",
    ],
  });
}

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

interface NamedResult {
  readonly name: string;
  readonly result: TensorResult;
}

interface ResultGroups {
  readonly weights: readonly NamedResult[];
  readonly slots: readonly NamedResult[];
  readonly carry: readonly NamedResult[];
  readonly loss: TensorResult | undefined;
  readonly metrics: readonly NamedResult[];
}

function groupResults(program: Program, tensors: TensorProgram): ResultGroups {
  const of = (kind: ResultRole["kind"], nameOf: (role: ResultRole) => string): readonly NamedResult[] =>
    tensors.results.flatMap((result) => {
      const role = program.results.get(result.name);
      return role?.kind === kind ? [{ name: nameOf(role), result }] : [];
    });
  const plain = (role: ResultRole): string => ("name" in role ? role.name : role.kind);
  return {
    weights: of("weight", plain),
    slots: of("slot", (role) => (role.kind === "slot" ? `${role.weight}.${role.name}` : "")),
    carry: of("carry", plain),
    loss: of("loss", plain)[0]?.result,
    metrics: of("metric", plain),
  };
}

function addStateTypes(file: SourceFile, type: string, names: ModuleNames, groups: ResultGroups): void {
  const tensors = (entries: readonly NamedResult[]): readonly Member[] =>
    entries.map(({ name, result }) => outputMember(result, name));
  addMembers(file, `${type}Slots`, "What the optimizer keeps, by weight and name.", tensors(groups.slots));
  if (groups.carry.length > 0)
    addMembers(
      file,
      `${type}Carry`,
      "What goes on from one chunk of the sequences to the next.",
      tensors(groups.carry),
    );
  const state: Member[] = [
    { name: "weights", type: names.weights, optional: false, doc: "The weights." },
    { name: "slots", type: `${type}Slots`, optional: false, doc: "What the optimizer keeps." },
    { name: "step", type: "number", optional: false, doc: "Training steps done." },
  ];
  if (groups.carry.length > 0)
    state.push({
      name: "carry",
      type: `${type}Carry`,
      optional: true,
      doc: "What the chunk before left; none at the start.",
    });
  addMembers(file, `${type}State`, "A training under way.", state);
  const step: Member[] = [
    { name: "state", type: `${type}State`, optional: false, doc: "Takes the place of the state before." },
  ];
  if (groups.loss !== undefined)
    step.push({
      name: "loss",
      type: "tf.Scalar",
      optional: false,
      doc: "Averaged over the batch; the caller disposes it.",
    });
  if (groups.metrics.length > 0) {
    const fields = groups.metrics.map(
      ({ name, result }) => `readonly ${property(name)}: ${tensorType(result.axes.length)}`,
    );
    step.push({
      name: "metrics",
      type: `{ ${fields.join("; ")} }`,
      optional: false,
      doc: "On this batch; the caller disposes them.",
    });
  }
  addMembers(file, `${type}Step`, "What a training step gives.", step);
}

function addStart(file: SourceFile, type: string, suffix: string, names: ModuleNames, program: Program): void {
  const slots = rolesOf(program, "slot").map((role) => {
    const spec = program.weights.find((weight) => weight.name === role.weight);
    const shape = spec === undefined ? "[]" : slotShape(program, role.weight, role.name, spec);
    const rank = shape === "[]" ? 0 : shape.split(",").length;
    const value = role.start === 0 ? `tf.zeros(${shape})` : `tf.fill(${shape}, ${printNumber(role.start)})`;
    return `  ${property(`${role.weight}.${role.name}`)}: ${value} as ${tensorType(rank)},`;
  });
  file.addFunction({
    name: `start${suffix}`,
    isExported: true,
    parameters: [{ name: "weights", type: names.weights }],
    returnType: `${type}State`,
    docs: [{ description: "Begins a training with these weights, which belong to it from now on." }],
    statements: [`const slots: ${type}Slots = {`, ...slots, "};", "return { weights, slots, step: 0 };"],
  });
}

/** Slots have the axes of their params: a scalar, or the weight's without those of size 1. */
function slotShape(program: Program, weight: string, name: string, spec: WeightSpec): string {
  const param = program.graph.params.find(({ id }) => {
    const role = program.params.get(id);
    return role?.kind === "slot" && role.weight === weight && role.name === name;
  });
  return param === undefined
    ? `[${fixedShape(spec, program.sizes).join(", ")}]`
    : shapeText(
        param.type.axes.map((axis) => axis.size),
        program.sizes,
      );
}

function groupLines(groups: ResultGroups): readonly string[] {
  const group = (name: string, entries: readonly NamedResult[]): readonly string[] =>
    entries.length === 0
      ? []
      : [`    ${name}: {`, ...entries.map((entry) => `      ${returned(entry.name, entry.result)}`), "    },"];
  return [
    ...group("weights", groups.weights),
    ...group("slots", groups.slots),
    ...group("carry", groups.carry),
    ...(groups.loss === undefined ? [] : [`    ${returned("loss", groups.loss)}`]),
    ...group("metrics", groups.metrics),
  ];
}

function closingLines(groups: ResultGroups): readonly string[] {
  const replaced = groups.weights.map(({ name }) => `state.weights[${JSON.stringify(name)}]`);
  const carry = groups.carry.length > 0 ? ["if (state.carry !== undefined) tf.dispose(state.carry);"] : [];
  const slots = groups.slots.length > 0 ? ["tf.dispose(state.slots);"] : [];
  const weights = groups.weights.length > 0 ? "{ ...state.weights, ...next.weights }" : "state.weights";
  const fields = [
    `    weights: ${weights},`,
    `    slots: ${groups.slots.length > 0 ? "next.slots" : "state.slots"},`,
    "    step: state.step + 1,",
    ...(groups.carry.length > 0 ? ["    carry: next.carry,"] : []),
  ];
  return [
    ...(replaced.length > 0 ? ["tf.dispose([", ...replaced.map((one) => `  ${one},`), "]);"] : []),
    ...slots,
    ...carry,
    "return {",
    "  state: {",
    ...fields,
    "  },",
    ...(groups.loss === undefined ? [] : ["  loss: next.loss,"]),
    ...(groups.metrics.length === 0 ? [] : ["  metrics: next.metrics,"]),
    "};",
  ];
}

function resultName(name: string, role: ResultRole | undefined): string {
  if (role?.kind === "choice") return role.emission;
  return role?.kind === "value" || role?.kind === "metric" ? role.name : name;
}

function outputMember({ axes, dtype }: TensorResult, name: string): Member {
  return {
    name,
    type: tensorType(axes.length),
    optional: false,
    doc: `${TF_DTYPE[dtype]} [${axes.map((axis) => axis.size.text).join(", ")}].`,
  };
}

function returned(name: string, { value, axes }: TensorResult): string {
  return `${property(name)}: ${printExpression(value, 6)} as ${tensorType(axes.length)},`;
}

function argument(
  name: string,
  type: string,
  members: readonly Member[],
): readonly { readonly name: string; readonly type: string; readonly initializer?: string }[] {
  if (members.length === 0) return [];
  return [members.every((member) => member.optional) ? { name, type, initializer: "{}" } : { name, type }];
}

function addMembers(file: SourceFile, name: string, doc: string, members: readonly Member[]): void {
  if (members.length === 0 && !name.endsWith("Slots")) return;
  const fields = members.map(
    (member) => `/** ${member.doc} */\nreadonly ${property(member.name)}${member.optional ? "?" : ""}: ${member.type};`,
  );
  file.addTypeAlias({ name, isExported: true, docs: [{ description: `${doc}` }], type: `{\n${fields.join("\n")}\n}` });
}

function collectSupport(context: FunctionContext, opening: Opening, tensors: TensorProgram): void {
  for (const name of [...opening.support, ...supportCalls(tensors)]) context.support.add(name);
}
