import fc from "fast-check";
import { expect, test } from "vitest";
import type { Node } from "../../src/ir/graph.ts";
import type { Reads } from "../../src/ir/op.ts";
import type { Tensor } from "../../src/ir/tensor.ts";
import { hasAxis, type Type } from "../../src/ir/type.ts";
import { OPS } from "../../src/op/table.ts";
import { createChance } from "../support/chance.ts";
import { type OpCase, randomCase } from "../support/op_cases.ts";
import { positionsAlong } from "../support/tensors.ts";

/*
 * What an op says about how it reads along an axis is true: changing an input at a position that an output position is said
 * not to read does not change that output.
 */

test.each(OPS.map((op) => [op.name, op] as const))("%s reads only what it says", (_name, op) => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const given = randomCase(op, createChance(seed));
      const outputs = outputTypes(given);
      const node: Node = {
        op,
        attributes: given.attributes,
        inputs: given.types.map((_, index) => `in${index}`),
        outputs: outputs.map((type, index) => ({ id: `out${index}`, type })),
        origin: undefined,
      };
      given.types.forEach((type, input) => {
        for (const axis of type.axes) checkAlong(given, node, outputs, input, axis.id);
      });
    }),
    { numRuns: 30 },
  );
});

function outputTypes({ op, types, attributes }: OpCase): readonly Type[] {
  const outputs = op.infer(types, attributes);
  if (typeof outputs === "string") throw new Error(`${op.name}: ${outputs}`);
  return outputs;
}

function checkAlong(given: OpCase, node: Node, outputs: readonly Type[], input: number, axis: string): void {
  const type = given.types[input];
  const tensor = given.inputs[input];
  if (type === undefined || tensor === undefined) return;
  const reads = node.op.reads(node, input, axis, type);
  const before = node.op.evaluate(given.inputs, given.attributes, outputs, given.sizes);
  for (let position = 0; position < (given.sizes.get(axis) ?? 0); position++) {
    const inputs = given.inputs.map((own, index) => (index === input ? changedAt(own, axis, position) : own));
    const after = node.op.evaluate(inputs, given.attributes, outputs, given.sizes);
    outputs.forEach((output, index) => {
      if (!hasAxis(output, axis)) return;
      const [old, now] = [before[index], after[index]];
      if (old === undefined || now === undefined) return;
      positionsAlong(old, axis).forEach((at, offset) => {
        if (mayRead(reads, at, position)) return;
        expect(now.data[offset], `${axis} ${position} reaches ${axis} ${at} (${JSON.stringify(reads)})`).toBe(
          old.data[offset],
        );
      });
    });
  }
}

const LAST = 3;

function mayRead(reads: Reads, at: number, position: number): boolean {
  // A read outside is clipped to the nearest end.
  const clip = (index: number): number => Math.min(Math.max(index, 0), LAST);
  switch (reads.kind) {
    case "same":
      return position === at;
    case "offsets":
      return position >= clip(at + reads.low) && position <= clip(at + reads.high);
    case "prefix":
      return position <= clip(at + reads.end - 1);
    case "suffix":
      return position >= clip(at + reads.start);
    case "all":
      return true;
    default:
      return reads satisfies never;
  }
}

function changedAt(tensor: Tensor, axis: string, position: number): Tensor {
  const positions = positionsAlong(tensor, axis);
  const change = { float: (x: number) => x + 0.7, int: (x: number) => (x + 1) % 4, bool: (x: number) => 1 - x };
  return {
    ...tensor,
    data: tensor.data.map((value, offset) => (positions[offset] === position ? change[tensor.dtype](value) : value)),
  };
}
