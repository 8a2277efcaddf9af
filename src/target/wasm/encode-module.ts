import { text, unsigned } from "./encode-bytes.ts";
import {
  type Code,
  type CodeType,
  call,
  type FunctionReference,
  globalGet,
  type I32,
  type Local,
  local,
  type Procedure,
  type ValueType,
} from "./encode-code.ts";
import { functionCode } from "./function-code.ts";

/** A function while it is written. */
export interface FunctionBuilder<R extends CodeType = CodeType> {
  readonly reference: FunctionReference<R>;
  /** The i-th param as a local. */
  param<T extends ValueType>(index: number, type: T): Local<T>;
  local<T extends ValueType>(type: T): Local<T>;
  /** Statements in order, and the value behind them where the function gives one. */
  finish(...body: readonly Code[]): void;
}

/** A function whose code may be that of others, up to numbers that it is given. */
export interface MergedBuilder extends Omit<FunctionBuilder<"none">, "reference" | "finish"> {
  /** A local variable whose value is computed before the function's code, from nothing but memory. */
  given(value: I32): Local<"i32">;
  finish(...body: readonly Code[]): Merged;
}

/** A function that computes what the other one is given, and calls it; one and the same where nothing is given. */
export interface Merged {
  readonly caller: Procedure;
  readonly code: Procedure;
}

/** A module while it is written: functions, one imported memory, imported numbers, exports. */
export interface ModuleBuilder {
  /** The name is what profilers and stack traces show. */
  function<R extends CodeType>(name: string, params: readonly ValueType[], result: R): FunctionBuilder<R>;
  /** A function that gives nothing, and is the same function as others with the same code. */
  merged(name: string, params: readonly ValueType[]): MergedBuilder;
  /** A function that is made on first use; the name tells which it is, or a key beside it. */
  shared<R extends CodeType>(
    name: string,
    params: readonly ValueType[],
    result: R,
    write: (builder: FunctionBuilder<R>) => void,
    key?: string,
  ): FunctionReference<R>;
  export(name: string, reference: FunctionReference): void;
  /** An i32 that every instance is given when it is started, imported as `env.NAME`. */
  given(name: string): I32;
  /** Bytes that are in memory from the start, at an address. */
  data(address: number, bytes: readonly number[]): void;
  /** The module's bytes, with the functions' names where nothing is said; the memory is imported as `env.memory`. It may be one that several threads share. */
  finish(options?: { readonly names?: boolean }): Uint8Array<ArrayBuffer>;
}

const TYPE_BYTE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

interface Written {
  readonly name: string;
  readonly type: number;
  locals: readonly ValueType[];
  body: Uint8Array;
}

/** Pages that a shared memory may have: all that 32-bit addresses reach. */
export const MOST_PAGES = 65536;

export interface ModuleOptions {
  /** Whether the memory is one that several threads have in common. */
  readonly shared?: boolean;
  /** Whether functions are made short: values stand where they are needed, and few variables hold the others. */
  readonly compact?: boolean;
}

