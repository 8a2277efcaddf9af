import { StructureKind } from "ts-morph";
import type { Program, ResultRole } from "../../build/program.ts";
import type { TensorResult } from "../../target/tfjs/program.ts";
import { access, fixedShape, hasUnits, property, shapeText, tensorType, weightOf } from "./layout.ts";
import type { Declarations } from "./members.ts";
import { addMembers, type Member, outputMember, returned } from "./members.ts";
import { printNumber } from "./print-expression.ts";
import type { ModuleNames } from "./weights.ts";

/** The state that goes from one training step to the next: its types, its beginning, and how a step closes. */

interface NamedResult {
  readonly name: string;
  readonly result: TensorResult;
  /** The declared shape, where it has axes of size 1 that the program does not know. */
  readonly shape?: readonly number[];
}

/** What a training step gives, by what it is for. */
export interface ResultGroups {
  readonly weights: readonly NamedResult[];
  readonly slots: readonly NamedResult[];
  readonly carry: readonly NamedResult[];
  readonly loss: TensorResult | undefined;
  readonly metrics: readonly NamedResult[];
}

/** Sorts the results of a training step. */
export function groupResults(program: Program, results: readonly TensorResult[]): ResultGroups {
  const of = (kind: ResultRole["kind"], nameOf: (role: ResultRole) => string): readonly NamedResult[] =>
    results.flatMap((result) => {
      const role = program.results.get(result.name);
      if (role?.kind !== kind) return [];
      const spec = role.kind === "weight" ? weightOf(program, role.name) : undefined;
      const isSqueezed = spec !== undefined && hasUnits(spec.shape, program.sizes);
      return [{ name: nameOf(role), result, ...(isSqueezed && { shape: fixedShape(spec, program.sizes) }) }];
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

/** The types of the state, of its parts and of what a step gives. */
export function addStateTypes(file: Declarations, type: string, names: ModuleNames, groups: ResultGroups): void {
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
    ...(groups.slots.length > 0
      ? [{ name: "slots", type: `${type}Slots`, optional: false, doc: "What the optimizer keeps." }]
      : []),
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

/** `start`: the state before the first step. */
export function addStart(file: Declarations, type: string, suffix: string, names: ModuleNames, program: Program): void {
  const slots = program.graph.params.flatMap((param) => {
    const role = program.params.get(param.id);
    if (role?.kind !== "slot") return [];
    const { axes } = param.type;
    const shape = shapeText(
      axes.map((axis) => axis.size),
      program.sizes,
    );
    const value = role.start === 0 ? `tf.zeros(${shape})` : `tf.fill(${shape}, ${printNumber(role.start)})`;
    return [`  ${property(`${role.weight}.${role.name}`)}: ${value} as ${tensorType(axes.length)},`];
  });
  file.push({
    kind: StructureKind.Function,
    name: `start${suffix}`,
    isExported: true,
    parameters: [{ name: "weights", type: names.weights }],
    returnType: `${type}State`,
    docs: [{ description: "Begins a training with these weights, which belong to it from now on." }],
    statements:
      slots.length === 0
        ? ["return { weights, step: 0 };"]
        : [`const slots: ${type}Slots = {`, ...slots, "};", "return { weights, slots, step: 0 };"],
  });
}

/** The fields of the object that a step's computation ends with. */
export function groupLines(groups: ResultGroups): readonly string[] {
  const group = (name: string, entries: readonly NamedResult[]): readonly string[] =>
    entries.length === 0
      ? []
      : [`    ${name}: {`, ...entries.map((entry) => returned(6, entry.name, entry.result, entry.shape)), "    },"];
  return [
    ...group("weights", groups.weights),
    ...group("slots", groups.slots),
    ...group("carry", groups.carry),
    ...(groups.loss === undefined ? [] : [returned(4, "loss", groups.loss)]),
    ...group("metrics", groups.metrics),
  ];
}

/** Frees what the step replaced and puts the next state together. */
export function closingLines(groups: ResultGroups): readonly string[] {
  const replaced = groups.weights.map(({ name }) => access("state.weights", name));
  const carry = groups.carry.length > 0 ? ["if (state.carry !== undefined) tf.dispose(state.carry);"] : [];
  const slots = groups.slots.length > 0 ? ["tf.dispose(state.slots);"] : [];
  const weights = groups.weights.length > 0 ? "{ ...state.weights, ...next.weights }" : "state.weights";
  const fields = [
    `    weights: ${weights},`,
    ...(groups.slots.length > 0 ? ["    slots: next.slots,"] : []),
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
