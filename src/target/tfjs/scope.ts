import type { Axis, DType } from "../../ir/type.ts";
import type { Names } from "./names.ts";
import {
  type Callee,
  type CodeOrigin,
  type Define,
  type Expression,
  type Statement,
  type SupportFunction,
  type TfFunction,
  variable,
  variablesOf,
} from "./program.ts";
import { sizeExpression } from "./sizes.ts";

/** A value of the graph as the program has it. */
export type Lowered = LoweredTensor | LoweredNumber;

/** A tensor in a variable. `axes` are its dimensions in order; it is constant along axes of the value's type that it lacks. */
export interface LoweredTensor {
  readonly kind: "tensor";
  readonly name: string;
  readonly axes: readonly Axis[];
  readonly dtype: DType;
  /** True where it is 0, 1, 2, … along its one axis. */
  readonly positions?: true;
}

/** A scalar that is a JavaScript number while the program runs: a constant, a size, a seed. */
export interface LoweredNumber {
  readonly kind: "number";
  readonly value: Expression;
  readonly dtype: DType;
}

/** What a variable is to be called. A temporary one may disappear into the expression that reads it. */
export interface Label {
  readonly name: string;
  readonly temporary: boolean;
}

export function temporary(name: string): Label {
  return { name, temporary: true };
}

interface Scope {
  readonly depth: number;
  readonly statements: Statement[];
}

/** Where statements are written. A call goes to the outermost scope that has all its operands: what a loop does not change is computed before it. */
export interface Writer {
  readonly names: Names;
  /** Says that statements until the next `origin` belong to this equation. */
  origin(origin: CodeOrigin | undefined): void;
  currentOrigin(): CodeOrigin | undefined;
  tf(name: TfFunction, args: readonly Expression[], axes: readonly Axis[], dtype: DType, label?: Label): LoweredTensor;
  support(
    name: SupportFunction,
    args: readonly Expression[],
    axes: readonly Axis[],
    dtype: DType,
    label?: Label,
  ): LoweredTensor;
  /** A change of shape, which belongs to no equation: computed once for the same key, which names the variable `of` first. */
  cached(of: string, key: string, make: () => LoweredTensor): LoweredTensor;
  /** Opens a scope inside the present one; `run` writes its statements. */
  inner(variables: readonly string[], run: () => void): readonly Statement[];
  /** Puts a statement that defines these variables at the end of the present scope. */
  place(statement: Statement, variables: readonly string[]): void;
  /** Whether the variable is one of the innermost scope's own calls. */
  isOwn(name: string): boolean;
  /** Whether a value changes with the innermost scope. */
  isInside(value: Lowered): boolean;
  finish(): readonly Statement[];
}

export function createWriter(names: Names): Writer {
  const scopes: Scope[] = [{ depth: 0, statements: [] }];
  const owner = new Map<string, Scope>();
  const made = new Set<string>();
  const cache = new Map<string, Map<string, LoweredTensor>>();
  let origin: CodeOrigin | undefined;

  const innermost = (): Scope => {
    const scope = scopes.at(-1);
    if (scope === undefined) throw new Error("internal: no scope is open");
    return scope;
  };
  const scopeOf = (args: readonly Expression[]): Scope => {
    let depth = 0;
    for (const name of args.flatMap(variablesOf)) depth = Math.max(depth, owner.get(name)?.depth ?? 0);
    return scopes[depth] ?? innermost();
  };
  const call = (
    callee: Callee,
    args: readonly Expression[],
    axes: readonly Axis[],
    dtype: DType,
    label: Label,
  ): LoweredTensor => {
    const scope = scopeOf(args);
    const name = names.fresh(label.name);
    const statement: Define = {
      kind: "define",
      name,
      value: { kind: "call", callee, args },
      temporary: label.temporary,
      origin,
    };
    scope.statements.push(statement);
    owner.set(name, scope);
    made.add(name);
    return { kind: "tensor", name, axes, dtype };
  };

  return {
    names,
    origin: (next) => {
      origin = next;
    },
    currentOrigin: () => origin,
    tf: (name, args, axes, dtype, label) => call({ from: "tf", name }, args, axes, dtype, label ?? temporary(name)),
    support: (name, args, axes, dtype, label) =>
      call({ from: "support", name }, args, axes, dtype, label ?? temporary(name)),
    cached: (of, key, make) => {
      const known = cache.get(of) ?? new Map<string, LoweredTensor>();
      cache.set(of, known);
      const ready = known.get(key);
      if (ready !== undefined) return ready;
      const before = origin;
      origin = undefined;
      const value = make();
      origin = before;
      known.set(key, value);
      return value;
    },
    inner: (variables, run) => {
      const scope: Scope = { depth: scopes.length, statements: [] };
      scopes.push(scope);
      for (const name of variables) owner.set(name, scope);
      run();
      scopes.pop();
      for (const [name, holder] of owner) if (holder === scope) cache.delete(name);
      return scope.statements;
    },
    place: (statement, variables) => {
      innermost().statements.push(statement);
      for (const name of variables) {
        owner.set(name, innermost());
        made.add(name);
      }
    },
    isOwn: (name) => made.has(name) && owner.get(name) === innermost(),
    isInside: (value) => variablesOf(reference(value)).some((name) => owner.get(name) === innermost()),
    finish: () => innermost().statements,
  };
}

/** A reference to a lowered value; numbers stand for themselves. */
export function reference(value: Lowered): Expression {
  return value.kind === "tensor" ? variable(value.name) : value.value;
}

export function shapeOf(axes: readonly Axis[]): Expression {
  return { kind: "list", items: axes.map((axis) => sizeExpression(axis.size)) };
}
