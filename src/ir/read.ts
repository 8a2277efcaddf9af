import type { Attribute, Attributes, AxisRange, Graph, Node, Result, Value } from "./graph.ts";
import type { Op } from "./op.ts";
import type { Size } from "./size.ts";
import { readSize } from "./size_read.ts";
import { createTextReader, type TextReader } from "./text_reader.ts";
import type { Axis, DType, Type } from "./type.ts";

/**
 * The graph that a text of `printGraph` stands for; origins are not in the text. `ops` is the vocabulary (`OPS` of op/table.ts).
 * Throws an error whose message starts with `line:column` and says what was expected. What the text says is not verified.
 */
export function readGraph(text: string, ops: readonly Op[]): Graph {
  const reader: Reader = { ...createTextReader(text), sizes: new Map() };
  const byName = new Map(ops.map((op) => [op.name, op]));
  const graph = graphAt(reader, byName);
  reader.end();
  return graph;
}

type Vocabulary = ReadonlyMap<string, Op>;

interface Reader extends TextReader {
  /** By their texts: a graph repeats few sizes often. */
  readonly sizes: Map<string, Size>;
}

function graphAt(reader: Reader, ops: Vocabulary): Graph {
  reader.expect("graph");
  const name = reader.name("the graph's name");
  const params = reader.list("(", ")", () => valueAt(reader));
  reader.expect("{");
  const nodes: Node[] = [];
  while (!reader.accept("return")) nodes.push(nodeAt(reader, ops));
  const results: Result[] = [];
  while (!reader.accept("}")) {
    if (results.length > 0) reader.expect(",");
    const result = reader.name("a result's name");
    reader.expect("=");
    results.push({ name: result, id: reader.value() });
  }
  return { name, params, nodes, results };
}

function nodeAt(reader: Reader, ops: Vocabulary): Node {
  const outputs: Value[] = [];
  while (!reader.accept("=")) {
    if (outputs.length > 0) reader.expect(",");
    outputs.push(valueAt(reader));
  }
  const place = reader.place();
  const opName = reader.name("an op's name");
  const op = ops.get(opName);
  if (op === undefined) throw reader.error(`there is no op ${opName}`, place);
  const inputs = reader.list("(", ")", () => reader.value());
  const attributes: Record<string, Attribute> = {};
  while (reader.isName() && !reader.is("return")) {
    const name = reader.name("an attribute's name");
    reader.expect("=");
    attributes[name] = attributeAt(reader, ops);
  }
  return { op, attributes: attributes satisfies Attributes, inputs, outputs, origin: undefined };
}

function valueAt(reader: Reader): Value {
  const id = reader.value();
  reader.expect(":");
  return { id, type: typeAt(reader) };
}

function typeAt(reader: Reader): Type {
  const place = reader.place();
  const dtype = dtypeOf(reader.name("a dtype"));
  if (dtype === undefined) throw reader.error("expected float, int or bool", place);
  return { dtype, axes: reader.list("[", "]", () => axisAt(reader)) };
}

function dtypeOf(text: string): DType | undefined {
  return text === "float" || text === "int" || text === "bool" ? text : undefined;
}

function axisAt(reader: Reader): Axis {
  const place = reader.place();
  const id = reader.name("an axis");
  if (reader.isSize()) return { id, size: sizeAt(reader) };
  return { id, size: parsedSize(reader, id, place) };
}

function sizeAt(reader: Reader): Size {
  const place = reader.place();
  return parsedSize(reader, reader.size(), place);
}

function parsedSize(reader: Reader, text: string, place: number): Size {
  const known = reader.sizes.get(text);
  if (known !== undefined) return known;
  try {
    const size = readSize(text);
    reader.sizes.set(text, size);
    return size;
  } catch (cause) {
    throw reader.error(cause instanceof Error ? cause.message : String(cause), place);
  }
}

function attributeAt(reader: Reader, ops: Vocabulary): Attribute {
  if (reader.isSize()) return sizeAt(reader);
  if (reader.accept("@")) return axisAt(reader);
  if (reader.isText()) return reader.text();
  if (reader.is("[")) return listAt(reader);
  if (reader.is("graph")) return graphAt(reader, ops);
  if (reader.accept("true")) return true;
  if (reader.accept("false")) return false;
  return reader.number();
}

function listAt(reader: Reader): readonly string[] | readonly Axis[] | readonly AxisRange[] {
  reader.expect("[");
  const place = reader.place();
  const first = reader.accept("@") ? "axis" : "other";
  reader.back(place);
  if (first === "axis") {
    return reader.rest("]", () => {
      reader.expect("@");
      return axisAt(reader);
    });
  }
  const items = reader.rest("]", () => {
    const name = reader.isText() ? reader.text() : reader.name("an axis");
    return reader.accept(":") ? rangeAfter(reader, name) : name;
  });
  const names = items.filter((item) => typeof item === "string");
  const ranges = items.filter((item) => typeof item !== "string");
  if (names.length > 0 && ranges.length > 0) throw reader.error("a list holds names or ranges, not both", place);
  return names.length > 0 ? names : ranges;
}

function rangeAfter(reader: Reader, axis: string): AxisRange {
  const low = reader.number();
  reader.expect(":");
  return { axis, low, high: reader.number() };
}
