import type { Attribute, Attributes, AxisRange, Graph, Node, Value } from "./graph.ts";
import { isGraph } from "./rewrite.ts";
import type { Size } from "./size.ts";
import type { Axis, Type } from "./type.ts";

export interface PrintOptions {
  /** Ends each line with the equation of the user that the node belongs to, as a comment: `// l1.c`. */
  readonly origins?: boolean;
}

/**
 * The text form of a graph, which `readGraph` reads back:
 * ```
 * graph step(%U: float[H, K<H>], %h: float[B, K<H>]) {
 *   %u: float[B, H] = contract(%U, %h) over=["K"]
 *   return h = %u
 * }
 * ```
 * An axis is its id, followed by `<size>` where its size has another text. Attributes: "text", numbers (`inf`, `nan`), true, false, `<size>`,
 * `@axis`, `axis:low:high` (a range), lists, and a `graph`, which a region's body is.
 */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  return `${graphLines(graph, options).join("\n")}\n`;
}

function graphLines(graph: Graph, options: PrintOptions): readonly string[] {
  const results = graph.results.map((result) => `${word(result.name)} = %${result.id}`).join(", ");
  return [
    `graph ${word(graph.name)}(${graph.params.map(valueText).join(", ")}) {`,
    ...graph.nodes.flatMap((node) => nodeLines(node, options)).map((line) => `  ${line}`),
    `  return${results === "" ? "" : ` ${results}`}`,
    "}",
  ];
}

/** The lines of one node in the text form. */
export function nodeLines(node: Node, options: PrintOptions = {}): readonly string[] {
  const comment = options.origins && node.origin !== undefined ? ` // ${node.origin.name}` : "";
  const [first = "", ...rest] = callLines(node, options);
  const lines = [`${node.outputs.map(valueText).join(", ")} = ${first}`, ...rest];
  return lines.map((line, index) => (index === 0 ? line + comment : line));
}

function callLines(node: Node, options: PrintOptions): readonly string[] {
  const lines = [`${node.op.name}(${node.inputs.map((id) => `%${id}`).join(", ")})`];
  for (const [name, value] of present(node.attributes)) {
    const [first = "", ...rest] = attributeLines(value, options);
    lines[lines.length - 1] += ` ${name}=${first}`;
    lines.push(...rest);
  }
  return lines;
}

/** Attributes in the order of their names, so that equal nodes have equal texts; a body comes last. */
function present(attributes: Attributes): readonly (readonly [string, Exclude<Attribute, undefined>])[] {
  return Object.entries(attributes)
    .flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))
    .sort(([a, first], [b, second]) => Number(isGraph(first)) - Number(isGraph(second)) || (a < b ? -1 : 1));
}

function attributeLines(value: Exclude<Attribute, undefined>, options: PrintOptions): readonly string[] {
  if (typeof value === "string") return [JSON.stringify(value)];
  if (typeof value === "number") return [numberText(value)];
  if (typeof value === "boolean") return [String(value)];
  if (isList(value)) return [`[${value.map(itemText).join(", ")}]`];
  if (isGraph(value)) return graphLines(value, options);
  return ["kind" in value ? sizeText(value) : `@${axisText(value)}`];
}

function isList(value: object): value is readonly string[] | readonly Axis[] | readonly AxisRange[] {
  return Array.isArray(value);
}

function itemText(item: string | Axis | AxisRange): string {
  if (typeof item === "string") return JSON.stringify(item);
  return "id" in item ? `@${axisText(item)}` : `${word(item.axis)}:${item.low}:${item.high}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  return Object.is(value, -0) ? "-0" : String(value);
}

function valueText(value: Value): string {
  return `%${value.id}: ${typeText(value.type)}`;
}

/** `float[B, T, k<3>]`. */
export function typeText(type: Type): string {
  return `${type.dtype}[${type.axes.map(axisText).join(", ")}]`;
}

function axisText(axis: Axis): string {
  const id = word(axis.id);
  return axis.size.text === axis.id ? id : `${id}${sizeText(axis.size)}`;
}

function sizeText(size: Size): string {
  return `<${size.text}>`;
}

/** A name as it is where it is one word, else quoted. */
function word(name: string): string {
  return /^[A-Za-z_][\w.~']*$/.test(name) ? name : JSON.stringify(name);
}
