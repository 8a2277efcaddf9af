import { isNode } from "../ir/graph.ts";
import type { Op } from "../ir/op.ts";
import type { NoAttributes } from "../op/elementwise.ts";
import * as maps from "../op/map.ts";
import { extent, iota, random } from "../op/source.ts";
import type { Call, Rule, Simplifier } from "./simplify-rule.ts";
import { asType, behindExpand, uniform, uniformValue } from "./values.ts";

/** select(c, a, b), and orelse as select. */
function chosen(call: Call, c: string, a: string, b: string, { draft, make }: Simplifier): string | undefined {
  const known = uniformValue(draft, c);
  if (known !== undefined) return asType(draft, known !== 0 ? a : b, call.type);
  if (a === b) return asType(draft, a, call.type);
  const [left, right] = [uniformValue(draft, a), uniformValue(draft, b)];
  if (left !== undefined && right !== undefined) {
    if (Object.is(left, right)) return asType(draft, a, call.type);
    if (call.type.dtype === "bool") return asType(draft, left === 1 ? c : make(maps.not, [c], {}), call.type);
  }
  // Under the same condition only one side of an inner choice can be meant.
  const yes = draft.definition(a);
  if (isNode(yes, maps.select) && yes.inputs[0] === c) return make(maps.select, [c, yes.inputs[1] ?? "", b], {});
  const no = draft.definition(b);
  if (isNode(no, maps.select) && no.inputs[0] === c) return make(maps.select, [c, a, no.inputs[2] ?? ""], {});
  return undefined;
}

const selectRule: Rule = (call, simplifier) => {
  const { draft, make } = simplifier;
  const [c = "", a = "", b = ""] = call.inputs;
  const condition = draft.definition(c);
  if (isNode(condition, maps.not)) return make(maps.select, [condition.inputs[0] ?? "", b, a], {});
  return chosen(call, c, a, b, simplifier);
};

const orelseRule: Rule = (call, { draft }) => {
  const [x = "", otherwise = "", inside = ""] = call.inputs;
  const known = uniformValue(draft, inside);
  if (known !== undefined) return asType(draft, known !== 0 ? x : otherwise, call.type);
  return x === otherwise ? asType(draft, x, call.type) : undefined;
};

/** and: neutral 1, absorbing 0; or: the other way round. */
const logicRule =
  (neutral: number): Rule =>
  (call, { draft }) => {
    const [x = "", y = ""] = call.inputs;
    if (x === y) return x;
    for (const [known, other] of [
      [uniformValue(draft, x), y],
      [uniformValue(draft, y), x],
    ] as const) {
      if (known === undefined) continue;
      return known === neutral ? asType(draft, other, call.type) : uniform(draft, known, call.type);
    }
    return undefined;
  };

const notRule: Rule = (call, { draft }) => {
  const node = draft.definition(call.inputs[0] ?? "");
  return isNode(node, maps.not) ? node.inputs[0] : undefined;
};

/** x > y is y < x. */
const swapped =
  (op: Op<NoAttributes>): Rule =>
  (call, { make }) => {
    const [x = "", y = ""] = call.inputs;
    return make(op, [y, x], {});
  };

/** Positions are 0 and more, and fewer than the size of their axis; uniform numbers are 0 and more, and less than 1. */
const lessRule: Rule = (call, simplifier) => {
  const { draft } = simplifier;
  const [x = "", y = ""] = call.inputs;
  if (x === y) return uniform(draft, 0, call.type);
  const low = uniformValue(draft, x);
  if (low !== undefined && low < 0 && isNode(behindExpand(draft, y).node, iota)) return uniform(draft, 1, call.type);
  const position = behindExpand(draft, x).node;
  const drawn = isNode(position, random) && position.attributes.distribution === "uniform";
  const limit = drawn ? uniformValue(draft, y) : undefined;
  // Dropout by 0 drops nothing.
  if (limit !== undefined && (limit <= 0 || limit >= 1)) return uniform(draft, limit <= 0 ? 0 : 1, call.type);
  if (!isNode(position, iota)) return undefined;
  const bound = behindExpand(draft, y).node;
  const size = isNode(bound, maps.toInt) ? behindExpand(draft, bound.inputs[0] ?? "").node : bound;
  const isSize = isNode(size, extent) && size.attributes.size.text === position.attributes.axis.size.text;
  return isSize ? uniform(draft, 1, call.type) : undefined;
};

const lessOrEqualRule: Rule = (call, { draft }) => {
  const [x = "", y = ""] = call.inputs;
  const low = uniformValue(draft, x);
  if (low === undefined || low > 0 || !isNode(behindExpand(draft, y).node, iota)) return undefined;
  return uniform(draft, 1, call.type);
};

export const CHOICE_RULES: Readonly<Record<string, Rule>> = {
  select: selectRule,
  orelse: orelseRule,
  and: logicRule(1),
  or: logicRule(0),
  not: notRule,
  gt: swapped(maps.lt),
  ge: swapped(maps.le),
  lt: lessRule,
  le: lessOrEqualRule,
};
