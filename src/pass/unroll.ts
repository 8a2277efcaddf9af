import { type Graph, isNode, type Node } from "../ir/graph.ts";
import { constantSize, multiplySizes, type Size, sizeConstant, sizeNames, subtractSizes } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import { concat, expand, gather, reshape, slice } from "../op/move.ts";
import { scan } from "../op/region.ts";
import { constant } from "../op/source.ts";
import { copyGraph, copyNodes } from "./copy-body.ts";
import { createDraft, type Draft } from "./draft.ts";
import { createFresh, type Fresh } from "./fresh.ts";
import { bodyOf, closeLoop, type Loop, openLoop, stackedType } from "./loop.ts";
import type { Pass } from "./pass.ts";
import { allScans } from "./region.ts";
import { specialize } from "./specialize.ts";
import { wholeChunks } from "./whole-chunks.ts";

/**
 * Several steps of a loop as one. A factor: innermost loops do that many steps at a time, and a second loop what is left over.
 * `full`: all steps of loops whose length is known stand one after another, as the drawings of textbooks have it; a length that `sizes`
 * gives becomes a number in the graph's types.
 */
export const unroll: Pass = (graph, { sizes, unroll: factor, fresh }) => {
  if (factor === undefined || factor === 1) return graph;
  if (factor !== "full") return unrollRegion(graph, fresh ?? createFresh(graph), factor);
  const names = allScans(graph).flatMap((node) =>
    isNode(node, scan) ? [...sizeNames(node.attributes.axis.size)] : [],
  );
  const numbers = new Map(
    names.flatMap((name) => {
      const number = sizes.get(name);
      return number === undefined ? [] : [[name, number] as const];
    }),
  );
  const known = specialize(graph, numbers);
  return unrollRegion(known, fresh ?? createFresh(known), factor);
};

function unrollRegion(graph: Graph, fresh: Fresh, factor: number | "full"): Graph {
  const draft = createDraft(graph, { fresh });
  for (const node of graph.nodes) {
    draft.within(node.origin);
    if (!isNode(node, scan)) {
      draft.keep(draft.current(node));
      continue;
    }
    const isInnermost = allScans(node.attributes.body).length === 0;
    const body = unrollRegion(node.attributes.body, fresh, factor);
    const current = draft.current(
      body === node.attributes.body ? node : { ...node, attributes: { ...node.attributes, body } },
    );
    if (!isNode(current, scan)) continue;
    const length = sizeConstant(node.attributes.axis.size);
    if (factor === "full" && length !== undefined && length > 0) unrollAll(openLoop(current), length, draft);
    else if (factor !== "full" && isInnermost) unrollBy(openLoop(current), factor, draft);
    else draft.keep(current);
  }
  return draft.finish();
}

/** Every step written out. */
function unrollAll(loop: Loop, length: number, draft: Draft): void {
  const { carries, ys } = steps(
    loop,
    loop.axis,
    length,
    loop.carries.map((carry) => carry.start),
    (passed) => passed.outside,
    draft,
  );
  loop.carries.forEach((carry, index) => {
    draft.define(carry.last, expand, [carries[index] ?? ""], { axes: [] });
  });
  loop.ys.forEach((y, index) => {
    const entries = ys.map((step) => step[index] ?? "");
    draft.define(y.output, concat, entries, { axes: entries.map(() => ""), to: loop.axis });
  });
}

interface Steps {
  /** The state behind all steps. */
  readonly carries: readonly string[];
  /** For each position, the body's ys there. */
  readonly ys: readonly (readonly string[])[];
}

/** Copies of a loop's body at positions 0 ... count-1 of `axis`, which the values of `entries` have, in the loop's direction. */
function steps(
  loop: Loop,
  axis: Axis,
  count: number,
  starts: readonly string[],
  outside: (passed: Loop["consts"][number]) => string,
  draft: Draft,
): Steps {
  let carries = starts;
  const ys: (readonly string[])[] = [];
  for (let step = 0; step < count; step++) {
    const at = loop.reverse ? count - 1 - step : step;
    const values = new Map<string, string>(loop.consts.map((passed) => [passed.param.id, outside(passed)]));
    loop.carries.forEach((carry, index) => {
      values.set(carry.param.id, carries[index] ?? "");
    });
    const position = loop.xs.length === 0 ? "" : draft.add(constant, [], { value: at, dtype: "int" }, "c");
    for (const x of loop.xs) {
      values.set(x.param.id, draft.add(gather, [outside(x), position], { axis: axis.id }, x.param.id));
    }
    for (const node of copyNodes(loop.nodes, values, draft.fresh)) draft.keep(node);
    const name = (id: string): string => values.get(id) ?? id;
    carries = loop.carries.map((carry) => name(carry.next));
    ys[at] = loop.ys.map((y) => name(y.inside));
  }
  return { carries, ys };
}

