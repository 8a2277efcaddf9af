import type { Span } from "../base/span.ts";
import { constantSize } from "../ir/size.ts";
import { type Applied, apply, type Given, inputNames } from "./apply.ts";
import { declareFrame } from "./declare.ts";
import type { Context } from "./frame.ts";
import { settle } from "./record.ts";
import { blockState, reportNoStackState, stackState } from "./stack-state.ts";
import { stackValues } from "./stack-values.ts";
import { INVALID, type InstanceValue, type Meaning, type RecordValue } from "./value.ts";

/**
 * A stack of blocks: the first output feeds the next block, other inputs go to all, other outputs get an axis in front. Each block of a
 * stack of cells has a state of its own.
 */
export function applyStack(context: Context, instance: InstanceValue, given: Given, span: Span): Applied | undefined {
  const blocks = instance.blocks ?? [];
  const count = instance.count ?? constantSize(blocks.length);
  const [first] = inputNames(instance.definition);
  const befores = statesBefore(context, instance, given);
  if (befores === undefined) return undefined;
  let inputs = given.inputs;
  let last: Applied | undefined;
  const others: Meaning[][] = [];
  const states: RecordValue[] = [];
  for (const [place, block] of blocks.entries()) {
    last = apply(context, block, { inputs, state: befores[place] }, span);
    const travels = last?.outs[0];
    if (last === undefined || travels === undefined || first === undefined) return undefined;
    inputs = new Map([...inputs, [first, { meaning: travels, span }]]);
    others.push([...last.outs.slice(1)]);
    if (last.state !== undefined) states.push(last.state);
  }
  const isCell = instance.definition.definitionKind === "cell";
  const state = isCell ? stackState(states, count, instance.definition.name.text) : undefined;
  if (last === undefined) return emptyStack(context, instance, given, first, span, state);
  const stacked = Array.from({ length: others[0]?.length ?? 0 }, (_, place) =>
    stackValues(
      context,
      others.map((outs) => outs[place] ?? INVALID),
      count,
      span,
    ),
  );
  return { ...last, outs: [last.outs[0] ?? INVALID, ...stacked], state };
}

/** What each block finds as its state; undefined where the stack is given something else (reported). */
function statesBefore(context: Context, instance: InstanceValue, given: Given): readonly Given["state"][] | undefined {
  const blocks = instance.blocks ?? [];
  const { state } = given;
  if (state === undefined || state.meaning.kind === "bottom") return blocks.map(() => state);
  const settled = settle(context, state.meaning);
  if (settled.kind === "invalid") return undefined;
  const own = blocks.map((_, place) => (settled.kind === "record" ? blockState(settled, place) : undefined));
  if (own.every((block) => block !== undefined)) return own.map((meaning) => ({ meaning, span: state.span }));
  reportNoStackState(context, instance, settled, state.span);
  return undefined;
}

function emptyStack(
  context: Context,
  instance: InstanceValue,
  given: Given,
  first: string | undefined,
  span: Span,
  state: RecordValue | undefined,
): Applied | undefined {
  const travels = first === undefined ? undefined : given.inputs.get(first)?.meaning;
  if (travels === undefined) return undefined;
  return { outs: [travels], state, frame: declareFrame(context, instance, span).frame };
}
