import type { Context } from "./context.ts";
import {
  type FunctionReference,
  f32,
  f32x4,
  i32,
  i32x4,
  local,
  type Statement,
  type V128,
  v128,
} from "./encode-code.ts";
import { cosineOfTurns, erf, exp, log, log1p, type MathScope, sigmoid, tanh } from "./math-vector.ts";

/** How each function is written out. */
export const VECTOR_FUNCTIONS = { exp, log, log1p, tanh, sigmoid, erf, cosineOfTurns } as const;

export type VectorFunction = keyof typeof VECTOR_FUNCTIONS;

/** The machine's part of how functions are written out. */
export function arithmetic({ relaxed }: Pick<Context, "relaxed">): Pick<MathScope, "multiplyAdd" | "select"> {
  return {
    select: relaxed ? v128.relaxedSelect : v128.bitselect,
    multiplyAdd: (a, b, c) => (relaxed ? f32x4.relaxedMultiplyAdd(a, b, c) : f32x4.add(f32x4.mul(a, b), c)),
  };
}

/** A function of the module, of four numbers at once: for short code, which has each function once. */
export function vectorFunctionOf(context: Context, name: VectorFunction): FunctionReference<"v128"> {
  return context.module.shared(`f32x4 ${name}`, ["v128"], "v128", (builder) => {
    const statements: Statement[] = [];
    const once = (code: V128): V128 => {
      const variable = builder.local("v128");
      statements.push(local.set(variable, code));
      return local.get(variable);
    };
    const scope: MathScope = {
      ...arithmetic(context),
      once,
      float: (value) => f32x4.splat(f32.const(value)),
      int: (value) => i32x4.splat(i32.const(value)),
    };
    const result = VECTOR_FUNCTIONS[name](scope, local.get(builder.param(0, "v128")));
    builder.finish(...statements, result);
  });
}
