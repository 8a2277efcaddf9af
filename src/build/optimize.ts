import type { Regime } from "../check/regime.ts";
import { clip } from "./clip.ts";
import type { Clock } from "./clock.ts";
import type { Context } from "./frame.ts";
import { type Lifts, optimizerOf, type Slots, type Update, updateWeight } from "./optimizer.ts";
import type { InstanceValue } from "./value.ts";
import { isPart, partNames } from "./weight-part.ts";

/** A weight that is to be moved: its present value and its gradient. */
export interface Moving {
  readonly name: string;
  readonly value: string;
  readonly gradient: string;
}

/** The new values of one player's weights: its gradients clipped together, each weight moved by the optimizer of its part. */
export function optimize(
  context: Context,
  regime: Regime,
  moving: readonly Moving[],
  clock: Clock,
  slots: Slots,
): ReadonlyMap<string, Update> | undefined {
  const clipped = clip(
    context,
    regime,
    moving.map(({ gradient }) => gradient),
    clock,
  );
  const optimizers = regime.optimizers.map((clause) => ({
    parts: clause.on.flatMap(partNames),
    instance: optimizerOf(context, clause.optimizer, clock),
    clause,
  }));
  if (clipped === undefined || optimizers.some(({ instance }) => instance === undefined)) return undefined;
  const updates = new Map<string, Update>();
  const lifts: Lifts = new Map();
  for (const [place, { name, value }] of moving.entries()) {
    const chosen =
      optimizers.findLast(({ parts }) => parts.some((part) => isPart(name, part))) ??
      optimizers.find(({ clause }) => clause.on.length === 0);
    if (chosen?.instance === undefined) {
      reportNone(context, regime, name);
      return undefined;
    }
    const optimizer: InstanceValue = chosen.instance;
    const update = updateWeight(
      context,
      optimizer,
      name,
      value,
      clipped[place] ?? "",
      chosen.clause.span,
      slots,
      lifts,
    );
    if (update === undefined) return undefined;
    updates.set(name, update);
  }
  return updates;
}

function reportNone({ session }: Context, regime: Regime, weight: string): void {
  session.report.add("missing-clause", regime.train.name.span, `${weight} has no optimizer in ${regime.name}`, {
    related: regime.optimizers.map(({ span }) => ({ span, message: "this one is for other parts" })),
    hint: "write an optim without `on` for the rest, or freeze it",
  });
}
