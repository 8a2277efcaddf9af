import type { InputSpec, ParamRole, Program } from "../../build/program.ts";
import { identifier } from "../../target/tfjs/names.ts";
import { type TensorParam, type TensorProgram, TF_DTYPE, variablesOf } from "../../target/tfjs/program.ts";
import { allExpressions } from "../../target/tfjs/statements.ts";
import { inLine } from "../comment.ts";
import {
  access,
  arrayNote,
  hasUnits,
  inputOf,
  inputRank,
  optionalAccess,
  property,
  shapeText,
  tensorType,
  weightOf,
} from "./layout.ts";
import type { Member } from "./members.ts";

/** How an emitted function gets the values of a program's params and sizes from its own arguments. */
export interface Opening {
  /** Statements that define sizes and params. */
  readonly lines: readonly string[];
  /** Fields of the argument with arrays, and of the one with options, as members of type literals. */
  readonly inputs: readonly Member[];
  readonly options: readonly Member[];
  /** Names of the support functions that the lines call. */
  readonly support: readonly string[];
}

/** Where an emitted function finds what is no input. */
export interface Sources {
  /** Expressions of the objects. */
  readonly weights: string;
  readonly inputs: string;
  readonly options: string;
  readonly slots: string;
  readonly carry: string;
  readonly step: string;
  /** The seed where the caller gives none. */
  readonly seed: string;
  /** What `training` is where the caller cannot say it, or undefined where it can. */
  readonly training: boolean | undefined;
}

export function openParams(program: Program, tensors: TensorProgram, sources: Sources): Opening {
  const used = usedNames(tensors);
  const opened: MutableOpening = { sizes: [], lines: [], inputs: new Map(), options: new Map(), support: new Set() };
  const context: Context = { program, tensors, sources, opened };
  const wanted = tensors.params.filter((param) => used.has(param.name));
  for (const name of sizesNeeded(tensors, wanted, program))
    opened.sizes.push(`const ${identifier(name)} = ${sizeSource(context, name)};`);
  for (const param of wanted) {
    const role = program.params.get(param.id);
    if (role === undefined) throw new Error(`internal: the param %${param.id} of ${program.name} has no role`);
    opened.lines.push(`const ${param.name} = ${paramSource(context, param, role)};`);
  }
  return {
    lines: [...opened.sizes, ...opened.lines],
    inputs: [...opened.inputs.values()],
    options: [...opened.options.values()],
    support: [...opened.support],
  };
}

interface MutableOpening {
  readonly sizes: string[];
  readonly lines: string[];
  readonly inputs: Map<string, Member>;
  readonly options: Map<string, Member>;
  readonly support: Set<string>;
}

interface Context {
  readonly program: Program;
  readonly tensors: TensorProgram;
  readonly sources: Sources;
  readonly opened: MutableOpening;
}

function usedNames(tensors: TensorProgram): ReadonlySet<string> {
  const results = tensors.results.map((result) => result.value);
  return new Set([...tensors.statements.flatMap(allExpressions), ...results].flatMap(variablesOf));
}

/** The sizes of the code itself, and those that make lengths and first states. */
function sizesNeeded(tensors: TensorProgram, params: readonly TensorParam[], program: Program): readonly string[] {
  const names = new Set(tensors.sizes);
  for (const param of params) {
    const role = program.params.get(param.id);
    if (role?.kind === "length") names.add("B").add(role.time);
    if (role?.kind === "prompt_length") names.add("B");
    if (role?.kind === "carry")
      for (const axis of param.axes) if (/^[A-Za-z_]\w*$/.test(axis.size.text)) names.add(axis.size.text);
  }
  return [...names].sort();
}

/** A dimension of an array that is given; else an option. */
function sizeSource(context: Context, name: string): string {
  const { program, sources, opened } = context;
  const prompts = [...program.params.values()].flatMap((role) =>
    role.kind === "prompt" ? [inputOf(program, role.emission)] : [],
  );
  const given = [...program.params.values()].flatMap((role) =>
    role.kind === "input" ? [inputOf(program, role.name)] : [],
  );
  const spec = given.find((input) => dimensionOf(input, name) !== undefined);
  if (spec !== undefined) return `${inputMember(context, spec, false)}.shape[${dimensionOf(spec, name)}]`;
  const prompt = prompts.find((input) => dimensionOf(input, name) !== undefined);
  if (prompt === undefined) {
    opened.options.set(name, { name, type: "number", optional: false, doc: `The size ${name}.` });
    return access(sources.options, name);
  }
  const array = inputMember(context, prompt, !promptIsNeeded(program));
  const at = dimensionOf(prompt, name) ?? 0;
  if (at === 0) return `${array}.shape[0]`;
  const isNeeded = promptIsNeeded(program);
  opened.options.set("max", {
    name: "max",
    type: "number",
    optional: isNeeded,
    doc: "How many positions there are in all, the prompt's included.",
  });
  return isNeeded ? `${sources.options}.max ?? ${array}.shape[${at}]` : `${sources.options}.max`;
}

/** Without any other array, the prompt says how large the batch is. */
function promptIsNeeded(program: Program): boolean {
  return ![...program.params.values()].some((role) => role.kind === "input");
}

function dimensionOf(input: InputSpec, name: string): number | undefined {
  if (name === "B") return 0;
  const at = input.shape.findIndex((size) => size.text === name);
  return at < 0 ? undefined : at + 1;
}

