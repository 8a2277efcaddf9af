import type { DType } from "../../ir/type.ts";

/** A number of a shader: a name or a literal, and the depth of nesting at which it is known. Integers are `i32`, booleans `bool`. */
export interface Term {
  readonly code: string;
  readonly depth: number;
  readonly dtype: DType;
  /** The number itself, where that is known when code is made. */
  readonly constant?: number;
}

/** One function of a shader while it is written: nested blocks, in which equal expressions are computed once, as far out as they can be. */
export interface Writer {
  /** How many blocks are open. */
  depth(): number;
  /** Computes once at a depth; equal text is computed once. `hint` names the variable. */
  bind(depth: number, dtype: DType, text: string, hint?: string): Term;
  /** What is read from memory belongs here at the earliest: further out other threads have not written it yet. */
  readDepth(): number;
  /** A variable that changes; its name. */
  variable(type: string, start: string, hint?: string): string;
  line(text: string): void;
  /** `header { … }`. */
  block(header: string, body: () => void): void;
  /** A part of a kernel behind a barrier: nothing read from memory before it may be used in it. */
  section(body: () => void): void;
  /** Repeats for 0 … count-1. */
  repeat(count: Term, body: (index: Term) => void, hint?: string): void;
  /** Marks a function of the library as needed; its name. */
  needs(name: string): string;
  /** Marks a part of WGSL as needed that not every device has. */
  enable(extension: Extension): void;
  /** An array shared by the threads of a group, the same wherever its name is asked for; its name. */
  shared(name: string, type: string, count: number): string;
  comment(text: string): void;
  readonly lines: () => readonly string[];
}

/** Parts of WGSL that not every device has: threads hand each other numbers, all that run in step or four next to one another. */
export type Extension = "subgroups" | "quads";

/** What the functions of one module share. */
export interface ModuleScope {
  readonly extensions: Set<Extension>;
  readonly functions: Set<string>;
  readonly shared: Map<string, { readonly type: string; readonly count: number }>;
}

interface Level {
  readonly lines: string[];
  readonly known: Map<string, Term>;
  readonly reads: boolean;
}

export function createWriter(scope: ModuleScope): Writer {
  const levels: Level[] = [{ lines: [], known: new Map(), reads: true }];
  const names = new Set<string>();
  const level = (depth: number): Level => {
    const found = levels[depth];
    if (found === undefined) throw new Error(`internal: no block is open at depth ${depth}`);
    return found;
  };
  const indent = (depth: number): string => "  ".repeat(depth + 1);
  const unique = (hint: string): string => {
    const base = identifier(hint);
    let name = base;
    for (let count = 2; names.has(name); count++) name = `${base}_${count}`;
    names.add(name);
    return name;
  };
  const within = (reads: boolean, body: () => void): readonly string[] => {
    const inner: Level = { lines: [], known: new Map(), reads };
    levels.push(inner);
    body();
    levels.pop();
    return inner.lines;
  };
  const emit = (...lines: readonly string[]): void => {
    level(levels.length - 1).lines.push(...lines);
  };
  const here = (): string => indent(levels.length - 1);
  const block = (header: string, body: () => void, reads = false): void => {
    const inner = within(reads, body);
    emit(`${here()}${header} {`, ...inner, `${here()}}`);
  };
  return {
    depth: () => levels.length - 1,
    bind(depth, dtype, text, hint = "t") {
      const key = `${dtype} ${text}`;
      for (const each of levels) {
        const found = each.known.get(key);
        if (found !== undefined) return found;
      }
      const name = unique(hint);
      const { lines, known } = level(depth);
      lines.push(`${indent(depth)}let ${name} = ${text};`);
      const term: Term = { code: name, depth, dtype };
      known.set(key, term);
      return term;
    },
    readDepth: () => levels.findLastIndex((each) => each.reads),
    variable(type, start, hint = "sum") {
      const name = unique(hint);
      emit(`${here()}var ${name}: ${type} = ${start};`);
      return name;
    },
    line: (text) => emit(`${here()}${text}`),
    block,
    section: (body) => block("", body, true),
    repeat(count, body, hint = "k") {
      if (count.constant === 0) return;
      if (count.constant === 1) {
        body(integer(0));
        return;
      }
      const name = unique(hint);
      block(`for (var ${name} = 0; ${name} < ${count.code}; ${name}++)`, () =>
        body({ code: name, depth: levels.length - 1, dtype: "int" }),
      );
    },
    needs(name) {
      scope.functions.add(name);
      return name;
    },
    enable(extension) {
      scope.extensions.add(extension);
    },
    shared(name, type, count) {
      scope.shared.set(name, { type, count: Math.max(count, scope.shared.get(name)?.count ?? 0) });
      return name;
    },
    comment: (text) => emit(...text.split("\n").map((line) => `${here()}// ${line}`)),
    lines: () => level(0).lines,
  };
}

export function integer(value: number): Term {
  return { code: value < 0 ? `(${value})` : String(value), depth: 0, dtype: "int", constant: value };
}

/** A name that WGSL takes, after the one of the source. */
export function identifier(text: string): string {
  const plain = text.replace(/\W+/g, "_").replace(/_+/g, "_").replace(/^_|_$/g, "");
  if (!/^[a-z]/i.test(plain)) return `v_${plain}`;
  return MAYBE_RESERVED.test(plain) ? `${plain}_` : plain;
}

/** Keywords, types and functions of WGSL, and the few words of ours, are letters only, or begin like one of these. */
const MAYBE_RESERVED = /^([a-z]{2,}|[a-z]+\d\w*|(co|const|dynamic|reinterpret|static|thread|wchar|smooth|work)_\w*)$/i;
