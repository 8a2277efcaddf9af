import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Builder, createBuilder } from "../../src/ir/builder.ts";
import type { Graph } from "../../src/ir/graph.ts";
import { interpret } from "../../src/ir/interpret.ts";
import type { Op } from "../../src/ir/op.ts";
import { layOut } from "../../src/ir/strided.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import type { Type } from "../../src/ir/type.ts";
import * as make from "../../src/op/make.ts";
import { sumOver } from "../../src/op/make_sum.ts";
import { stopGradient } from "../../src/op/map.ts";
import { OPS } from "../../src/op/table.ts";
import { backward } from "../support/backward.ts";
import { createChance } from "../support/chance.ts";
import { onlyResult } from "../support/finite.ts";
import { type OpCase, randomCase } from "../support/op_cases.ts";
import { positionsAlong, randomTensor } from "../support/tensors.ts";

/*
 * Gradients against central differences, for every op that gives one: of Σ w·y by the inputs (first order), and of Σ v·gradient
 * by the inputs and w (second order). Points where the op has a corner or a pole are left out: there the differences of several
 * step widths disagree. The seed is fixed, so that nobody meets such a point by chance.
 */

const differentiable = OPS.filter((op) => op.vjp !== undefined && op.name !== "stop_gradient");

test("nothing flows through stop_gradient", () => {
  const scalar = scalarOf(stopGradient, 1, "first");
  const inputs = new Map(scalar?.params.map((param) => [param.id, param.tensor]));
  const results = interpret(scalar?.graph as Graph, inputs, scalar?.given.sizes ?? new Map());
  expect(results.get("d0")?.data.every((value) => value === 0)).toBe(true);
});

describe("first order", () => {
  test.each(differentiable.map((op) => [op.name, op] as const))("%s", (_name, op) => {
    let checked = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        checked += checkGradients(scalarOf(op, seed, "first"));
      }),
      { numRuns: 25, seed: 11 },
    );
    if (givesGradient(op)) expect(checked).toBeGreaterThan(20);
  });
});

describe("second order", () => {
  // The derivative of trigamma, which digamma's second derivative is, is no op.
  const twice = differentiable.filter((op) => op.name !== "digamma");
  test.each(twice.map((op) => [op.name, op] as const))("%s", (_name, op) => {
    let checked = 0;
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const scalar = scalarOf(op, seed, "second");
        if (scalar !== undefined) checked += checkGradients(scalar);
      }),
      { numRuns: 12, seed: 11 },
    );
    if (givesGradient(op)) expect(checked).toBeGreaterThan(5);
  });
});

/** Whether some application of the op has a derivative that is not identically zero. */
function givesGradient(op: Op): boolean {
  return [1, 2, 3, 4, 5, 6, 7, 8].some((seed) => {
    const given = randomCase(op, createChance(seed));
    const built = build(given, createChance(seed));
    const { b, output, inputs, weight } = built;
    if (b.type(output).dtype !== "float" || inputs.length === 0) return false;
    const node = b.definition(output);
    const contributions = node?.op.vjp?.({ builder: b, node, cotangents: [weight] }) ?? [];
    return contributions.some((id) => id !== undefined);
  });
}

/** A graph with one scalar result `loss` and its gradients `d0`, `d1`, … by its float params. */
interface Scalar {
  readonly graph: Graph;
  readonly params: readonly { readonly id: string; readonly tensor: Tensor; readonly gradient: string | undefined }[];
  readonly given: OpCase;
}

