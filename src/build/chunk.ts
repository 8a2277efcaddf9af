import type { Regime } from "../check/regime.ts";
import type { Graph } from "../ir/graph.ts";
import { type Carried, carryStates, recurrencesOver } from "./carry.ts";
import type { OpenModel } from "./model.ts";

/** With `bptt`, recurrences over time go on from the chunk before. */
export function carriedGraph(model: OpenModel, regime: Regime, graph: Graph): Carried | undefined {
  if (regime.bptt === undefined) return { graph, states: [] };
  const [time] = model.session.times;
  const { carried, further } = recurrencesOver(graph, time ?? "");
  if (time !== undefined && carried.length > 0 && further === undefined) {
    return carryStates(graph, time, chunkOverlap(model));
  }
  const name = model.frame.definition.name.text;
  const text =
    further === undefined
      ? `${name} has no state to carry from chunk to chunk`
      : `${name} reads itself further back than one position`;
  model.session.report.add("wrong-option", regime.bptt.span, text, {
    related: further?.origin === undefined ? [] : [{ span: further.origin.span, message: "it is read here" }],
    hint:
      further === undefined
        ? "bptt cuts a recurrence over time; leave it out, and cut the data with windows(...)"
        : "bptt carries what is read at t-1; leave it out, and cut the data with windows(...)",
  });
  return undefined;
}

/** How far emissions look ahead: chunks share so many positions. */
export function chunkOverlap(model: OpenModel): number {
  return Math.max(0, ...model.emissions.flatMap((item) => item.indices.map((index) => index.offset)));
}
