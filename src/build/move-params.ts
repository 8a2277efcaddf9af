import { hasAxis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import type { Definition } from "../syntax/tree.ts";
import { realAxes, renameVisible } from "./align.ts";
import { demand } from "./equation.ts";
import { trainingFlag } from "./expression.ts";
import { type Context, type Frame, frameContext, joinPath, type Session, type Slot } from "./frame.ts";
import { asTensor } from "./operators.ts";
import type { TensorValue } from "./value.ts";

/**
 * Moves the params that equations of an applied definition move: from now on the name means `m'` while training, so that a
 * second application goes on from there. Each moves once per application.
 */
export function moveParams(session: Session, frame: Frame): void {
  for (const slot of [...frame.names.values()]) {
    const weight = movedBy(frame, slot);
    const now = weight === undefined ? undefined : demand(session, weight);
    const next = now === undefined ? undefined : demand(session, slot);
    if (weight === undefined || now?.kind !== "tensor" || next === undefined || next.kind === "invalid") continue;
    const context = frameContext(session, frame);
    const value = asTensor(context, next, slot.span);
    const id = value === undefined ? undefined : likeWeight(context, now, value);
    if (id === undefined) continue;
    const moved = make.select(session.builder, trainingFlag(context), id, now.id);
    session.moved = new Map(session.moved).set(joinPath(frame.path, weight.name), moved);
  }
}

/** The param whose next value a name is: `m` of `m'`. */
function movedBy(frame: Frame, slot: Slot): Slot | undefined {
  if (slot.kind !== "equation" || !slot.name.endsWith("'")) return undefined;
  const weight = frame.names.get(slot.name.slice(0, -1));
  return weight?.kind === "weight" ? weight : undefined;
}

/** The next value with the weight's axes; undefined where it has others, which is a mistake that checking reports. */
function likeWeight(context: Context, weight: TensorValue, value: TensorValue): string | undefined {
  const { builder } = context.session;
  const axes = realAxes(weight.visible).map((axis) => axis.axis);
  const own = realAxes(value.visible);
  const fits = own.length === axes.length && own.every(({ axis }, place) => axis.size.text === axes[place]?.size.text);
  if (own.length > 0 && !fits) return undefined;
  const { id } = own.length === 0 ? value : renameVisible(context, { ...value, visible: own }, axes);
  if (builder.type(id).axes.some((axis) => !axes.some((other) => other.id === axis.id))) return undefined;
  return axes.every((axis) => hasAxis(builder.type(id), axis.id)) ? id : move.expand(builder, id, axes);
}

/** What is worked out a second time, as an emission's parameters beside its loss, moves nothing a second time. */
export function movingOnce<T>(session: Session, key: object, run: () => T): T {
  const { moved, movedBefore } = session;
  const before = movedBefore.get(key);
  if (before === undefined) {
    movedBefore.set(key, moved);
    return run();
  }
  session.moved = before;
  try {
    return run();
  } finally {
    session.moved = moved;
  }
}

/** Whether one of the definitions that a model is made of has a param that an equation moves: then equations are worked out in order. */
export function movesParams(definitions: ReadonlySet<Definition>): boolean {
  return [...definitions].some(
    ({ definitionKind, items }) =>
      definitionKind !== "cell" &&
      items.some((item) => item.kind === "equation" && item.targets.some((target) => target.primed)),
  );
}
