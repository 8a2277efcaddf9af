import type { StatementStructures } from "ts-morph";
import { type TensorProgram, type TensorResult, TF_DTYPE } from "../../target/tfjs/program.ts";
import { property, tensorType } from "./layout.ts";
import type { Opening } from "./params.ts";
import { printExpression } from "./print-expression.ts";
import type { EquationText } from "./print-program.ts";
import { supportCalls } from "./support-calls.ts";
import type { ModuleNames } from "./weights.ts";

/** A file's statements in order. They are printed all at once: ts-morph parses a file anew after every change. */
export type Declarations = (StatementStructures | string)[];

/** What a model's functions share. */
export interface FunctionContext {
  readonly file: Declarations;
  readonly names: ModuleNames;
  readonly equation: EquationText;
  /** Names that no variable may have: those of the support functions. */
  readonly taken: readonly string[];
  /** Collects the support functions that are called. */
  readonly support: Set<string>;
}

/** What the functions call their own arguments. */
export const ARGUMENT_NAMES: readonly string[] = ["weights", "inputs", "options", "state", "batch"];

/** A field of an object type. */
export interface Member {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly doc: string;
}

/** The field that holds a result. */
export function outputMember({ axes, dtype }: TensorResult, name: string): Member {
  return {
    name,
    type: tensorType(axes.length),
    optional: false,
    doc: `${TF_DTYPE[dtype]} [${axes.map((axis) => axis.size.text).join(", ")}].`,
  };
}

/**
 * `name: value as tf.Tensor2D,` of an object literal.
 * @param indent spaces before the line
 * @param shape where it is not the one that the program gives
 */
export function returned(
  indent: number,
  name: string,
  { value, axes }: TensorResult,
  shape?: readonly number[],
): string {
  const text = printExpression(value, indent);
  const whole = shape === undefined ? text : `tf.reshape(${text}, [${shape.join(", ")}])`;
  return `${" ".repeat(indent)}${property(name)}: ${whole} as ${tensorType(shape?.length ?? axes.length)},`;
}

/** The parameter for such an object, where it has fields; left out by callers where all are optional. */
export function argument(
  name: string,
  type: string,
  members: readonly Member[],
): readonly { readonly name: string; readonly type: string; readonly initializer?: string }[] {
  if (members.length === 0) return [];
  return [members.every((member) => member.optional) ? { name, type, initializer: "{}" } : { name, type }];
}

/** An exported type with these fields; none without fields. */
export function addMembers(file: Declarations, name: string, doc: string, members: readonly Member[]): void {
  if (members.length === 0) return;
  const fields = members.map(
    ({ name: own, optional, type, doc: what }) =>
      `  /** ${what} */\n  readonly ${property(own)}${optional ? "?" : ""}: ${type};\n`,
  );
  // No interface: tfjs takes objects with any field of tensors, which interfaces are not.
  file.push(`\n/** ${doc} */\nexport type ${name} = {\n${fields.join("")}};`);
}

/** Notes what support functions a function calls. */
export function collectSupport(context: FunctionContext, opening: Opening, tensors: TensorProgram): void {
  for (const name of [...opening.support, ...supportCalls(tensors)]) context.support.add(name);
}
