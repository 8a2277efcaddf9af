import { type FloatArray, randomClasses, randomFloats } from "./arrays.ts";

/** The cells that are measured; `gates` are the names in `models/sequence.seq` and `models/std/cells.seq`. */
export const CELLS = {
  lstm: { gates: ["i", "f", "o", "g"], prefixes: ["cell."] },
  gru: { gates: ["r", "z", "n"], prefixes: ["cell."] },
  mgu: { gates: ["f", "n"], prefixes: ["cell."] },
  both: { gates: ["i", "f", "o", "g"], prefixes: ["cell.f.", "cell.b."] },
} as const satisfies Readonly<
  Record<string, { readonly gates: readonly string[]; readonly prefixes: readonly string[] }>
>;

export type CellName = keyof typeof CELLS;

/** One class for every position of sequences of vectors. */
export interface SequenceSize {
  readonly cell: CellName;
  readonly batch: number;
  readonly steps: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly classes: number;
}

/** Weights by seqc's names: `W` [hidden, inputs] and `U` [hidden, hidden] and `b` [hidden] of every gate, then `head.W` [classes, features] and `head.b`. */
export type Weights = ReadonlyMap<string, FloatArray>;

export interface SequenceProblem extends SequenceSize {
  /** [batch, steps, inputs] */
  readonly x: Float32Array;
  /** [batch, steps] */
  readonly y: Int32Array;
  readonly weights: Weights;
}

export function sequenceProblem(size: SequenceSize): SequenceProblem {
  const positions = size.batch * size.steps;
  return {
    ...size,
    x: randomFloats("x", positions * size.inputs, "gaussian"),
    y: randomClasses("y", positions, size.classes),
    weights: sequenceWeights(size),
  };
}

/** Of the vector that the head reads. */
export function features({ cell, hidden }: SequenceSize): number {
  return CELLS[cell].prefixes.length * hidden;
}

function sequenceWeights(size: SequenceSize): Weights {
  const { gates, prefixes } = CELLS[size.cell];
  const { hidden, inputs, classes } = size;
  const shapes = new Map<string, readonly number[]>();
  for (const prefix of prefixes)
    for (const gate of gates) {
      shapes.set(`${prefix}W.${gate}`, [hidden, inputs]);
      shapes.set(`${prefix}U.${gate}`, [hidden, hidden]);
      shapes.set(`${prefix}b.${gate}`, [hidden]);
    }
  shapes.set("head.W", [classes, features(size)]);
  shapes.set("head.b", [classes]);
  return randomWeights(shapes);
}

/** Numbers of the usual size: the standard deviation is 1/√(inputs), 0.1 for a bias. */
export function randomWeights(shapes: ReadonlyMap<string, readonly number[]>): Weights {
  return new Map(
    [...shapes].map(([name, shape]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const scale = shape.length < 2 ? 0.1 : 1 / Math.sqrt(shape.at(-1) ?? 1);
      return [name, { shape, data: randomFloats(name, count, "gaussian", scale) }];
    }),
  );
}

/** Multiply-adds of products, two FLOPs each. The gradient by `x` is not counted: a first layer does not need it. */
export function sequenceFlops(size: SequenceSize): { readonly forward: number; readonly training: number } {
  const { gates, prefixes } = CELLS[size.cell];
  const rows = size.batch * size.steps;
  const units = gates.length * prefixes.length * size.hidden;
  const head = features(size) * size.classes;
  const forward = units * (size.inputs + size.hidden) + head;
  // By the weights as much as forward; back through the recurrence and through the head.
  const training = 2 * forward + units * size.hidden + head;
  return { forward: 2 * rows * forward, training: 2 * rows * training };
}
