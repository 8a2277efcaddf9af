import type { InputSpec, Program, WeightSpec } from "../../build/program.ts";
import type { Size } from "../../ir/size.ts";
import { sizeConstant } from "../../ir/size.ts";
import type { DType } from "../../ir/type.ts";
import { laidOut } from "../../target/tfjs/sizes.ts";
import { printSize } from "./print-expression.ts";

/** How arrays look from outside: declared shapes, axes of size 1 included, as TypeScript types. */

/** `tf.Tensor2D`. */
export function tensorType(rank: number): string {
  if (rank === 0) return "tf.Scalar";
  return rank <= 6 ? `tf.Tensor${rank}D` : "tf.Tensor";
}

const DTYPE_WORDS: Readonly<Record<DType, string>> = { float: "float32", int: "int32", bool: "bool" };

/** `int32 [B, T]`. */
export function arrayNote(dtype: DType, shape: readonly Size[]): string {
  return `${DTYPE_WORDS[dtype]} [${shape.map((size) => size.text).join(", ")}]`;
}

/** A declared shape with the known sizes as numbers; undefined where one is not known. */
export function fixedShape(spec: WeightSpec, sizes: ReadonlyMap<string, number>): readonly number[] {
  return spec.shape.map((size) => {
    const value = sizeConstant(laidOut(size, sizes));
    if (value === undefined)
      throw new Error(`the size ${size.text} of ${spec.name} is not known: it comes from the data or from an option`);
    return value;
  });
}

/** Rank of an input as it is given: the batch axis, then the declared ones. */
export function inputRank(spec: InputSpec): number {
  return spec.shape.length + 1;
}

export function inputOf(program: Program, name: string): InputSpec {
  const spec = program.inputs.find((input) => input.name === name);
  if (spec === undefined) throw new Error(`internal: ${program.name} has no input ${name}`);
  return spec;
}

export function weightOf(program: Program, name: string): WeightSpec {
  const spec = program.weights.find((weight) => weight.name === name);
  if (spec === undefined) throw new Error(`internal: ${program.name} has no weight ${name}`);
  return spec;
}

/** Whether a size of 1 is among the declared ones: the program's param lacks it. */
export function hasUnits(shape: readonly Size[], sizes: ReadonlyMap<string, number>): boolean {
  return shape.some((size) => sizeConstant(laidOut(size, sizes)) === 1);
}

/** A property name, quoted where it must be; `__proto__` would be no property as it stands. */
export function property(name: string): string {
  if (name === "__proto__") return '["__proto__"]';
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** A member of an object. */
export function access(object: string, name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? `${object}.${name}` : `${object}[${JSON.stringify(name)}]`;
}

/** The same where the object may be undefined. */
export function optionalAccess(object: string, name: string): string {
  return access(`${object}?`, name).replace("?[", "?.[");
}

/** A shape as a list of numbers and size variables. */
export function shapeText(shape: readonly Size[], sizes: ReadonlyMap<string, number>): string {
  return `[${shape.map((size) => printSize(laidOut(size, sizes))).join(", ")}]`;
}