/** Declares an array of the inputs and gives the expression for it. */
function inputMember({ program, sources, opened }: Context, spec: InputSpec, optional: boolean): string {
  const shape = [...spec.shape.map((size) => size.text)];
  const note = `${arrayNote(spec.dtype, spec.shape).split(" ")[0]} [${["B", ...shape].join(", ")}]`;
  const below = spec.vocabulary === undefined ? "" : `, below ${sizeNote(program, spec.vocabulary.text)}`;
  const doc = [
    spec.doc && inLine(spec.doc),
    `${note}${below}${spec.emitted && optional ? "; the beginning that is given" : ""}.`,
  ]
    .filter((part) => part !== undefined)
    .join(" ");
  opened.inputs.set(spec.name, { name: spec.name, type: tensorType(inputRank(spec)), optional, doc });
  return access(sources.inputs, spec.name);
}

function sizeNote(program: Program, text: string): string {
  const value = program.sizes.get(text);
  return value === undefined ? text : `${text} = ${value}`;
}

function paramSource(context: Context, param: TensorParam, role: ParamRole): string {
  const { program, sources, opened } = context;
  const scalar = (value: string): string => `tf.scalar(${value}, "${TF_DTYPE[param.dtype]}")`;
  const option = (name: string, type: string, doc: string, fallback: string | undefined): string => {
    opened.options.set(name, { name, type, optional: fallback !== undefined, doc });
    const own = access(sources.options, name);
    return fallback === undefined ? own : `${own} ?? ${fallback}`;
  };
  switch (role.kind) {
    case "weight": {
      const spec = weightOf(program, role.name);
      return withoutUnits(access(sources.weights, role.name), hasUnits(spec.shape, program.sizes), param, program);
    }
    case "input": {
      const spec = inputOf(program, role.name);
      return withoutUnits(inputMember(context, spec, false), hasUnits(spec.shape, program.sizes), param, program);
    }
    case "length":
      return lengthSource(
        context,
        "lengths",
        role.time,
        identifier(role.time),
        `How many positions of ${role.time} count in each example, int32 [B]; all where left out.`,
      );
    case "present":
      throw new Error("internal: emitted code takes every label");
    case "slot":
      return access(sources.slots, `${role.weight}.${role.name}`);
    case "carry":
      return `${optionalAccess(sources.carry, role.name)} ?? tf.zeros(${shapeText(
        param.axes.map((axis) => axis.size),
        program.sizes,
      )}, "${TF_DTYPE[param.dtype]}")`;
    case "fresh":
      return scalar(
        `${option("fresh", "boolean", "Whether this chunk begins new sequences; the first does.", `${sources.carry} === undefined`)}`,
      );
    case "seed": {
      const value = option("seed", "number", "What random numbers depend on.", sources.seed);
      return param.host ? value : scalar(value);
    }
    case "training":
      return scalar(
        sources.training === undefined
          ? option("training", "boolean", "Whether this is training, as opposed to evaluation.", "false")
          : String(sources.training),
      );
    case "step":
      return scalar(sources.step);
    case "steps":
      return scalar(option("steps", "number", "Training steps in all.", undefined));
    case "steps_per_epoch":
      return scalar(option("stepsPerEpoch", "number", "Training steps in one epoch.", undefined));
    case "option":
      return scalar(
        option(role.name, "number", `How samples are drawn: ${role.value} where left out.`, String(role.value)),
      );
    case "prompt":
      return promptSource(context, param, inputOf(program, role.emission));
    case "prompt_length": {
      const spec = inputOf(program, role.emission);
      const array = access(sources.inputs, role.emission);
      const all = promptIsNeeded(program) ? `${array}.shape[1]` : `${array}?.shape[1] ?? 0`;
      return lengthSource(
        context,
        "promptLengths",
        spec.name,
        all,
        `How many positions of ${spec.name} are given in each example, int32 [B]; all where left out.`,
      );
    }
    default:
      return role satisfies never;
  }
}

/** `inputs.lengths?.T ?? tf.fill([B], T, "int32")`. */
function lengthSource({ sources, opened }: Context, group: string, name: string, all: string, doc: string): string {
  const before = opened.inputs.get(group);
  const field = `    /** ${doc} */\n    readonly ${property(name)}?: tf.Tensor1D;\n  }`;
  const type = before === undefined ? `{\n${field}` : before.type.replace(/ {2}}$/, field);
  opened.inputs.set(group, {
    name: group,
    type,
    optional: true,
    doc: group === "lengths" ? "Lengths of sequences." : "Lengths of what is given.",
  });
  return `${optionalAccess(`${sources.inputs}.${group}`, name)} ?? tf.fill([B], ${all}, "int32")`;
}

/** The given beginning, made as long as the whole. */
function promptSource(context: Context, param: TensorParam, spec: InputSpec): string {
  const optional = !promptIsNeeded(context.program);
  const array = inputMember(context, spec, optional);
  context.opened.support.add("extended");
  const rest = param.axes.slice(2).map((axis) => shapeText([axis.size], context.program.sizes).slice(1, -1));
  const none = `tf.zeros([${["B", "0", ...rest].join(", ")}], "${TF_DTYPE[param.dtype]}")`;
  const given = optional ? `${array} ?? ${none}` : array;
  const plain = hasUnits(spec.shape, context.program.sizes)
    ? `tf.reshape(${given}, [${["B", "-1", ...rest].join(", ")}])`
    : given;
  const length = param.axes[1];
  return `extended(${plain}, 1, ${length === undefined ? "1" : shapeText([length.size], context.program.sizes).slice(1, -1)})`;
}

/** The program's params lack declared axes of size 1. */
function withoutUnits(value: string, has: boolean, param: TensorParam, program: Program): string {
  return has
    ? `tf.reshape(${value}, ${shapeText(
        param.axes.map((axis) => axis.size),
        program.sizes,
      )})`
    : value;
}
