import type { Attribute, Attributes, AxisRange, Graph, Node } from "../ir/graph.ts";
import type { Axis } from "../ir/type.ts";

/** A text that equal computations share: op, inputs (in any order where that is the same), attributes. Bodies have none. */
export function nodeKey(node: Node): string {
  return callKey(node.op.name, node.inputs, node.attributes);
}

export function callKey(op: string, inputs: readonly string[], attributes: Attributes): string {
  const ordered = COMMUTATIVE.has(op) && inputs.length === 2 && inputs[0]! > inputs[1]! ? inputs.toReversed() : inputs;
  return `${op}(${ordered.join(",")})${attributesText(attributes)}`;
}

/** Ops of two operands that can change places. */
const COMMUTATIVE: ReadonlySet<string> = new Set([
  "add",
  "mul",
  "maximum",
  "minimum",
  "eq",
  "ne",
  "and",
  "or",
  "contract",
]);

/** Attributes whose order means nothing. */
const SETS: ReadonlySet<string> = new Set(["over", "sum"]);

function attributesText(attributes: Attributes): string {
  let text = "";
  for (const name of Object.keys(attributes).sort()) {
    const value = attributes[name];
    const plain = SETS.has(name) && isTexts(value) ? [...value].sort() : value;
    text += `${name}=${attributeText(plain)};`;
  }
  return text;
}

function isTexts(value: Attribute): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function attributeText(value: Attribute): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value !== "object") return String(value);
  if (isList(value)) return `[${value.map(itemText).join(",")}]`;
  if ("nodes" in value) return graphText(value);
  return "kind" in value ? `<${value.text}>` : axisText(value);
}

function isList(value: object): value is readonly (string | Axis | AxisRange)[] {
  return Array.isArray(value);
}

function itemText(item: string | Axis | AxisRange): string {
  if (typeof item === "string") return item;
  return "id" in item ? axisText(item) : `${item.axis}:${item.low}:${item.high}`;
}

function axisText(axis: Axis): string {
  return `${axis.id}<${axis.size.text}>`;
}

/** A body with its values numbered, so that names do not matter. */
function graphText(graph: Graph): string {
  const numbers = new Map<string, string>();
  const number = (id: string): string => {
    const known = numbers.get(id);
    if (known !== undefined) return known;
    numbers.set(id, `#${numbers.size}`);
    return `#${numbers.size - 1}`;
  };
  for (const param of graph.params) number(param.id);
  const lines = graph.nodes.map((node) => {
    const inputs = node.inputs.map(number);
    for (const output of node.outputs) number(output.id);
    return callKey(node.op.name, inputs, node.attributes);
  });
  return `{${lines.join(" ")} -> ${graph.results.map((result) => number(result.id)).join(",")}}`;
}
