import { isNode } from "../ir/graph.ts";
import { constantSize, multiplySizes, sizeConstant } from "../ir/size.ts";
import { type Axis, hasAxis, type Type } from "../ir/type.ts";
import { contract } from "../op/contract.ts";
import { mul, toInt } from "../op/map.ts";
import { expand } from "../op/move.ts";
import { reduce } from "../op/reduce.ts";
import { extent } from "../op/source.ts";
import { callNode, type Rule, type Simplifier } from "./simplify-rule.ts";
import { asType, scalar } from "./values.ts";

/* Rules of ops that make one value of all positions of some axes. */

const reduceRule: Rule = (call, simplifier) => {
  const { draft, make } = simplifier;
  const [x = ""] = call.inputs;
  const own = callNode(call);
  if (!isNode(own, reduce)) return undefined;
  const { kind, axes } = own.attributes;
  if (axes.length === 0) return x;
  const node = draft.definition(x);
  if (isNode(node, reduce) && node.attributes.kind === kind) {
    return make(reduce, node.inputs, { kind, axes: [...node.attributes.axes, ...axes] });
  }
  if (!isNode(node, expand)) return undefined;
  const [source = ""] = node.inputs;
  const type = draft.type(source);
  const repeated = draft.type(x).axes.filter((axis) => axes.includes(axis.id) && !hasAxis(type, axis.id));
  if (repeated.length === 0 || kind === "prod") return undefined;
  // Of no positions at all an extreme is infinite, whatever is repeated.
  if (kind !== "sum" && !repeated.every((axis) => (sizeConstant(axis.size) ?? 0) > 0)) return undefined;
  const rest = axes.filter((id) => hasAxis(type, id));
  const reduced = rest.length === 0 ? source : make(reduce, [source], { kind, axes: rest });
  return asType(draft, kind === "sum" ? times(reduced, repeated, simplifier) : reduced, call.type);
};

/** A sum over axes that a value lacks. */
function times(x: string, axes: readonly Axis[], { draft, make }: Simplifier): string {
  const size = axes.reduce((product, axis) => multiplySizes(product, axis.size), constantSize(1));
  const known = sizeConstant(size);
  const isFloat = draft.type(x).dtype === "float";
  const number = known === undefined ? make(extent, [], { size }) : scalar(draft, known, "float");
  return make(mul, [x, isFloat ? number : make(toInt, [number], {})], {});
}

const contractRule: Rule = (call, simplifier) => {
  const { draft, make } = simplifier;
  const own = callNode(call);
  if (!isNode(own, contract)) return undefined;
  const { over } = own.attributes;
  const [a = "", b = ""] = call.inputs;
  if (over.length === 0) return make(mul, [a, b], {});
  const [x, y] = [sourceOf(a, simplifier), sourceOf(b, simplifier)];
  const [left, right] = [draft.type(x), draft.type(y)];
  const shared = over.filter((id) => hasAxis(left, id) && hasAxis(right, id));
  if (x === a && y === b && shared.length === over.length) return undefined;
  // An axis that one operand lacks is summed in the other, and one that both only repeat counts as often as it is long.
  const alone = (type: Type): readonly string[] => over.filter((id) => hasAxis(type, id) && !shared.includes(id));
  const sum = (id: string, axes: readonly string[]): string =>
    axes.length === 0 ? id : make(reduce, [id], { kind: "sum", axes });
  const [p, q] = [sum(x, alone(left)), sum(y, alone(right))];
  const product = shared.length === 0 ? make(mul, [p, q], {}) : make(contract, [p, q], { over: shared });
  const everywhere = [...draft.type(a).axes, ...draft.type(b).axes];
  const lacking = over.filter((id) => !hasAxis(left, id) && !hasAxis(right, id));
  const axes = lacking.flatMap((id) => everywhere.find((axis) => axis.id === id) ?? []);
  return asType(draft, axes.length === 0 ? product : times(product, axes, simplifier), call.type);
};

function sourceOf(id: string, { draft }: Simplifier): string {
  const node = draft.definition(id);
  return isNode(node, expand) ? (node.inputs[0] ?? id) : draft.resolve(id);
}

export const SUM_RULES: Readonly<Record<string, Rule>> = { reduce: reduceRule, contract: contractRule };
