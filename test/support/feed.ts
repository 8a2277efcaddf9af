import type { ParamRole, Program } from "../../src/build/program.ts";
import type { Value } from "../../src/ir/graph.ts";
import { bindSizes } from "../../src/ir/interpret.ts";
import { evaluateSize, isUnit, type Size, type SizeBinding } from "../../src/ir/size.ts";
import { layOut } from "../../src/ir/strided.ts";
import { elementCount, shapeOf, type Tensor } from "../../src/ir/tensor.ts";
import type { Chance } from "./chance.ts";
import { createChance } from "./chance.ts";
import type { Results } from "./execute.ts";

/** Numbers in row-major order; the shape is as the model declares it, the batch in front of inputs, units left out or not. */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** What a program is run with. */
export interface Feed {
  readonly inputs: ReadonlyMap<string, Tensor>;
  readonly sizes: SizeBinding;
}

export interface FeedOptions {
  /** Sizes that no array shows: `B` of a model without inputs, `T` of a generation. */
  readonly sizes?: Readonly<Record<string, number>>;
  readonly seed?: number;
  /** As opposed to evaluation; true where not said. */
  readonly training?: boolean;
  readonly step?: number;
  readonly steps?: number;
  readonly stepsPerEpoch?: number;
  /** Of a chunk: whether its sequences start here; true where not said. */
  readonly fresh?: boolean;
}

/**
 * Lays named arrays out as the params of a program: weights and inputs by name, `T.length` for the lengths of a `time`
 * (the longest where it is not given), `prompt.x` and `prompt.x.length` (nothing where not given). Optimizer states and
 * carried states start as they do; everything else comes from the options. Throws where a weight or input is missing.
 */
export function feed(program: Program, arrays: Readonly<Record<string, NamedArray>>, options: FeedOptions = {}): Feed {
  const given = new Map<string, Tensor>();
  for (const param of program.graph.params) {
    const array = arrays[nameOf(roleOf(program, param))];
    if (array !== undefined) given.set(param.id, tensorOf(program, param, array));
  }
  const known = new Map([...program.sizes, ...Object.entries(options.sizes ?? {})]);
  const sizes = bindSizes(program.graph.params, given, known);
  const inputs = new Map(given);
  for (const param of program.graph.params) {
    if (inputs.has(param.id)) continue;
    const value = startOf(roleOf(program, param), sizes, options);
    if (value === undefined) throw new Error(`nothing is given for %${param.id} of ${program.name}`);
    inputs.set(param.id, filled(param, sizes, value));
  }
  return { inputs, sizes };
}

export function roleOf(program: Program, param: Value): ParamRole {
  const role = program.params.get(param.id);
  if (role === undefined) throw new Error(`%${param.id} of ${program.name} has no role`);
  return role;
}

function nameOf(role: ParamRole): string {
  switch (role.kind) {
    case "weight":
    case "input":
    case "carry":
      return role.name;
    case "length":
      return `${role.time}.length`;
    case "present":
      return `${role.emission}.present`;
    case "slot":
      return `${role.weight}.${role.name}`;
    case "prompt":
      return `prompt.${role.emission}`;
    case "prompt_length":
      return `prompt.${role.emission}.length`;
    default:
      return "";
  }
}

/** The value of a param that is no array of the caller's; undefined where it must be given. */
function startOf(role: ParamRole, sizes: SizeBinding, options: FeedOptions): number | undefined {
  switch (role.kind) {
    case "weight":
    case "input":
      return undefined;
    case "length":
      return sizes.get(role.time);
    case "slot":
      return role.start;
    case "carry":
    case "prompt":
    case "prompt_length":
      return 0;
    case "option":
      return role.value;
    case "present":
      return 1;
    case "fresh":
      return options.fresh === false ? 0 : 1;
    case "seed":
      return options.seed ?? 7;
    case "training":
      return options.training === false ? 0 : 1;
    case "step":
      return options.step ?? 0;
    case "steps":
      return options.steps ?? 100;
    case "steps_per_epoch":
      return options.stepsPerEpoch ?? 10;
    default:
      return role satisfies never;
  }
}

function filled({ type }: Value, sizes: SizeBinding, value: number): Tensor {
  const shape = shapeOf(type.axes, sizes);
  const data = new Float64Array(elementCount(shape)).fill(value);
  return { dtype: type.dtype, axes: type.axes.map((axis) => axis.id), shape, data };
}

