import type { Graph, Node } from "../ir/graph.ts";
import { createDraft } from "./draft.ts";
import { createFresh, type Fresh } from "./fresh.ts";
import type { Pass } from "./pass.ts";
import { mapBodies } from "./region.ts";
import { ARITHMETIC_RULES } from "./simplify-arithmetic.ts";
import { CHOICE_RULES } from "./simplify-choice.ts";
import { simplifyMap } from "./simplify-map.ts";
import { MOVE_RULES } from "./simplify-move.ts";
import { PART_RULES } from "./simplify-part.ts";
import type { Call, Rule, Simplifier } from "./simplify-rule.ts";
import { simplifyScan } from "./simplify-scan.ts";
import { SUM_RULES } from "./simplify-sum.ts";
import { asType } from "./values.ts";

/**
 * Algebra, one rule an op, in the order of the nodes: what a rule makes is simplified too. Rules keep NaN and infinities as the
 * interpreter shows them; docs/passes.md lists the few liberties (the sign of zero, the last digits).
 */
export const simplify: Pass = (graph, { fresh = createFresh(graph) }) => simplifyRegion(graph, fresh);

const RULES: ReadonlyMap<string, Rule> = new Map(
  [ARITHMETIC_RULES, CHOICE_RULES, MOVE_RULES, PART_RULES, SUM_RULES].flatMap((rules) => Object.entries(rules)),
);

function simplifyRegion(graph: Graph, fresh: Fresh): Graph {
  const draft = createDraft(graph, { fresh });
  const simplifier: Simplifier = {
    draft,
    make: (op, inputs, attributes) => {
      const type = op.infer(inputs.map(draft.type), attributes);
      if (typeof type === "string" || type[0] === undefined) throw new Error(`internal: ${op.name}: ${type}`);
      const call: Call = { op, inputs: inputs.map(draft.resolve), attributes, type: type[0] };
      return simplified(call, simplifier) ?? draft.add(op, inputs, attributes);
    },
  };
  for (const node of graph.nodes) {
    const current = draft.current(node);
    draft.within(node.origin);
    if (current.op.form === "region") {
      simplifyScan(
        mapBodies(current, (body) => simplifyRegion(body, fresh)),
        draft,
      );
      continue;
    }
    const found = simplifiedNode(current, simplifier);
    if (found === undefined) draft.keep(current);
    else draft.replace(current, found);
  }
  return draft.finish();
}

function simplifiedNode(node: Node, simplifier: Simplifier): string | undefined {
  const [output] = node.outputs;
  if (output === undefined || node.outputs.length > 1) return undefined;
  return simplified({ op: node.op, inputs: node.inputs, attributes: node.attributes, type: output.type }, simplifier);
}

/** Whatever axes a rule has lost on the way are repeated in the end. */
function simplified(call: Call, simplifier: Simplifier): string | undefined {
  const found =
    RULES.get(call.op.name)?.(call, simplifier) ?? (call.op.form === "map" ? simplifyMap(call, simplifier) : undefined);
  return found === undefined ? undefined : asType(simplifier.draft, found, call.type);
}
