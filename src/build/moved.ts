import { realAxes } from "./align.ts";
import { demand } from "./equation.ts";
import { type Frame, frameContext, type Session, type Slot } from "./frame.ts";
import { asTensor } from "./operators.ts";
import { describe, shapeText, shownSize, type TensorValue } from "./value.ts";

/**
 * Checks the params that equations move (`m' = ...`): there is one of each, so its next value must have its shape and be the same
 * for every example and position. Mistakes are reported.
 */
export function checkMoved(session: Session, frame: Frame): void {
  for (const slot of [...frame.names.values()]) {
    const [name, prime] = [slot.name.slice(0, -1), slot.name.slice(-1)];
    const weight = prime === "'" ? frame.names.get(name) : undefined;
    if (weight?.kind !== "weight" || slot.kind !== "equation") continue;
    const now = demand(session, weight);
    const next = demand(session, slot);
    if (now.kind !== "tensor" || next.kind === "invalid") continue;
    const value = asTensor(frameContext(session, frame), next, slot.span);
    if (value !== undefined) checkMove(session, slot, name, now, value);
  }
}

function checkMove(session: Session, slot: Slot, name: string, now: TensorValue, next: TensorValue): void {
  const at = slot.equation?.value.span ?? slot.span;
  const related = [{ span: now.from, message: `${name} is declared here` }];
  const sizes = (value: TensorValue): string =>
    realAxes(value.visible)
      .map(({ axis }) => axis.size.text)
      .join();
  if (next.visible.length > 0 && sizes(now) !== sizes(next)) {
    session.report.add(
      "shape-mismatch",
      at,
      `${name} is ${shapeText(now.visible)}, and its next value ${describe(next)}`,
      {
        related,
        hint: "a param keeps its shape",
      },
    );
    return;
  }
  const shown = new Set(next.visible.map(({ axis }) => axis.id));
  const [hidden] = session.builder.type(next.id).axes.filter((axis) => !shown.has(axis.id));
  if (hidden === undefined) return;
  const each = hidden.size.text === "B" ? "example" : `position of ${shownSize(hidden.size.text)}`;
  session.report.add(
    "moves-by-example",
    at,
    `${name} would move differently for each ${each}: there is one ${name} for all`,
    {
      related,
      hint: "take the mean over all of them, as in mean[batch](x)",
    },
  );
}
