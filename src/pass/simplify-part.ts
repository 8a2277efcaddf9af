import { isNode } from "../ir/graph.ts";
import { addSizes, constantSize, equalSizes, type Size, sizeConstant } from "../ir/size.ts";
import { hasAxis } from "../ir/type.ts";
import { type ConcatAttributes, concat, expand, pad, rename, slice } from "../op/move.ts";
import { shift } from "../op/window.ts";
import { type Call, callNode, type Rule, type Simplifier } from "./simplify-rule.ts";
import { asType } from "./values.ts";

/* Rules of ops that cut values apart, put them together and move along them. */

const sliceRule: Rule = (call, simplifier) => {
  const { draft, make } = simplifier;
  const [x = ""] = call.inputs;
  const own = callNode(call);
  if (!isNode(own, slice)) return undefined;
  const { axis, to, start } = own.attributes;
  const whole = draft.type(x).axes.find((candidate) => candidate.id === axis);
  if (whole !== undefined && sizeConstant(start) === 0 && equalSizes(whole.size, to.size)) {
    return make(rename, [x], { from: [axis], to: [to] });
  }
  const node = draft.definition(x);
  const [source = ""] = node?.inputs ?? [];
  if (isNode(node, expand) && !hasAxis(draft.type(source), axis)) {
    const axes = node.attributes.axes.map((candidate) => (candidate.id === axis ? to : candidate));
    return make(expand, [source], { axes });
  }
  if (isNode(node, slice) && node.attributes.to.id === axis) {
    const { axis: outer, start: first } = node.attributes;
    if (outer === to.id || !hasAxis(draft.type(source), to.id)) {
      return make(slice, [source], { axis: outer, to, start: addSizes(first, start) });
    }
  }
  if (isNode(node, pad) && node.attributes.to.id === axis && equalSizes(node.attributes.start, start)) {
    const inner = draft.type(source).axes.find((candidate) => candidate.id === node.attributes.axis);
    if (inner !== undefined && equalSizes(inner.size, to.size)) {
      return make(rename, [source], { from: [inner.id], to: [to] });
    }
  }
  return isNode(node, concat) && node.attributes.to.id === axis
    ? partOf(call, node.inputs, node.attributes, to.size, start, simplifier)
    : undefined;
};

/** A slice that is just one of the values that were put together. */
function partOf(
  call: Call,
  inputs: readonly string[],
  { axes }: ConcatAttributes,
  size: Size,
  start: Size,
  { draft, make }: Simplifier,
): string | undefined {
  const own = callNode(call);
  if (!isNode(own, slice)) return undefined;
  let first: Size = constantSize(0);
  for (const [index, input] of inputs.entries()) {
    const axis = draft.type(input).axes.find((candidate) => candidate.id === axes[index]);
    const length = axis?.size ?? constantSize(1);
    if (equalSizes(first, start) && equalSizes(length, size) && axis !== undefined) {
      return asType(draft, make(rename, [input], { from: [axis.id], to: [own.attributes.to] }), call.type);
    }
    first = addSizes(first, length);
  }
  return undefined;
}

const concatRule: Rule = (call, { draft, make }) => {
  const own = callNode(call);
  if (!isNode(own, concat)) return undefined;
  const { axes, to } = own.attributes;
  const [only = ""] = call.inputs;
  const [axis] = axes;
  if (call.inputs.length === 1 && axis) return make(rename, [only], { from: [axis], to: [to] });
  // All parts of one value in their order are that value.
  let source: { readonly id: string; readonly axis: string } | undefined;
  let next: Size = constantSize(0);
  for (const [index, input] of call.inputs.entries()) {
    const node = draft.definition(input);
    if (!isNode(node, slice) || node.attributes.to.id !== axes[index]) return undefined;
    const id = node.inputs[0] ?? "";
    if (source !== undefined && (source.id !== id || source.axis !== node.attributes.axis)) return undefined;
    if (!equalSizes(node.attributes.start, next)) return undefined;
    source = { id, axis: node.attributes.axis };
    next = addSizes(next, node.attributes.to.size);
  }
  if (source === undefined) return undefined;
  const { id, axis: cut } = source;
  const whole = draft.type(id).axes.find((candidate) => candidate.id === cut);
  if (whole === undefined || !equalSizes(whole.size, next)) return undefined;
  if (cut !== to.id && hasAxis(draft.type(id), to.id)) return undefined;
  return make(rename, [id], { from: [cut], to: [to] });
};

const shiftRule: Rule = (call, { draft, make }) => {
  const [x = ""] = call.inputs;
  const own = callNode(call);
  if (!isNode(own, shift)) return undefined;
  const { axis, offset } = own.attributes;
  if (offset === 0) return x;
  const node = draft.definition(x);
  const [source = ""] = node?.inputs ?? [];
  if (isNode(node, expand) && !hasAxis(draft.type(source), axis)) return x;
  if (isNode(node, shift) && node.attributes.axis === axis && Math.sign(node.attributes.offset) === Math.sign(offset)) {
    return make(shift, [source], { axis, offset: offset + node.attributes.offset });
  }
  return undefined;
};

export const PART_RULES: Readonly<Record<string, Rule>> = {
  slice: sliceRule,
  concat: concatRule,
  shift: shiftRule,
};
