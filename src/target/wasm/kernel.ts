import type { Size } from "../../ir/size.ts";
import type { Loop } from "../../plan/value.ts";
import type { Likeness } from "./alike.ts";
import { type Context, fixedSize, type Given, loadCell, segmentsAddress } from "./context.ts";
import {
  block,
  branchIf,
  type Code,
  call,
  type I32,
  i32,
  type Local,
  local,
  loop as loopCode,
  type Procedure,
  type Statement,
  sequence,
  type ValueType,
} from "./encode-code.ts";
import type { MergedBuilder } from "./encode-module.ts";

/** An integer that is the same for all lanes, computed as far out of the loops as it can be. */
export interface Scalar {
  readonly code: I32;
  /** How many loops are around the place where it is computed. */
  readonly depth: number;
  /** Equal keys are equal numbers. */
  readonly key: string;
  readonly constant: number | undefined;
}

/** One function of the module while it is written: nested loops, of which the innermost may take four positions at a time. */
export interface Kernel {
  readonly context: Context;
  /** How many lanes count at present: 4 in the body of a vector loop, 1 in its remainder and outside. */
  width(): 1 | 4;
  /** How many positions of the present four or more count, where that may be fewer than four: stores keep to them. */
  left(): Scalar | undefined;
  /** How many loops are open. */
  depth(): number;
  /** The depth of the innermost vector loop; infinite where none is open. What is computed further out is the same in all lanes. */
  vectorDepth(): number;
  constant(value: number): Scalar;
  size(size: Size): Scalar;
  cell(cell: number): Scalar;
  /** The address of the cells in which products are described to tiles. */
  segments(): Scalar;
  /** The present position of a loop of the program around this kernel. */
  position(loop: Loop): Scalar;
  add(a: Scalar, b: Scalar): Scalar;
  subtract(a: Scalar, b: Scalar): Scalar;
  multiply(a: Scalar, b: Scalar): Scalar;
  /** A number that the code is given, so that it is the same code for others. */
  given(value: number, key: string): Scalar;
  /** Any other function of scalars. */
  scalar(name: string, args: readonly Scalar[], make: (...args: readonly I32[]) => I32): Scalar;
  /** Computes once at a depth; the same key is computed once only. */
  bind<T extends ValueType>(depth: number, code: Code<T>, key?: string): Code<T>;
  /** What was bound or remembered under a key at a depth that is still open. */
  recall<T>(map: symbol, key: string): T | undefined;
  remember<T>(map: symbol, key: string, depth: number, value: T): void;
  variable<T extends ValueType>(type: T): Local<T>;
  emit(...statements: readonly Statement[]): void;
  /** A loop over 0 … count-1. */
  loop(count: Scalar, body: (index: Scalar) => void): void;
  /**
   * The same four at a time, then the rest one by one; in compact code, the rest is four as well, of which fewer count. With `unroll`, first four times `unroll` at a time; it may depend on how many
   * statements the body has. `body` is called with how many vectors of four lie side by side: part p of them is at `at + 4·p`.
   */
  lanes(count: Scalar, body: (at: Scalar, parts: number) => void, unroll: (statements: number) => number): void;
  /** Emits what `bodies` emit in turns, a statement of each: code that does not depend on one another, to be computed side by side. */
  sideBySide(bodies: readonly (() => void)[]): void;
  finish(): Procedure;
}

interface Level {
  readonly statements: Statement[];
  readonly memory: Map<symbol, Map<string, unknown>>;
}

/** `name` is what profilers show; `loops` are the loops of the program around the kernel, outermost first: the function's params. */
export function createKernel(context: Context, name: string, loops: readonly Loop[]): Kernel {
  const params = loops.map(() => "i32" as const);
  const builder = context.module.merged(name, params);
  return kernelIn(context, { ...builder, finish: (...body) => builder.finish(...body).caller }, loops);
}

/**
 * The function of a kernel that `write` writes; where the module has one that does the same with what lies at other cells, that one, given
 * these.
 */
export function alikeKernel(
  context: Context,
  name: string,
  loops: readonly Loop[],
  likeness: Likeness | undefined,
  write: (kernel: Kernel) => void,
): Procedure {
  const params = loops.map(() => "i32" as const);
  const known = likeness && context.alike.get(likeness.key);
  if (known?.given.length === 0) return known.code;
  const builder = context.module.merged(name, params);
  if (likeness !== undefined && known !== undefined) {
    const positions = params.map((type, index) => local.get(builder.param(index, type)));
    const given = known.given.map((each) => givenAgain(context, each, likeness.cells));
    return builder.finish(call(known.code, ...positions, ...given)).caller;
  }
  const given: (Given | undefined)[] = [];
  const recorded: KernelFunction = {
    ...builder,
    given: (value, key) => {
      given.push(givenBy(context, key, value, likeness?.cells ?? []));
      return builder.given(value);
    },
    finish: (...body) => {
      const { caller, code } = builder.finish(...body);
      const isKnown = given.every((each) => each !== undefined);
      if (likeness !== undefined && isKnown) context.alike.set(likeness.key, { code, given });
      return caller;
    },
  };
  const kernel = kernelIn(context, recorded, loops);
  write(kernel);
  return kernel.finish();
}