/** A loop over chunks of `factor` steps, and one over the steps that are left over at the end. */
function unrollBy(loop: Loop, factor: number, draft: Draft): void {
  const { fresh } = draft;
  const size = loop.axis.size;
  const chunks = wholeChunks(size, factor);
  const rest = subtractSizes(size, multiplySizes(chunks, constantSize(factor)));
  const id = loop.axis.id;
  const main: Axis = fresh.axis(`${id}.main`, subtractSizes(size, rest));
  const chunk: Axis = fresh.axis(`${id}.chunk`, chunks);
  const step: Axis = fresh.axis(`${id}.step`, constantSize(factor));
  const left: Axis = fresh.axis(`${id}.rest`, rest);
  const hasRest = sizeConstant(rest) !== 0;
  const parts = [
    (starts: readonly string[]) => chunkLoop(loop, { main, chunk, step }, starts, draft),
    ...(hasRest ? [(starts: readonly string[]) => restLoop(loop, left, main.size, starts, draft)] : []),
  ];
  let starts = loop.carries.map((carry) => carry.start);
  const ys: (readonly string[])[] = [];
  for (const [index, part] of loop.reverse ? [...parts.entries()].reverse() : [...parts.entries()]) {
    const made = part(starts);
    starts = [...made.carries];
    ys[index] = made.ys;
  }
  loop.carries.forEach((carry, index) => {
    draft.define(carry.last, expand, [starts[index] ?? ""], { axes: [] });
  });
  loop.ys.forEach((y, index) => {
    const values = ys.map((part) => part[index] ?? "");
    const axes = [main.id, left.id].slice(0, values.length);
    draft.define(y.output, concat, values, { axes, to: loop.axis });
  });
}

interface Part {
  readonly carries: readonly string[];
  readonly ys: readonly string[];
}

interface ChunkAxes {
  /** The positions of whole chunks, which chunk and step within it are. */
  readonly main: Axis;
  readonly chunk: Axis;
  readonly step: Axis;
}

function chunkLoop(loop: Loop, { main, chunk, step }: ChunkAxes, starts: readonly string[], draft: Draft): Part {
  const params = bodyOf(loop).params.map((param) => {
    const isX = loop.xs.some((x) => x.param.id === param.id);
    const type = isX ? stackedType(param.type, step) : param.type;
    return { id: draft.fresh.value(param.id), type };
  });
  const [consts, carries, xs] = split(params, loop);
  const outside = loop.xs.map((x) => {
    const whole = draft.add(slice, [x.outside], { axis: loop.axis.id, to: main, start: constantSize(0) });
    return draft.add(reshape, [whole], { from: [main.id], to: [chunk, step] });
  });
  const body = createDraft({ name: loop.name, params, nodes: [], results: [] }, draft);
  const names = new Map(
    [...loop.consts, ...loop.xs].map((passed, index) => [passed, [...consts, ...xs][index]?.id ?? ""]),
  );
  const count = sizeConstant(step.size) ?? 1;
  const done = steps(
    loop,
    step,
    count,
    carries.map((carry) => carry.id),
    (passed) => names.get(passed) ?? "",
    body,
  );
  const inside = loop.ys.map((_, index) => {
    const entries = done.ys.map((position) => position[index] ?? "");
    return body.add(concat, entries, { axes: entries.map(() => ""), to: step });
  });
  const results = [...done.carries, ...inside].map((id) => ({ name: id, id }));
  const lasts = loop.carries.map((carry) => ({ id: draft.fresh.value(carry.last.id), type: carry.last.type }));
  const outputs = inside.map((id) => ({ id: draft.fresh.value(id), type: stackedType(body.type(id), chunk) }));
  draft.keep(
    closeLoop({
      ...loop,
      axis: chunk,
      consts: consts.map((param, index) => ({ outside: loop.consts[index]?.outside ?? "", param })),
      carries: carries.map((param, index) => ({
        start: starts[index] ?? "",
        param,
        next: done.carries[index] ?? "",
        last: lasts[index] ?? param,
      })),
      xs: xs.map((param, index) => ({ outside: outside[index] ?? "", param })),
      ys: inside.map((id, index) => ({ inside: id, output: outputs[index] ?? { id, type: body.type(id) } })),
      nodes: body.finish(results).nodes,
    }),
  );
  const ys = outputs.map((output) => draft.add(reshape, [output.id], { from: [chunk.id, step.id], to: [main] }));
  return { carries: lasts.map((last) => last.id), ys };
}

function split<T>(
  params: readonly T[],
  { consts, carries }: Loop,
): readonly [readonly T[], readonly T[], readonly T[]] {
  const first = consts.length;
  const second = first + carries.length;
  return [params.slice(0, first), params.slice(first, second), params.slice(second)];
}

function restLoop(loop: Loop, left: Axis, start: Size, starts: readonly string[], draft: Draft): Part {
  const body = copyGraph(bodyOf(loop), draft.fresh);
  const xs = loop.xs.map((x) => draft.add(slice, [x.outside], { axis: loop.axis.id, to: left, start }));
  const types = new Map([...body.params, ...body.nodes.flatMap((node) => node.outputs)].map((v) => [v.id, v.type]));
  const lasts = loop.carries.map((carry) => ({ id: draft.fresh.value(carry.last.id), type: carry.last.type }));
  const outputs = body.results.slice(loop.carries.length).map((result) => ({
    id: draft.fresh.value(result.id),
    type: stackedType(types.get(result.id) ?? { dtype: "float", axes: [] }, left),
  }));
  const node: Node = {
    op: scan,
    attributes: {
      axis: left,
      reverse: loop.reverse,
      consts: loop.consts.length,
      carries: loop.carries.length,
      xs: xs.length,
      body,
    },
    inputs: [...loop.consts.map((passed) => passed.outside), ...starts, ...xs],
    outputs: [...lasts, ...outputs],
    origin: loop.origin,
  };
  draft.keep(node);
  return { carries: lasts.map((last) => last.id), ys: outputs.map((output) => output.id) };
}
