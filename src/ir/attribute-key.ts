import type { Attribute, Attributes, AxisRange, Graph } from "./graph.ts";
import type { Axis } from "./type.ts";

/** How calls are written in keys: what an op's inputs and attributes may change without changing the meaning. */
export interface KeyRules {
  /** The key of a call inside a body. */
  readonly call: (op: string, inputs: readonly string[], attributes: Attributes) => string;
  /** Attributes whose order means nothing. */
  readonly sets: ReadonlySet<string>;
}

/** A text that equal attributes share: sizes by their canonical text, axes by id and size, bodies by what they compute. */
export function attributeKey(attributes: Attributes, rules: KeyRules = EXACT): string {
  let text = "";
  for (const name of sortedKeys(attributes)) {
    const value = attributes[name];
    const plain = rules.sets.has(name) && isTexts(value) ? [...value].sort() : value;
    text += `${name}=${attributeText(plain, rules)};`;
  }
  return text;
}

const EXACT: KeyRules = {
  call: (op, inputs, attributes) => `${op}(${inputs.join(",")})${attributeKey(attributes)}`,
  sets: new Set(),
};

function sortedKeys(attributes: Attributes): readonly string[] {
  const names = Object.keys(attributes);
  return names.length > 1 ? names.sort() : names;
}

function isTexts(value: Attribute): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function attributeText(value: Attribute, rules: KeyRules): string {
  if (typeof value === "string") return /^[\w.~']*$/.test(value) ? value : JSON.stringify(value);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value !== "object") return String(value);
  if (isList(value)) return `[${value.map(itemText).join(",")}]`;
  if ("nodes" in value) return graphText(value, rules);
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
function graphText(graph: Graph, rules: KeyRules): string {
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
    return rules.call(node.op.name, inputs, node.attributes);
  });
  return `{${lines.join(" ")} -> ${graph.results.map((result) => number(result.id)).join(",")}}`;
}
