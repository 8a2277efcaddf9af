/**
 * Just enough of ONNX's protocol buffers (onnx.proto3) to write the graphs that are measured: initializers, nodes with
 * attributes, float inputs and outputs.
 */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const opset = message(string(1, ""), varint(2, OPSET));
  return message(varint(1, IR_VERSION), field(7, encodeGraph(graph)), field(8, opset));
}

const IR_VERSION = 8;
const OPSET = 17;

export interface OnnxGraph {
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  readonly outputs: ReadonlyMap<string, readonly number[]>;
  readonly initializers: ReadonlyMap<string, OnnxTensor>;
  readonly nodes: readonly OnnxNode[];
}

export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array;
}

/** An empty input name is an input that is not given. */
export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
}

type Bytes = Uint8Array;

function encodeGraph({ inputs, outputs, initializers, nodes }: OnnxGraph): Bytes {
  return message(
    ...nodes.map((node) => field(1, encodeNode(node))),
    string(2, "bench"),
    ...[...initializers].map(([name, tensor]) => field(5, encodeTensor(name, tensor))),
    ...[...inputs].map(([name, shape]) => field(11, encodeValue(name, shape))),
    ...[...outputs].map(([name, shape]) => field(12, encodeValue(name, shape))),
  );
}

function encodeNode({ op, inputs, outputs, attributes = {} }: OnnxNode): Bytes {
  return message(
    ...inputs.map((name) => string(1, name)),
    ...outputs.map((name) => string(2, name)),
    string(4, op),
    ...Object.entries(attributes).map(([name, value]) => field(5, encodeAttribute(name, value))),
  );
}

function encodeAttribute(name: string, value: number | string | readonly number[]): Bytes {
  const [INT, STRING, INTS] = [2, 3, 7];
  if (typeof value === "number") return message(string(1, name), varint(3, value), varint(20, INT));
  if (typeof value === "string") return message(string(1, name), string(4, value), varint(20, STRING));
  return message(string(1, name), ...value.map((one) => varint(8, one)), varint(20, INTS));
}

const FLOAT = 1;
const INT64 = 7;

function encodeTensor(name: string, { shape, data }: OnnxTensor): Bytes {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const type = data instanceof Float32Array ? FLOAT : INT64;
  return message(...shape.map((size) => varint(1, size)), varint(2, type), string(8, name), field(9, raw));
}

function encodeValue(name: string, shape: readonly number[]): Bytes {
  const dimensions = message(...shape.map((size) => field(1, varint(1, size))));
  const tensor = message(varint(1, FLOAT), field(2, dimensions));
  return message(string(1, name), field(2, field(1, tensor)));
}

function message(...parts: readonly Bytes[]): Bytes {
  return Buffer.concat(parts);
}

function field(number: number, content: Bytes): Bytes {
  return Buffer.concat([unsigned(number * 8 + 2), unsigned(content.length), content]);
}

function string(number: number, text: string): Bytes {
  return field(number, Buffer.from(text));
}

function varint(number: number, value: number): Bytes {
  return Buffer.concat([unsigned(number * 8), unsigned(value)]);
}

function unsigned(value: number): Bytes {
  const low = value % 0x80;
  return value < 0x80
    ? Uint8Array.of(low)
    : Buffer.concat([Uint8Array.of(low + 0x80), unsigned(Math.floor(value / 0x80))]);
}