/** What stands behind a number that a kernel is given; undefined where another kernel would not know. */
function givenBy({ plan }: Context, key: string, value: I32, cells: readonly number[]): Given | undefined {
  if (key === SEGMENTS) return { kind: "segments" };
  const cell = keyCell(key);
  if (cell === undefined) return { kind: "same", value };
  const index = cells.indexOf(cell);
  if (index >= 0) return { kind: "address", index };
  const found = plan.cells.all[cell];
  return found?.kind === "size" ? { kind: "size", size: found.size } : undefined;
}

function givenAgain(context: Context, given: Given, cells: readonly number[]): I32 {
  switch (given.kind) {
    case "address":
      return loadCell(context, cells[given.index] ?? 0);
    case "size":
      return loadCell(context, context.plan.cells.size(given.size));
    case "segments":
      return segmentsAddress(context);
    case "same":
      return given.value;
    default:
      return given satisfies never;
  }
}

const SEGMENTS = "segments";

/** What a kernel's code is written into. */
export type KernelFunction = Omit<MergedBuilder, "given" | "finish"> & {
  readonly finish: (...body: readonly Code[]) => Procedure;
  /** A variable that holds a value from memory, or what callers pass for it. */
  readonly given: (value: I32, key: string) => Local<"i32">;
};

/** What a cell's value is called where a kernel is given it. */
export function cellKey(cell: number): string {
  return `cell ${cell}`;
}

function keyCell(key: string): number | undefined {
  return key.startsWith("cell ") ? Number(key.slice("cell ".length)) : undefined;
}

