import { expect } from "vitest";
import type { Program } from "../../src/build/program.ts";
import { layOut } from "../../src/ir/strided.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { type Results, resultOf } from "./execute.ts";
import type { NamedArray } from "./feed.ts";

/**
 * A result of a program in the order in which its model declares the axes: the batch first, then the visible ones; a weight's
 * gradient and next value as the weight. Axes of size 1 are left out.
 */
export function readArray(program: Program, results: Results, name: string): Tensor {
  const tensor = resultOf(results, name);
  const wanted = declaredAxes(program, name) ?? tensor.axes;
  return layOut(
    tensor,
    wanted,
    wanted.map((axis) => lengthOf(tensor, axis, name)),
  );
}

function lengthOf(tensor: Tensor, axis: string, name: string): number {
  const length = tensor.shape[tensor.axes.indexOf(axis)];
  if (length === undefined) throw new Error(`${name} has the axes ${tensor.axes.join(", ")}, and no ${axis}`);
  return length;
}

function declaredAxes(program: Program, name: string): readonly string[] | undefined {
  const role = program.results.get(name);
  switch (role?.kind) {
    case "value":
    case "parameter":
    case "choice":
      return role.axes;
    case "gradient":
      return paramAxes(program, role.weight);
    case "weight":
      return paramAxes(program, role.name);
    default:
      return undefined;
  }
}

/** The axes of the param of a weight or input. */
function paramAxes(program: Program, name: string): readonly string[] | undefined {
  const found = program.graph.params.find((param) => {
    const role = program.params.get(param.id);
    return (role?.kind === "weight" || role?.kind === "input") && role.name === name;
  });
  return found?.type.axes.map((axis) => axis.id);
}

export interface Tolerance {
  /** How far off a number may be, beside the larger of 1 and itself. */
  readonly within: number;
  /** Entries that do not count: a row-major place among the expected numbers. */
  readonly skip?: (place: number) => boolean;
}

/** The same numbers, units in the shapes left out; the message names the worst entry. */
export function expectArray(what: string, actual: NamedArray, expected: NamedArray, { within, skip }: Tolerance): void {
  const plain = ({ shape }: NamedArray): readonly number[] => shape.filter((size) => size !== 1);
  expect({ what, shape: plain(actual) }).toEqual({ what, shape: plain(expected) });
  let worst = 0;
  let place = -1;
  for (let at = 0; at < expected.data.length; at++) {
    if (skip?.(at) === true) continue;
    const [is, should] = [actual.data[at] ?? Number.NaN, expected.data[at] ?? Number.NaN];
    const error = is === should ? 0 : Math.abs(is - should) / Math.max(1, Math.abs(should));
    if (Number.isNaN(error)) expect.fail(`${what}[${at}] is ${is}, should be ${should}`);
    if (error <= worst) continue;
    worst = error;
    place = at;
  }
  const verdict =
    worst <= within ? "equal" : `${what}[${place}] is ${actual.data[place]}, should be ${expected.data[place]}`;
  expect(verdict).toBe("equal");
}
