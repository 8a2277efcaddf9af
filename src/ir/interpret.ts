import type { Graph, Node, Value } from "./graph.ts";
import { evaluateSize, type Size, type SizeBinding } from "./size.ts";
import { layOut } from "./strided.ts";
import { shapeOf, type Tensor } from "./tensor.ts";

/**
 * The reference meaning of a scheduled graph, in float64.
 * `inputs` by param id, each with the param's axes in any order; the results by name, their axes in the order of their type.
 * Throws where an input is missing or does not fit, where a size is not bound, and where the graph has a cycle.
 */
export function interpret(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: SizeBinding,
): ReadonlyMap<string, Tensor> {
  const params = graph.params.map((param) => {
    const tensor = inputs.get(param.id);
    if (tensor === undefined) throw new Error(`graph ${graph.name}: no value is given for %${param.id}`);
    checkTensor(param, tensor, sizes);
    return tensor;
  });
  const results = graphRunner(graph, sizes)(params);
  const types = new Map([...graph.params, ...graph.nodes.flatMap((node) => node.outputs)].map((v) => [v.id, v.type]));
  return new Map(
    graph.results.map((result, index) => {
      const axes = types.get(result.id)?.axes ?? [];
      const tensor = results[index];
      if (tensor === undefined) throw new Error(`internal: graph ${graph.name} has no value %${result.id}`);
      return [
        result.name,
        layOut(
          tensor,
          axes.map((axis) => axis.id),
          shapeOf(axes, sizes),
        ),
      ];
    }),
  );
}

/**
 * A graph made ready to run many times, as a scan's body is: from values of its params, in order, to values of its results, in
 * order. Each value is dropped after its last use.
 */
export function graphRunner(graph: Graph, sizes: SizeBinding): (params: readonly Tensor[]) => readonly Tensor[] {
  const dying = lastUses(graph);
  return (params) => {
    const values = new Map<string, Tensor>();
    graph.params.forEach((param, index) => {
      const tensor = params[index];
      if (tensor !== undefined) values.set(param.id, tensor);
    });
    graph.nodes.forEach((node, index) => {
      const outputs = evaluateNode(graph, node, values, sizes);
      node.outputs.forEach((output, at) => {
        const tensor = outputs[at];
        if (tensor !== undefined) values.set(output.id, tensor);
      });
      for (const id of dying[index] ?? []) values.delete(id);
    });
    return graph.results.map((result) => needed(graph, values, result.id, `the result ${result.name}`));
  };
}

function evaluateNode(
  graph: Graph,
  node: Node,
  values: ReadonlyMap<string, Tensor>,
  sizes: SizeBinding,
): readonly Tensor[] {
  const call = `${node.outputs.map((output) => `%${output.id}`).join(", ")} = ${node.op.name}`;
  const inputs = node.inputs.map((id) => needed(graph, values, id, call));
  const types = node.outputs.map((output) => output.type);
  try {
    return node.op.evaluate(inputs, node.attributes, types, sizes);
  } catch (cause) {
    throw new Error(`in ${call} of graph ${graph.name}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

function needed(graph: Graph, values: ReadonlyMap<string, Tensor>, id: string, user: string): Tensor {
  const tensor = values.get(id);
  if (tensor === undefined) {
    throw new Error(`internal: graph ${graph.name} is not scheduled: ${user} needs %${id} before it is computed`);
  }
  return tensor;
}

/** For each node, the values that no later node and no result needs. */
function lastUses(graph: Graph): readonly (readonly string[])[] {
  const seen = new Set(graph.results.map((result) => result.id));
  const dying: string[][] = [];
  for (let index = graph.nodes.length - 1; index >= 0; index--) {
    const node = graph.nodes[index];
    const here: string[] = [];
    for (const id of [...(node?.outputs.map((output) => output.id) ?? []), ...(node?.inputs ?? [])]) {
      if (!seen.has(id)) here.push(id);
      seen.add(id);
    }
    dying[index] = here;
  }
  return dying;
}

function checkTensor(param: Value, tensor: Tensor, sizes: SizeBinding): void {
  const { dtype, axes } = param.type;
  const wanted = axes.map((axis) => axis.id).join(", ");
  const sameAxes = tensor.axes.length === axes.length && axes.every((axis) => tensor.axes.includes(axis.id));
  if (!sameAxes) throw new Error(`%${param.id} has the axes [${wanted}], its value [${tensor.axes.join(", ")}]`);
  if (tensor.dtype !== dtype) throw new Error(`%${param.id} is ${dtype}, its value ${tensor.dtype}`);
  const shape = shapeOf(axes, sizes);
  axes.forEach((axis, index) => {
    const given = tensor.shape[tensor.axes.indexOf(axis.id)];
    if (given !== shape[index]) {
      throw new Error(
        `%${param.id}: its axis ${axis.id} is ${axis.size.text} = ${shape[index]}, its value has ${given}`,
      );
    }
  });
}

/**
 * Reads the size names off the shapes of the inputs (by param id): `[B, 2*H]` of shape [3, 8] gives B = 3 and H = 4.
 * Names that only occur in sums or quotients stay unknown. Throws where two shapes disagree.
 */
export function bindSizes(
  params: readonly Value[],
  tensors: ReadonlyMap<string, Tensor>,
  known: SizeBinding = new Map(),
): SizeBinding {
  const facts = params.flatMap((param) => {
    const tensor = tensors.get(param.id);
    return param.type.axes.flatMap((axis) => {
      const value = tensor?.shape[tensor.axes.indexOf(axis.id)];
      return value === undefined ? [] : [{ param: param.id, axis: axis.id, size: axis.size, value }];
    });
  });
  const binding = new Map(known);
  for (let before = -1; before !== binding.size; ) {
    before = binding.size;
    for (const fact of facts) {
      const solved = solveSize(fact.size, fact.value, binding);
      if (solved !== undefined) binding.set(solved.name, solved.value);
    }
  }
  for (const fact of facts) {
    const value = evaluateSize(fact.size, binding);
    if (value !== undefined && value !== fact.value) {
      throw new Error(
        `axis ${fact.axis} of %${fact.param} is ${fact.size.text} = ${value}, but its value has ${fact.value} there`,
      );
    }
  }
  return binding;
}

/** The one unbound name of a product, from the product's value; undefined where the size is no such product. */
export function solveSize(
  size: Size,
  value: number,
  binding: SizeBinding,
): { readonly name: string; readonly value: number } | undefined {
  const [term, ...more] = size.terms;
  if (term === undefined || more.length > 0) return undefined;
  let rest = (value * term.denominator) / term.numerator;
  let name: string | undefined;
  for (const { atom, exponent } of term.factors) {
    if (atom.kind !== "name") return undefined;
    const bound = binding.get(atom.text);
    if (bound !== undefined) rest /= bound ** exponent;
    else if (name === undefined && exponent === 1) name = atom.text;
    else return undefined;
  }
  return name !== undefined && Number.isInteger(rest) ? { name, value: rest } : undefined;
}