/** A kernel in a function that is there already. */
export function kernelIn(context: Context, builder: KernelFunction, loops: readonly Loop[] = []): Kernel {
  const levels: Level[] = [createLevel()];
  let lanes: 1 | 4 = 1;
  let vectorDepth = Number.POSITIVE_INFINITY;
  let left: Scalar | undefined;
  const BOUND = Symbol("bound");

  const level = (depth: number): Level => {
    const found = levels[depth];
    if (found === undefined) throw new Error(`internal: no loop is open at depth ${depth}`);
    return found;
  };
  const recall = <T>(map: symbol, key: string): T | undefined => {
    for (const each of levels) {
      const found = each.memory.get(map)?.get(key);
      if (found !== undefined) return found as T;
    }
    return undefined;
  };
  const remember = <T>(map: symbol, key: string, depth: number, value: T): void => {
    const { memory } = level(depth);
    const entries = memory.get(map) ?? new Map<string, unknown>();
    entries.set(key, value);
    memory.set(map, entries);
  };
  const bind = <T extends ValueType>(depth: number, code: Code<T>, key?: string): Code<T> => {
    if (key !== undefined) {
      const before = recall<Code<T>>(BOUND, key);
      if (before !== undefined) return before;
    }
    const variable = builder.local(code.type);
    level(depth).statements.push(local.set(variable, code));
    const get = local.get(variable);
    if (key !== undefined) remember(BOUND, key, depth, get);
    return get;
  };
  const constant = (value: number): Scalar => ({
    code: i32.const(value),
    depth: 0,
    key: String(value),
    constant: value,
  });
  const scalar = (name: string, args: readonly Scalar[], make: (...args: readonly I32[]) => I32): Scalar => {
    const depth = Math.max(0, ...args.map((arg) => arg.depth));
    const key = `${name}(${args.map((arg) => arg.key).join(",")})`;
    return { code: bind(depth, make(...args.map((arg) => arg.code)), key), depth, key, constant: undefined };
  };
  const add = (a: Scalar, b: Scalar): Scalar => {
    if (a.constant !== undefined && b.constant !== undefined) return constant(a.constant + b.constant);
    if (a.constant === 0) return b;
    return b.constant === 0 ? a : scalar("add", [a, b], i32.add);
  };
  const subtract = (a: Scalar, b: Scalar): Scalar => {
    if (a.constant !== undefined && b.constant !== undefined) return constant(a.constant - b.constant);
    return b.constant === 0 ? a : scalar("sub", [a, b], i32.sub);
  };
  const multiply = (a: Scalar, b: Scalar): Scalar => {
    if (a.constant !== undefined && b.constant !== undefined) return constant(a.constant * b.constant);
    if (a.constant === 0 || b.constant === 0) return constant(0);
    if (a.constant === 1) return b;
    return b.constant === 1 ? a : scalar("mul", [a, b], i32.mul);
  };
  const given = (value: I32, key: string): Scalar => {
    const before = recall<I32>(BOUND, key);
    const code = before ?? local.get(builder.given(value, key));
    if (before === undefined) remember(BOUND, key, 0, code);
    return { code, depth: 0, key, constant: undefined };
  };
  const cell = (index: number): Scalar => {
    return given(loadCell(context, index), cellKey(index));
  };
  const size = (wanted: Size): Scalar => {
    const fixed = fixedSize(wanted);
    return fixed === undefined ? cell(context.plan.cells.size(wanted)) : constant(fixed);
  };
  const within = (width: 1 | 4, body: () => void): readonly Statement[] => {
    const inner = createLevel();
    const before = { lanes, vectorDepth, left };
    levels.push(inner);
    lanes = width;
    body();
    levels.pop();
    lanes = before.lanes;
    vectorDepth = before.vectorDepth;
    left = before.left;
    return inner.statements;
  };
  /** Counts a variable up to `end`: from 0, or from where it stands. */
  const repeat = (
    counter: Local<"i32">,
    step: number,
    end: I32,
    sure: boolean,
    body: readonly Statement[],
    from: "0" | "there" = "0",
  ): Statement => {
    const start = from === "0" ? [local.set(counter, i32.const(0))] : [];
    const again = branchIf(0, i32.lt(local.get(counter), end));
    const next = local.set(counter, i32.add(local.get(counter), i32.const(step)));
    const all = loopCode(...body, next, again);
    return sure ? sequence(...start, all) : block(...start, branchIf(0, i32.ge(local.get(counter), end)), all);
  };
  const indexOf = (counter: Local<"i32">, depth: number): Scalar => ({
    code: local.get(counter),
    depth,
    key: `index ${counter.index}`,
    constant: undefined,
  });
  const emit = (...statements: readonly Statement[]): void => {
    level(levels.length - 1).statements.push(...statements);
  };
  const loop = (count: Scalar, body: (index: Scalar) => void): void => {
    if (count.constant === 0) return;
    if (count.constant === 1) {
      body(constant(0));
      return;
    }
    const counter = builder.local("i32");
    const inside = within(lanes, () => body(indexOf(counter, levels.length - 1)));
    emit(repeat(counter, 1, count.code, (count.constant ?? 0) > 0, inside));
  };
  const vectorLoop = (
    count: Scalar,
    body: (at: Scalar, parts: number) => void,
    unroll: (statements: number) => number,
  ): void => {
    const counter = builder.local("i32");
    const inside = (width: 1 | 4, parts: number, open = false): readonly Statement[] =>
      within(width, () => {
        vectorDepth = levels.length - 1;
        const index = indexOf(counter, vectorDepth);
        if (open) left = subtract(count, index);
        body(index, parts);
      });
    if (context.compact) {
      const open = count.constant === undefined || count.constant % 4 > 0;
      const all = repeat(counter, 4, count.code, (count.constant ?? 0) > 0, inside(4, 1, open));
      if (count.constant !== 0) emit(all);
      return;
    }
    const whole = (step: number): Scalar =>
      count.constant === undefined
        ? scalar(`whole ${step}`, [count], (code) => i32.and(code, i32.const(-step)))
        : constant(count.constant & -step);
    const loops: Statement[] = [];
    // Up to where loops have come when sizes are known.
    let reached = 0;
    const add = (width: 1 | 4, parts: number, statements: () => readonly Statement[]): void => {
      const end = whole(width * parts);
      if ((end.constant ?? Number.POSITIVE_INFINITY) <= reached) return;
      loops.push(repeat(counter, width * parts, end.code, false, statements(), "there"));
      reached = end.constant ?? reached;
    };
    const narrow = (count.constant ?? 4) < 4 ? [] : inside(4, 1);
    const parts = narrow.length === 0 ? 1 : unroll(narrow.length);
    if (parts > 1) add(4, parts, () => inside(4, parts));
    add(4, 1, () => narrow);
    add(1, 1, () => inside(1, 1));
    emit(local.set(counter, i32.const(0)), ...loops);
  };
  const sideBySide = (bodies: readonly (() => void)[]): void => {
    const top = levels.length - 1;
    const lists = bodies.map((body) => {
      const { memory } = level(top);
      // None sees what another has computed, since that may come later.
      const own: Level = {
        statements: [],
        memory: new Map([...memory].map(([map, entries]) => [map, new Map(entries)])),
      };
      const before = level(top);
      levels[top] = own;
      body();
      levels[top] = before;
      return own.statements;
    });
    const most = Math.max(0, ...lists.map((list) => list.length));
    for (let at = 0; at < most; at++) emit(...lists.flatMap((list) => list.slice(at, at + 1)));
  };

  return {
    ...{
      context,
      constant,
      sideBySide,
      size,
      cell,
      add,
      subtract,
      multiply,
      scalar,
      bind,
      recall,
      remember,
      emit,
      loop,
    },
    lanes: vectorLoop,
    width: () => lanes,
    left: () => left,
    depth: () => levels.length - 1,
    vectorDepth: () => vectorDepth,
    variable: (type) => builder.local(type),
    given: (value, key) => given(i32.const(value), key),
    segments: () => given(segmentsAddress(context), SEGMENTS),
    position: (wanted) => {
      const at = loops.indexOf(wanted);
      if (at < 0) throw new Error(`internal: a kernel outside of a loop reads its position`);
      return { code: local.get(builder.param(at, "i32")), depth: 0, key: `loop ${wanted.index}`, constant: undefined };
    },
    finish: () => {
      return builder.finish(sequence(...level(0).statements));
    },
  };
}

function createLevel(): Level {
  return { statements: [], memory: new Map() };
}