/** Axes of size 1 are not axes of the graph. */
function tensorOf(program: Program, param: Value, array: NamedArray): Tensor {
  const { axes, dtype } = param.type;
  const declared = declaredShape(program, roleOf(program, param));
  const shape =
    array.shape.length === axes.length
      ? array.shape
      : array.shape.filter((_, place) => declared?.[place] === undefined || !isUnit(declared[place]));
  if (shape.length !== axes.length || array.data.length !== elementCount(shape)) {
    const wanted = axes.map((axis) => axis.size.text).join(", ");
    throw new Error(
      `%${param.id} is [${wanted}], given was [${array.shape.join(", ")}] with ${array.data.length} numbers`,
    );
  }
  return { dtype, axes: axes.map((axis) => axis.id), shape, data: Float64Array.from(array.data) };
}

/** As declared, the batch in front as undefined. */
function declaredShape(program: Program, role: ParamRole): readonly (Size | undefined)[] | undefined {
  const input = (name: string): readonly (Size | undefined)[] => [
    undefined,
    ...(program.inputs.find((spec) => spec.name === name)?.shape ?? []),
  ];
  if (role.kind === "weight") return program.weights.find((spec) => spec.name === role.name)?.shape;
  if (role.kind === "input") return input(role.name);
  return role.kind === "prompt" ? input(role.emission) : undefined;
}

export interface RandomOptions extends FeedOptions {
  /** Of each `time`: the lengths of the examples. Without it they fall by one from the longest. */
  readonly lengths?: Readonly<Record<string, readonly number[]>>;
  /** Weights lie between minus and plus this. */
  readonly spread?: number;
  /** Inputs by name that are not uniform in (0, 1). */
  readonly draw?: Readonly<Record<string, (chance: Chance, place: number) => number>>;
}

/** Random weights and inputs for sizes that are all known, as arrays; lengths too where the program has them. */
export function randomArrays(
  program: Program,
  given: Readonly<Record<string, number>>,
  options: RandomOptions = {},
): Record<string, NamedArray> {
  const sizes = new Map([...program.sizes, ...Object.entries(given)]);
  const arrays: Record<string, NamedArray> = {};
  for (const param of program.graph.params) {
    const role = roleOf(program, param);
    const draw = drawer(program, role, sizes, options);
    if (draw === undefined) continue;
    const shape = shapeOf(param.type.axes, sizes);
    const chance = createChance(hash(param.id) + (options.seed ?? 0));
    const data = Float64Array.from({ length: elementCount(shape) }, (_, place) => draw(chance, place));
    arrays[nameOf(role)] = { shape, data };
  }
  return arrays;
}

/** Random weights and inputs laid out as the params of a program. */
export function randomFeed(
  program: Program,
  given: Readonly<Record<string, number>>,
  options: RandomOptions = {},
): Feed {
  return feed(program, randomArrays(program, given, options), { ...options, sizes: given });
}

function drawer(
  program: Program,
  role: ParamRole,
  sizes: SizeBinding,
  { lengths, draw, spread = 0.8 }: RandomOptions,
): ((chance: Chance, place: number) => number) | undefined {
  if (role.kind === "weight") {
    const moved = program.weights.some((spec) => spec.name === role.name && !spec.trained);
    // A running variance is no variance below 0.
    return moved ? (chance) => chance.between(0.2, 1.2) : (chance) => chance.between(-spread, spread);
  }
  if (role.kind === "length") {
    const longest = sizes.get(role.time) ?? 1;
    return (_, place) => lengths?.[role.time]?.[place] ?? Math.max(1, longest - place);
  }
  if (role.kind !== "input") return undefined;
  const spec = program.inputs.find((input) => input.name === role.name);
  const own = draw?.[role.name];
  if (own !== undefined) return own;
  if (spec?.vocabulary !== undefined) {
    const count = evaluateSize(spec.vocabulary, sizes) ?? 1;
    return (chance) => chance.below(count);
  }
  return spec?.dtype === "bool" ? (chance) => chance.below(2) : (chance) => chance.between(0.05, 0.95);
}

/** So that a param's numbers do not depend on the others. */
function hash(text: string): number {
  return [...text].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) | 0, 17);
}

/** What the next step is run with: new weights, optimizer states and carried states take the place of the old ones. */
export function advanced(program: Program, before: Feed, results: Results): Feed {
  const inputs = new Map(before.inputs);
  for (const param of program.graph.params) {
    const role = roleOf(program, param);
    const name = role.kind === "weight" ? `weight.${role.name}` : param.id;
    const next = results.get(name);
    if (next === undefined) continue;
    const axes = param.type.axes.map((axis) => axis.id);
    inputs.set(param.id, layOut(next, axes, shapeOf(param.type.axes, before.sizes)));
  }
  return { ...before, inputs };
}
