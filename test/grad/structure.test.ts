import { describe, expect, test } from "vitest";
import { gradients } from "../../src/grad/gradients.ts";
import type { Graph, Node } from "../../src/ir/graph.ts";
import { isNode } from "../../src/ir/graph.ts";
import { contract } from "../../src/op/contract.ts";
import { reduce } from "../../src/op/reduce.ts";
import { scan } from "../../src/op/region.ts";
import { schedule } from "../../src/schedule/schedule.ts";
import { buildRecurrence } from "../support/recurrence.ts";
import { RECURRENCES } from "../support/recurrences.ts";

const CELLS = ["rnn", "reversed rnn", "two directions", "stacked", "lstm"];

describe.each(RECURRENCES.filter((recurrence) => CELLS.includes(recurrence.name)))("$name", (recurrence) => {
  const { builder, loss, wrt } = buildRecurrence(recurrence);
  const cotangents = gradients(builder, loss, wrt);
  const graph = builder.finish([
    { name: "loss", id: loss },
    ...cotangents.map((id, index) => ({ name: `d.${wrt[index]}`, id })),
  ]);
  const scheduled = schedule(graph, recurrence.sizes);
  if (!("graph" in scheduled)) throw new Error("does not schedule");
  const scans = scheduled.graph.nodes.filter((node) => isNode(node, scan));
  const backward = scans.slice(scans.length / 2);

  test("one loop backward for each forward", () => {
    expect(scans).toHaveLength(2 * recurrence.scans);
    const directions = scans.map((node) => node.attributes.reverse);
    expect(directions.filter((reverse) => reverse)).toHaveLength(recurrence.scans);
  });

  test("weights' gradients are products over time and batch together, outside of loops", () => {
    const weights = wrt.filter((id) => builder.type(id).axes.length === 2);
    for (const id of weights) {
      const node = definition(scheduled.graph, `d.${id}`);
      expect(isNode(node, contract) && new Set(node.attributes.over), id).toEqual(new Set(["T", "B"]));
    }
    for (const node of scans.flatMap((outer) => outer.attributes.body.nodes)) {
      if (isNode(node, contract)) expect(node.attributes.over).not.toContain("B");
      expect(isNode(node, reduce), node.outputs[0]?.id).toBe(false);
    }
  });

  test("loops carry states or their cotangents, nothing else", () => {
    const { carries } = backward[0]?.attributes ?? {};
    expect(carries).toBe(scans[0]?.attributes.carries);
    for (const { attributes, outputs } of scans) {
      for (const { type } of outputs.slice(0, attributes.carries)) {
        expect(new Set(type.axes.map((axis) => axis.id))).toEqual(new Set(["B", "H"]));
      }
    }
  });

  test("of the loop backward only the cotangents of what is added up leave it, one for each weight matrix at most", () => {
    for (const { attributes, outputs } of scans.filter((_, index) => index >= recurrence.scans)) {
      const matrices = attributes.body.params
        .slice(0, attributes.consts)
        .filter((param) => param.type.axes.every((axis) => axis.id.startsWith("H")) && param.type.axes.length === 2);
      const starts = recurrence.name === "lstm" ? 0 : 1;
      expect(outputs.length - attributes.carries).toBe(matrices.length + starts);
    }
  });

  test("inputs are multiplied before the loop", () => {
    const inner = scans.flatMap((node) => node.attributes.body.nodes).filter((node) => isNode(node, contract));
    for (const node of inner) expect(node.outputs[0]?.type.axes.map((axis) => axis.id)).not.toContain("D");
    const consts = scans.flatMap((node) => node.inputs.slice(0, node.attributes.consts));
    expect(consts.filter((id) => id.includes("W"))).toEqual([]);
  });

  test("no mask inside", () => {
    const choices = scans
      .flatMap((node) => node.attributes.body.nodes)
      .filter((node) => /select|orelse/.test(node.op.name));
    expect(choices).toEqual([]);
  });
});

function definition(graph: Graph, result: string): Node | undefined {
  const id = graph.results.find((candidate) => candidate.name === result)?.id;
  return graph.nodes.find((node) => node.outputs.some((output) => output.id === id));
}
