import type { Origin } from "../../ir/graph.ts";
import type { Size } from "../../ir/size.ts";
import type { Axis, DType } from "../../ir/type.ts";

/**
 * A graph as a sequence of tfjs-core calls. It is what both the runner executes and the TypeScript printer prints, so the two
 * agree by construction. Names are valid TypeScript identifiers, unique in the whole program.
 */
export interface TensorProgram {
  readonly name: string;
  readonly params: readonly TensorParam[];
  /** Names of the sizes that are known when the program runs only, sorted: batch and times. */
  readonly sizes: readonly string[];
  readonly statements: readonly Statement[];
  readonly results: readonly TensorResult[];
}

/** The user's equation that code belongs to. */
export interface CodeOrigin extends Origin {
  /** Whether the code computes the equation's gradient instead of its value. */
  readonly gradient: boolean;
}

export interface TensorParam {
  /** The graph's id of the param. */
  readonly id: string;
  /** The variable that holds it. */
  readonly name: string;
  readonly dtype: DType;
  /** In the order of the tensor's dimensions. */
  readonly axes: readonly Axis[];
  /** True where the program wants a number instead of a tensor: seeds of random numbers. */
  readonly host: boolean;
}

export interface TensorResult {
  /** The graph's name of the result. */
  readonly name: string;
  /** A tensor that belongs to the caller alone. */
  readonly value: Expression;
  readonly dtype: DType;
  readonly axes: readonly Axis[];
}

/** The functions of tfjs-core that lowered programs call; all of them exist on the cpu, wasm and webgpu backends. */
export type TfFunction =
  | "abs"
  | "add"
  | "all"
  | "any"
  | "argMax"
  | "argMin"
  | "broadcastTo"
  | "cast"
  | "ceil"
  | "clone"
  | "concat"
  | "cos"
  | "div"
  | "equal"
  | "erf"
  | "exp"
  | "fill"
  | "floor"
  | "gather"
  | "less"
  | "lessEqual"
  | "log"
  | "log1p"
  | "logicalAnd"
  | "logicalNot"
  | "logicalOr"
  | "matMul"
  | "max"
  | "maximum"
  | "min"
  | "minimum"
  | "mod"
  | "mul"
  | "neg"
  | "pad"
  | "pow"
  | "prod"
  | "range"
  | "reshape"
  | "round"
  | "scalar"
  | "sigmoid"
  | "sign"
  | "sin"
  | "slice"
  | "sqrt"
  | "square"
  | "sub"
  | "sum"
  | "tanh"
  | "transpose"
  | "where";

/** The functions of `support/tensors.ts`, which emitted modules carry with them. */
export type SupportFunction =
  | "toFloat"
  | "digamma"
  | "randomGaussian"
  | "lgamma"
  | "scatterAdd"
  | "shift"
  | "stack"
  | "take"
  | "randomUniform"
  | "unwindow"
  | "window";

export type Callee =
  | { readonly from: "tf"; readonly name: TfFunction }
  | { readonly from: "support"; readonly name: SupportFunction };

export interface Call {
  readonly kind: "call";
  readonly callee: Callee;
  readonly args: readonly Expression[];
}

export type Expression =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "number"; readonly value: number }
  /** An integer that is known when the program runs. */
  | { readonly kind: "size"; readonly size: Size }
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: "list"; readonly items: readonly Expression[] }
  | Call;

export type Statement = Define | Loop | Dispose;

/** `const name = value`. */
export interface Define {
  readonly kind: "define";
  readonly name: string;
  readonly value: Expression;
  /** True where the name is ours: the value may move into the one expression that reads it. */
  readonly temporary: boolean;
  readonly origin: CodeOrigin | undefined;
}

/**
 * `length` steps, from the last to the first where `reverse`. Each step sees the carries' values, computes `body`, then moves
 * every carry to its `next` and keeps every collected value at its step's place; at the end `name` of a collected value is the
 * stack of them, steps first. Carries keep their last value under their name.
 */
export interface Loop {
  readonly kind: "loop";
  readonly index: string;
  readonly length: Size;
  readonly reverse: boolean;
  readonly carries: readonly Carry[];
  readonly collected: readonly Collected[];
  readonly body: readonly Statement[];
  readonly origin: CodeOrigin | undefined;
}

export interface Carry {
  readonly name: string;
  /** A tensor of the loop's own. */
  readonly start: Expression;
  /** A tensor of the step's own, in terms of the body. */
  readonly next: Expression;
}

export interface Collected {
  readonly name: string;
  /** The variable of the list of steps. */
  readonly steps: string;
  readonly value: Expression;
  /** Of the stack. */
  readonly shape: Expression;
  readonly dtype: DType;
}

/** Frees tensors that nothing reads any more. */
export interface Dispose {
  readonly kind: "dispose";
  readonly names: readonly string[];
}

export function variable(name: string): Expression {
  return { kind: "variable", name };
}

export function number(value: number): Expression {
  return { kind: "number", value };
}

export function text(value: string): Expression {
  return { kind: "text", value };
}

export function list(items: readonly Expression[]): Expression {
  return { kind: "list", items };
}

/** The variables that an expression reads, as often as it reads them. */
export function variablesOf(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "variable":
      return [expression.name];
    case "list":
      return expression.items.flatMap(variablesOf);
    case "call":
      return expression.args.flatMap(variablesOf);
    case "number":
    case "size":
    case "text":
      return [];
    default:
      return expression satisfies never;
  }
}

/** How tfjs calls a data type. */
export const TF_DTYPE = { float: "float32", int: "int32", bool: "bool" } as const satisfies Record<DType, string>;
