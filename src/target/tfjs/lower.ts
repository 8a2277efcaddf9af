import { type Graph, isNode, type Node } from "../../ir/graph.ts";
import { sizeNames } from "../../ir/size.ts";
import type { Axis } from "../../ir/type.ts";
import { scan } from "../../op/region.ts";
import { extent, random } from "../../op/source.ts";
import { lowerScalar } from "./elementwise.ts";
import { createLabels, type Labels } from "./labels.ts";
import { materialized, transposed } from "./layout.ts";
import { MOVE_RULES } from "./move.ts";
import { createNames, identifier } from "./names.ts";
import { nested } from "./nest.ts";
import { type TensorParam, type TensorProgram, type TensorResult, variable } from "./program.ts";
import { REDUCE_RULES } from "./reduce.ts";
import { withReleases } from "./release.ts";
import { createMarks, withNames } from "./rename.ts";
import type { Rule, RuleCall } from "./rule.ts";
import { ownValue, scanRule } from "./scan.ts";
import { createWriter, type Label, type Lowered, type Writer } from "./scope.ts";
import { laidOut } from "./sizes.ts";
import { SOURCE_RULES } from "./source.ts";
import { sizeNamesOf } from "./statements.ts";
import { WINDOW_RULES } from "./window.ts";

/**
 * A scheduled graph as a program of tfjs-core calls. Sizes in `known` become numbers; the others stay names that are bound when
 * the program runs. Neither time nor the program's length depend on them.
 */
export function lowerToTfjs(
  graph: Graph,
  known: ReadonlyMap<string, number>,
  options: LoweringOptions = {},
): TensorProgram {
  const marks = createMarks();
  const writer = createWriter(marks);
  const ranks = scannedAxes(graph);
  const hosts = seedParams(graph);
  const axesOf = (axes: readonly Axis[]): readonly Axis[] =>
    axes.map((axis) => ({ id: axis.id, size: laidOut(axis.size, known) }));
  const params = graph.params.map(
    ({ id, type }): TensorParam => ({
      id,
      name: marks.fresh(id),
      dtype: type.dtype,
      axes: axesOf(type.axes),
      host: hosts.has(id),
    }),
  );
  const values = new Map(params.map((param) => [param.id, openParam(writer, param, ranks)]));
  const read = lowerGraph(writer, known, createLabels(graph))(graph, values);
  const taking = new Set<string>();
  const types = new Map(
    [...graph.params, ...graph.nodes.flatMap((node) => node.outputs)].map((value) => [value.id, value.type]),
  );
  const results = graph.results.map(({ name, id }): TensorResult => {
    const type = types.get(id);
    const value = read(id);
    const axes = inLayout(axesOf(type?.axes ?? []), options.layouts?.get(name));
    const dtype = type?.dtype ?? value.dtype;
    const whole = materialized(writer, value.kind === "number" ? { ...value, dtype } : value, axes);
    return { name, value: ownValue(writer, whole, taking), dtype, axes };
  });
  const names = createNames([...(options.taken ?? []), ...[...unboundNames(graph, known)].map(identifier)]);
  const marked = withReleases(nested({ name: graph.name, params, sizes: [], statements: writer.finish(), results }));
  const program = withNames(marked, names);
  return { ...program, sizes: sizeNamesOf(program) };
}

export interface LoweringOptions {
  /** Names that variables must not have. */
  readonly taken?: Iterable<string>;
  /** The order of a result's axes, by its name; where nothing is said, its type's. */
  readonly layouts?: ReadonlyMap<string, readonly string[]>;
}

/** The axes in the order of a layout; those that it does not name come last. */
function inLayout(axes: readonly Axis[], layout: readonly string[] | undefined): readonly Axis[] {
  if (layout === undefined) return axes;
  const place = (axis: Axis): number => (layout.includes(axis.id) ? layout.indexOf(axis.id) : layout.length);
  return [...axes].sort((a, b) => place(a) - place(b));
}