function scalarOf(op: Op, seed: number, order: "first" | "second"): Scalar | undefined {
  const chance = createChance(seed);
  const given = randomCase(op, chance);
  const { b, output, inputs, weight, tensors } = build(given, chance);
  if (b.type(output).dtype !== "float") return undefined;
  const floats = inputs.filter((id) => b.type(id).dtype === "float");
  let loss = total(b, make.mul(b, output, weight));
  let wrt = floats;
  if (order === "second") {
    const gradients = backward(b, loss, floats);
    const weighted = gradients.map((gradient, index) => {
      const v = b.param(`v${index}`, b.type(gradient));
      tensors.set(v, randomTensor(chance, b.type(gradient), given.sizes));
      return total(b, make.mul(b, gradient, v));
    });
    if (weighted.length === 0) return undefined;
    loss = weighted.reduce((sum, value) => make.add(b, sum, value));
    wrt = [...floats, weight];
  }
  const gradients = backward(b, loss, wrt);
  const graph = b.finish([{ name: "loss", id: loss }, ...gradients.map((id, index) => ({ name: `d${index}`, id }))]);
  const params = [...tensors].map(([id, tensor]) => {
    const index = wrt.indexOf(id);
    return { id, tensor, gradient: index < 0 ? undefined : `d${index}` };
  });
  return { graph, params, given };
}

function build(given: OpCase, chance: ReturnType<typeof createChance>) {
  const b = createBuilder("test");
  const tensors = new Map<string, Tensor>();
  const inputs = given.types.map((type, index) => {
    const id = b.param(`x${index}`, type);
    tensors.set(id, given.inputs[index] as Tensor);
    return id;
  });
  const output = b.addAll(given.op, inputs, given.attributes, ["y"])[0] ?? "";
  const type = b.type(output);
  // A cotangent may be constant along axes; not where it must vanish outside.
  const axes = given.inside === undefined ? type.axes.filter(() => chance.uniform() < 0.7) : type.axes;
  const weightType: Type = { dtype: "float", axes };
  const weight = b.param("w", weightType);
  tensors.set(weight, masked(randomTensor(chance, weightType, given.sizes), given));
  return { b, output, inputs, weight, tensors };
}

function masked(tensor: Tensor, { inside }: OpCase): Tensor {
  if (inside === undefined) return tensor;
  const along = new Map(tensor.axes.map((axis) => [axis, positionsAlong(tensor, axis)]));
  return {
    ...tensor,
    data: tensor.data.map((value, offset) => {
      const position = new Map([...along].map(([axis, positions]) => [axis, positions[offset] ?? 0]));
      return inside(position) ? value : 0;
    }),
  };
}

function total(b: Builder, value: string): string {
  return sumOver(b, value, b.type(value).axes);
}

/** How many partial derivatives were compared. */
function checkGradients(scalar: Scalar | undefined): number {
  if (scalar === undefined) return 0;
  const { graph, params, given } = scalar;
  const inputs = new Map(params.map((param) => [param.id, param.tensor]));
  const base = interpret(graph, inputs, given.sizes);
  const lossOnly = onlyResult(graph, "loss");
  let checked = 0;
  for (const { id, tensor, gradient } of params) {
    const result = gradient === undefined ? undefined : base.get(gradient);
    if (result === undefined) continue;
    const derivative = layOut(result, tensor.axes, tensor.shape);
    // Where outside reads have no cotangent, a second-order gradient by the weight has none either.
    const inside =
      id === "w" && given.inside !== undefined
        ? masked({ ...tensor, data: tensor.data.map(() => 1) }, given)
        : undefined;
    tensor.data.forEach((value, index) => {
      if (inside !== undefined && inside.data[index] === 0) return;
      const slope = (width: number): number => {
        const at = (x: number): number => {
          const moved = { ...tensor, data: tensor.data.with(index, x) };
          return interpret(lossOnly, new Map(inputs).set(id, moved), given.sizes).get("loss")?.data[0] ?? Number.NaN;
        };
        return (at(value + width) - at(value - width)) / (2 * width);
      };
      const [wide, fine, finest] = [slope(2e-5), slope(1e-5), slope(3e-6)];
      const scale = Math.max(1, Math.abs(fine));
      if (!(Math.abs(wide - fine) < 1e-7 * scale && Math.abs(finest - fine) < 1e-7 * scale)) return;
      const found = derivative?.data[index] ?? Number.NaN;
      const error = Math.abs(found - fine) / scale;
      expect(error, `${given.op.name}: by ${id}[${index}] found ${found}, differences give ${fine}`).toBeLessThan(1e-6);
      checked++;
    });
  }
  return checked;
}