export function createModule({ shared: isShared = false, compact = false }: ModuleOptions = {}): ModuleBuilder {
  const types: string[] = [];
  const typeBytes: (readonly number[])[] = [];
  const functions: Written[] = [];
  const shared = new Map<string, FunctionReference>();
  const exports: { readonly name: string; readonly index: number }[] = [];
  const segments: Segment[] = [];
  const given: string[] = [];
  const alike = new Map<string, Procedure>();

  const typeIndex = (params: readonly ValueType[], result: CodeType): number => {
    const key = `${params.join(",")}:${result}`;
    const before = types.indexOf(key);
    if (before >= 0) return before;
    const results = result === "none" ? [] : [TYPE_BYTE[result]];
    types.push(key);
    typeBytes.push([
      0x60,
      ...vector(params.map((type) => [TYPE_BYTE[type]])),
      ...vector(results.map((byte) => [byte])),
    ]);
    return types.length - 1;
  };

  const createFunction = <R extends CodeType>(
    name: string,
    params: readonly ValueType[],
    result: R,
  ): FunctionBuilder<R> => {
    const locals: ValueType[] = [];
    const written: Written = { name, type: typeIndex(params, result), locals, body: new Uint8Array() };
    const reference: FunctionReference<R> = { index: functions.length, params, result };
    functions.push(written);
    return {
      reference,
      param: paramOf(params),
      local: (type) => {
        locals.push(type);
        return { type, index: params.length + locals.length - 1 };
      },
      finish: (...body) => {
        const made = functionCode(body, [...params, ...locals], [...params.keys()], compact);
        written.body = Uint8Array.from(made.bytes);
        written.locals = made.locals;
      },
    };
  };

  /** The function with this code: one that is there, else a new one. */
  const merge = (name: string, params: readonly ValueType[], locals: readonly ValueType[], body: readonly number[]) => {
    const key = `${params.join()}:${locals.join()}:${String.fromCharCode(...body)}`;
    const before = alike.get(key);
    if (before !== undefined) return before;
    const type = typeIndex(params, "none");
    const index = functions.push({ name, type, locals, body: Uint8Array.from(body) }) - 1;
    const reference: Procedure = { index, params, result: "none" };
    alike.set(key, reference);
    return reference;
  };

  return {
    function: createFunction,
    merged: (name, params) => {
      const locals: ValueType[] = [];
      const given = new Map<number, I32>();
      const add = <T extends ValueType>(type: T): Local<T> => {
        locals.push(type);
        return { type, index: params.length + locals.length - 1 };
      };
      return {
        param: paramOf(params),
        local: add,
        given: (value) => {
          const variable = add("i32");
          given.set(variable.index, value);
          return variable;
        },
        finish: (...body) => {
          const made = functionCode(body, [...params, ...locals], [...params.keys(), ...given.keys()], compact);
          const inner = [...params, ...[...given].map(() => "i32" as const)];
          const code = merge(name, inner, made.locals, made.bytes);
          if (given.size === 0) return { caller: code, code };
          const passed = params.map((type, index) => local.get({ type, index }));
          return {
            caller: merge(
              name,
              params,
              [],
              functionCode([call(code, ...passed, ...given.values())], params, [...params.keys()], false).bytes,
            ),
            code,
          };
        },
      };
    },
    shared: <R extends CodeType>(
      name: string,
      params: readonly ValueType[],
      result: R,
      write: (builder: FunctionBuilder<R>) => void,
      key = name,
    ) => {
      const before = shared.get(key);
      if (before !== undefined) return { index: before.index, params, result };
      const builder = createFunction(name, params, result);
      shared.set(key, builder.reference);
      write(builder);
      return builder.reference;
    },
    export: (name, reference) => {
      exports.push({ name, index: reference.index });
    },
    given: (name) => {
      const before = given.indexOf(name);
      return globalGet(before < 0 ? given.push(name) - 1 : before);
    },
    data: (address, bytes) => {
      segments.push({ address, bytes });
    },
    finish: ({ names = true } = {}) => {
      const limits = isShared ? [0x03, 0x00, ...unsigned(MOST_PAGES)] : [0x00, 0x00];
      const memory = [...text("env"), ...text("memory"), 0x02, ...limits];
      const numbers = given.map((name) => [...text("env"), ...text(name), 0x03, TYPE_BYTE.i32, 0x00]);
      return joined([
        [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
        section(1, vector(typeBytes)),
        section(2, vector([memory, ...numbers])),
        section(3, vector(functions.map((each) => unsigned(each.type)))),
        section(7, vector(exports.map(({ name, index }) => [...text(name), 0x00, ...unsigned(index)]))),
        ...codeSection(functions),
        dataSection(segments),
        ...(names ? [section(0, nameSection(functions))] : []),
      ]);
    },
  };
}

function paramOf(params: readonly ValueType[]): FunctionBuilder["param"] {
  return (index, type) => {
    if (params[index] !== type) throw new Error(`internal: param ${index} is no ${type}`);
    return { type, index };
  };
}

type Bytes = readonly number[] | Uint8Array;

/** Code is most of a module: it is copied once, into its place. */
function joined(parts: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function lengthOf(parts: readonly Bytes[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}

function codeSection(functions: readonly Written[]): readonly Bytes[] {
  const bodies = functions.flatMap(({ locals, body }): readonly Bytes[] => {
    const runs = localRuns(locals);
    return [unsigned(runs.length + body.length), runs, body];
  });
  const content = [unsigned(functions.length), ...bodies];
  return [[10, ...unsigned(lengthOf(content))], ...content];
}

interface Segment {
  readonly address: number;
  readonly bytes: readonly number[];
}

function dataSection(segments: readonly Segment[]): readonly number[] {
  const bytesOf = ({ address, bytes }: Segment): readonly number[] => [
    ...[0x00, 0x41, ...signedAddress(address), 0x0b],
    ...[...unsigned(bytes.length), ...bytes],
  ];
  return section(11, vector(segments.map(bytesOf)));
}

/** The custom section with the functions' names. */
function nameSection(functions: readonly Written[]): readonly number[] {
  const names = vector(functions.map(({ name }, index) => [...unsigned(index), ...text(name)]));
  return [...text("name"), 1, ...unsigned(names.length), ...names];
}

/** Locals as runs of equal types. */
function localRuns(locals: readonly ValueType[]): readonly number[] {
  const runs: { count: number; readonly type: ValueType }[] = [];
  for (const type of locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ count: 1, type });
  }
  return vector(runs.map(({ count, type }) => [...unsigned(count), TYPE_BYTE[type]]));
}

function signedAddress(address: number): readonly number[] {
  const bytes = [...unsigned(address)];
  // A last group whose sign bit is set needs another group to stay positive.
  const last = bytes.at(-1) ?? 0;
  return (last & 0x40) === 0 ? bytes : [...bytes.slice(0, -1), last | 0x80, 0x00];
}

function vector(items: readonly (readonly number[])[]): readonly number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function section(id: number, content: readonly number[]): readonly number[] {
  const out: number[] = [id, ...unsigned(content.length)];
  for (const byte of content) out.push(byte);
  return out;
}