/** A walker over the nodes of graphs and of the bodies in them. */
function lowerGraph(
  writer: Writer,
  known: ReadonlyMap<string, number>,
  labels: Labels,
): (graph: Graph, params: ReadonlyMap<string, Lowered>) => (id: string) => Lowered {
  const rules = new Map<string, Rule>();
  const lower = (graph: Graph, params: ReadonlyMap<string, Lowered>): ((id: string) => Lowered) => {
    const values = new Map(params);
    const types = new Map(
      [...graph.params, ...graph.nodes.flatMap((node) => node.outputs)].map((value) => [value.id, value.type]),
    );
    const read = (id: string): Lowered => {
      const value = values.get(id);
      if (value === undefined)
        throw new Error(`internal: graph ${graph.name} is not scheduled: %${id} is needed before it is computed`);
      return value;
    };
    for (const node of graph.nodes) {
      writer.origin(labels.originOf(node));
      const inputs = node.inputs.map(read);
      const inputTypes = node.inputs.map((id) => types.get(id) ?? { dtype: "float" as const, axes: [] });
      const call = ruleCall(writer, known, node, inputs, inputTypes, labels.labelOf(node));
      const outputs = lowerNode(node, call, rules);
      for (const [at, output] of node.outputs.entries()) values.set(output.id, outputs[at] ?? unlowered(node));
    }
    return read;
  };
  for (const rule of [...SOURCE_RULES, ...MOVE_RULES, ...WINDOW_RULES, ...REDUCE_RULES, scanRule(lower, labels)])
    rules.set(rule.op, rule);
  return lower;
}

function lowerNode(
  node: Node,
  call: Omit<RuleCall, "attributes">,
  rules: ReadonlyMap<string, Rule>,
): readonly Lowered[] {
  const dtype = node.outputs[0]?.type.dtype ?? "float";
  if (node.op.scalar !== undefined) return [lowerScalar(call.writer, node.op.scalar, call.inputs, dtype, call.label)];
  return (rules.get(node.op.name) ?? unlowered(node)).lower(node, call);
}

function ruleCall(
  writer: Writer,
  known: ReadonlyMap<string, number>,
  node: Node,
  inputs: RuleCall["inputs"],
  inputTypes: RuleCall["inputTypes"],
  label: Label | undefined,
): Omit<RuleCall, "attributes"> {
  const axis = (own: Axis): Axis => ({ id: own.id, size: laidOut(own.size, known) });
  return {
    writer,
    inputs,
    inputTypes,
    outputs: node.outputs,
    label,
    input: (index) => inputs[index] ?? unlowered(node),
    size: (size) => laidOut(size, known),
    axis,
    axes: (axes) => axes.map(axis),
  };
}

/** Axes that loops run over, outer loops first: values that are theirs are laid out so. */
function scannedAxes(graph: Graph): readonly string[] {
  const found = new Set<string>();
  const walk = (inner: Graph): void => {
    for (const node of inner.nodes) {
      if (!isNode(node, scan)) continue;
      found.add(node.attributes.axis.id);
      walk(node.attributes.body);
    }
  };
  walk(graph);
  return [...found];
}

function openParam(writer: Writer, param: TensorParam, ranks: readonly string[]): Lowered {
  if (param.host) return { kind: "number", value: variable(param.name), dtype: param.dtype };
  const rank = (axis: Axis): number => (ranks.includes(axis.id) ? ranks.indexOf(axis.id) : ranks.length);
  const order = [...param.axes].sort((a, b) => rank(a) - rank(b));
  return transposed(writer, { kind: "tensor", name: param.name, axes: param.axes, dtype: param.dtype }, order);
}

/** Params that some `random` takes as its seed. */
function seedParams(graph: Graph): ReadonlySet<string> {
  const seeds = new Set<string>();
  for (const node of graph.nodes) {
    if (isNode(node, random)) for (const id of node.inputs) seeds.add(id);
    if (!isNode(node, scan)) continue;
    const inner = seedParams(node.attributes.body);
    node.attributes.body.params.slice(0, node.attributes.consts).forEach((param, at) => {
      if (inner.has(param.id)) seeds.add(node.inputs[at] ?? "");
    });
  }
  return seeds;
}

/** All names that a graph's sizes are made of, bodies included. */
function unboundNames(graph: Graph, known: ReadonlyMap<string, number>): ReadonlySet<string> {
  const axes = [...graph.params, ...graph.nodes.flatMap((node) => node.outputs)].flatMap((value) => value.type.axes);
  const names = new Set(axes.flatMap((axis) => [...sizeNames(axis.size)]));
  for (const node of graph.nodes) {
    if (isNode(node, extent)) for (const name of sizeNames(node.attributes.size)) names.add(name);
    if (isNode(node, scan)) for (const name of unboundNames(node.attributes.body, known)) names.add(name);
  }
  return new Set([...names].filter((name) => !known.has(name)));
}

function unlowered(node: Node): never {
  throw new Error(`internal: the tfjs target does not know how to lower ${node.op.name}`);
}
