import type { Tensor } from "@tensorflow/tfjs-core";
import type { Size, SizeBinding } from "../../ir/size.ts";
import { sizeValue } from "../../ir/tensor.ts";
import type { TfLibrary } from "./library.ts";
import { callCount } from "./nest.ts";
import {
  type Callee,
  type Carry,
  type Collected,
  type Expression,
  type Loop,
  type Statement,
  type TensorParam,
  type TensorProgram,
  TF_DTYPE,
} from "./program.ts";

/** Inputs by param id: tensors with the dimensions of the param's axes in order; scalars may be numbers, seeds must be. */
export type TfInputs = ReadonlyMap<string, Tensor | number | boolean>;

/** The results by name; they belong to the caller, who disposes them. The inputs stay the caller's. */
export type TfResults = ReadonlyMap<string, Tensor>;

/**
 * Makes a lowered program executable. The calls are those that the emitted TypeScript has. Nothing but the results is left
 * behind, also after an error.
 * Throws where an input is missing or its shape does not fit, or a size is not bound.
 */
export function createTfjsRunner(
  program: TensorProgram,
  library: TfLibrary,
): (inputs: TfInputs, sizes: SizeBinding) => TfResults {
  return (inputs, sizes) => {
    const { tf } = library;
    const results = tf.tidy(() => {
      const frame: Frame = { library, sizes, values: new Map(), lists: new Map() };
      for (const param of program.params) frame.values.set(param.name, inputValue(frame, param, inputs.get(param.id)));
      for (const statement of program.statements) runStatement(frame, statement, true);
      return program.results.map((result) => tensorOf(frame, result.value));
    });
    return new Map(program.results.map((result, at) => [result.name, results[at] ?? missing(result.name)]));
  };
}

type RunValue = Tensor | number | string | readonly RunValue[];

interface Frame {
  readonly library: TfLibrary;
  readonly sizes: SizeBinding;
  readonly values: Map<string, Tensor | number>;
  readonly lists: Map<string, Tensor[]>;
}

function inputValue(
  { library, sizes }: Frame,
  param: TensorParam,
  given: Tensor | number | boolean | undefined,
): Tensor | number {
  if (given === undefined) throw new Error(`no value is given for %${param.id}`);
  if (param.host) {
    if (typeof given === "number") return given;
    throw new Error(`%${param.id} is a seed of random numbers and is given as a number`);
  }
  if (typeof given !== "object") return library.tf.scalar(given, TF_DTYPE[param.dtype]);
  const wanted = param.axes.map((axis) => sizeValue(axis.size, sizes));
  if (given.shape.join() !== wanted.join()) {
    const axes = param.axes.map((axis) => axis.size.text).join(", ");
    throw new Error(`%${param.id} is [${axes}] = [${wanted.join(", ")}], its tensor [${given.shape.join(", ")}]`);
  }
  return given;
}

function runStatement(frame: Frame, statement: Statement, outermost: boolean): void {
  const { tf } = frame.library;
  switch (statement.kind) {
    case "define": {
      const isNested = outermost && callCount(statement.value) > 1;
      const value = isNested ? tf.tidy(() => tensorOf(frame, statement.value)) : tensorOf(frame, statement.value);
      frame.values.set(statement.name, value);
      return;
    }
    case "loop":
      runLoop(frame, statement);
      return;
    case "dispose":
      for (const name of statement.names) frame.values.delete(disposed(frame, name));
      return;
    default:
      statement satisfies never;
  }
}

function runLoop(frame: Frame, loop: Loop): void {
  const { tf } = frame.library;
  const length = sizeValue(loop.length, frame.sizes);
  for (const carry of loop.carries) frame.values.set(carry.name, tensorOf(frame, carry.start));
  const steps = loop.collected.map(() => new Array<Tensor>(length));
  for (let done = 0; done < length; done++) {
    const index = loop.reverse ? length - 1 - done : done;
    frame.values.set(loop.index, index);
    const results = tf.tidy(() => {
      for (const statement of loop.body) runStatement(frame, statement, false);
      return [...loop.carries.map((carry) => carry.next), ...loop.collected.map((one) => one.value)].map((value) =>
        tensorOf(frame, value),
      );
    });
    for (const [at, carry] of loop.carries.entries()) moveCarry(frame, carry, results[at] ?? missing(carry.name));
    loop.collected.forEach((one, at) => {
      const list = steps[at] ?? [];
      list[index] = results[loop.carries.length + at] ?? missing(one.name);
    });
  }
  for (const [at, one] of loop.collected.entries()) frame.values.set(one.name, stacked(frame, one, steps[at] ?? []));
}

function moveCarry(frame: Frame, carry: Carry, next: Tensor): void {
  disposed(frame, carry.name);
  frame.values.set(carry.name, next);
}

function stacked(frame: Frame, one: Collected, steps: Tensor[]): Tensor {
  const shape = evaluate(frame, one.shape);
  if (!Array.isArray(shape)) throw new Error(`internal: the shape of ${one.name} is no list`);
  return frame.library.support.stack(steps, shape.map(Number), TF_DTYPE[one.dtype]);
}

function disposed(frame: Frame, name: string): string {
  const value = frame.values.get(name);
  if (value instanceof frame.library.tf.Tensor) value.dispose();
  return name;
}

function tensorOf(frame: Frame, expression: Expression): Tensor {
  const value = evaluate(frame, expression);
  if (value instanceof frame.library.tf.Tensor) return value;
  throw new Error(`internal: ${JSON.stringify(expression)} is no tensor`);
}

function evaluate(frame: Frame, expression: Expression): RunValue {
  switch (expression.kind) {
    case "variable":
      return frame.values.get(expression.name) ?? missing(expression.name);
    case "number":
    case "text":
      return expression.value;
    case "size":
      return sizeNumber(frame, expression.size);
    case "list":
      return expression.items.map((item) => evaluate(frame, item));
    case "call":
      return call(
        frame,
        expression.callee,
        expression.args.map((arg) => evaluate(frame, arg)),
      );
    default:
      return expression satisfies never;
  }
}

function sizeNumber({ sizes }: Frame, size: Size): number {
  return sizeValue(size, sizes);
}

function call({ library }: Frame, callee: Callee, args: readonly RunValue[]): Tensor {
  const called: unknown =
    callee.from === "tf"
      ? Reflect.apply(library.tf[callee.name], library.tf, args)
      : Reflect.apply(library.support[callee.name], undefined, args);
  if (called instanceof library.tf.Tensor) return called;
  throw new Error(`internal: ${callee.name} gave no tensor`);
}

function missing(name: string): never {
  throw new Error(`internal: ${name} has no value`);
}
