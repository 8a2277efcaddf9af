import { isNode, type Node } from "../ir/graph.ts";
import { hasAxis, type Type } from "../ir/type.ts";
import { expand } from "../op/move.ts";
import { scan } from "../op/region.ts";
import { constant, extent, iota } from "../op/source.ts";
import type { Draft } from "./draft.ts";
import { closeLoop, type Loop, openLoop, type Passed } from "./loop.ts";

/**
 * A loop takes in what it can make itself (constants, positions, sizes), takes an xs that is the same at every step as a const, and
 * gives no xs back. Adds the loop to the draft.
 */
export function simplifyScan(node: Node, draft: Draft): void {
  if (!isNode(node, scan)) {
    draft.keep(node);
    return;
  }
  const opened = openLoop(node);
  const loop = withoutSources(fixedEntries(opened, draft), draft);
  const ys = loop.ys.filter((y) => !isGivenBack(loop, y.inside, y.output.type, y.output.id, draft));
  const changed = loop !== opened || ys.length < loop.ys.length;
  draft.keep(changed ? closeLoop({ ...loop, ys }) : node);
}

/** xs that only repeat a value along the loop become consts. */
function fixedEntries(loop: Loop, draft: Draft): Loop {
  const consts: Passed[] = [];
  const xs: Passed[] = [];
  for (const x of loop.xs) {
    const node = draft.definition(x.outside);
    const source = isNode(node, expand) ? (node.inputs[0] ?? "") : "";
    if (!isNode(node, expand) || hasAxis(draft.type(source), loop.axis.id)) {
      xs.push(x);
      continue;
    }
    const axes = node.attributes.axes.filter(
      (axis) => axis.id !== loop.axis.id && !hasAxis(draft.type(source), axis.id),
    );
    consts.push({ ...x, outside: axes.length === 0 ? source : draft.add(expand, [source], { axes }) });
  }
  return consts.length === 0 ? loop : { ...loop, consts: [...loop.consts, ...consts], xs };
}

/** Consts that are numbers, positions or sizes are made in the body. */
function withoutSources(loop: Loop, draft: Draft): Loop {
  const made: Node[] = [];
  const consts = loop.consts.filter(({ outside, param }) => {
    const copies = sourceNodes(outside, param.id, param.type, draft);
    made.push(...(copies ?? []));
    return copies === undefined;
  });
  return made.length === 0 ? loop : { ...loop, consts, nodes: [...made, ...loop.nodes] };
}

function sourceNodes(outside: string, id: string, type: Type, draft: Draft): readonly Node[] | undefined {
  const node = draft.definition(outside);
  if (isNode(node, constant) || isNode(node, iota) || isNode(node, extent))
    return [{ ...node, outputs: [{ id, type }] }];
  if (!isNode(node, expand)) return undefined;
  const source = node.inputs[0] ?? "";
  const inner = draft.fresh.value(`${id}.c`);
  const copies = sourceNodes(source, inner, draft.type(source), draft);
  return copies && [...copies, { ...node, inputs: [inner], outputs: [{ id, type }] }];
}

/** Whether a y is an xs or a const, and so known outside; then it gets that value's name there. */
function isGivenBack(loop: Loop, inside: string, type: Type, output: string, draft: Draft): boolean {
  const x = loop.xs.find((passed) => passed.param.id === inside);
  if (draft.isResult(output)) return false;
  if (x !== undefined) {
    draft.alias(output, x.outside);
    return true;
  }
  const fixed = loop.consts.find((passed) => passed.param.id === inside);
  if (fixed === undefined) return false;
  draft.define({ id: output, type }, expand, [fixed.outside], { axes: [loop.axis] });
  return true;
}
