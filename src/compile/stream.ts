import { carryStates, FRESH, isFirst, recurrencesOver } from "../build/carry.ts";
import { forwardProgram } from "../build/forward.ts";
import { openModel } from "../build/model.ts";
import type { ParamRole, Program, ResultRole } from "../build/program.ts";
import { type Graph, isNode, type Node, valueTypes } from "../ir/graph.ts";
import { hasAxis } from "../ir/type.ts";
import { iota } from "../op/source.ts";
import { shift } from "../op/window.ts";
import type { Expression } from "../syntax/tree.ts";
import { type Job, modelRequest, scheduled } from "./program.ts";

/**
 * A model run forward on a piece of sequences: it goes on from the states that the piece before left (params `carry`), and gives the states
 * after it (results `carry`). The results are those of the whole sequence at the piece's positions. Undefined where pieces do not suffice: a
 * model that reads ahead, further back than one position, or its own position; or one with no state at all.
 */
export function compileStream(job: Job, model: Expression): Program | undefined {
  const request = modelRequest({ ...job, dense: true }, model);
  // Without a time there are no pieces, and nothing needs to be built to know it.
  if (request?.definition.items.some(({ kind }) => kind === "time") !== true) return undefined;
  const opened = openModel(request);
  const forward = forwardProgram(opened, { values: [], loss: undefined, gradients: false });
  const [time, ...others] = opened.session.times;
  if (forward === undefined || time === undefined || others.length > 0 || job.report.hasErrors) return undefined;
  const { carried, further } = recurrencesOver(forward.graph, time);
  if (carried.length === 0 || further !== undefined || !isInPieces(forward.graph, time, new Set(carried)))
    return undefined;
  const { graph, states } = carryStates(forward.graph, time, 0);
  const params = new Map<string, ParamRole>(forward.params).set(FRESH, { kind: "fresh" });
  const results = new Map<string, ResultRole>(forward.results);
  for (const name of states) {
    params.set(name, { kind: "carry", name });
    results.set(name, { kind: "carry", name });
  }
  const program = { ...forward, name: `${forward.name}.stream`, graph, params, results };
  return scheduled(program, job.report, job.modules);
}

/** Whether every position needs itself and the carried states alone. */
function isInPieces(graph: Graph, time: string, carried: ReadonlySet<Node>): boolean {
  const types = valueTypes(graph);
  const reads = graph.nodes.every((node) => {
    if (isNode(node, shift) && carried.has(node)) return true;
    return node.inputs.every((input, at) => {
      const type = types.get(input);
      return type === undefined || !hasAxis(type, time) || node.op.reads(node, at, time, type).kind === "same";
    });
  });
  return reads && !needsPosition(graph, time);
}

/** Whether a result depends on where in the sequence it stands, beyond where a recurrence begins. */
function needsPosition(graph: Graph, time: string): boolean {
  const positions = new Set(
    graph.nodes.flatMap((node) =>
      isNode(node, iota) && node.attributes.axis.id === time ? node.outputs.map(({ id }) => id) : [],
    ),
  );
  for (let before = -1; before !== positions.size; ) {
    before = positions.size;
    for (const node of graph.nodes) {
      const isStart = isFirst(node, time);
      if (node.inputs.some((input, at) => positions.has(input) && !(isStart && at === 2)))
        for (const { id } of node.outputs) positions.add(id);
    }
  }
  return graph.results.some(({ id }) => positions.has(id));
}
