import type { Span } from "../base/span.ts";
import type { Player } from "../check/players.ts";
import type { Regime } from "../check/regime.ts";
import { reachedBy } from "../grad/gradients.ts";
import * as make from "../op/make.ts";
import { printExpression } from "../syntax/walk.ts";
import type { LossDraft, Term } from "./objective.ts";
import { coversWeight } from "./weight-part.ts";

/** A player with what it learns from and what it moves. */
export interface Team {
  readonly player: Player;
  readonly terms: readonly Term[];
  /** Names; none where all are frozen. */
  readonly weights: readonly string[];
}

/** The players of a regime with their weights; one that cannot reach what it trains is reported, as is one without anything to train. */
export function teamsOf(draft: LossDraft, regime: Regime, frozen: ReadonlySet<string>): readonly Team[] | undefined {
  const { session } = draft.model;
  const copied = regime.copies.map(({ to }) => to);
  const open = [...session.weights.keys()].filter(
    (name) => session.weights.get(name)?.spec.trained === true && !frozen.has(name) && !coversWeight(copied, name),
  );
  const before = session.report.diagnostics.length;
  const teams = regime.players.map((player) => teamOf(draft, regime, player, open));
  if (session.report.diagnostics.slice(before).some(({ severity }) => severity === "error")) return undefined;
  if (teams.some(({ weights }) => weights.length > 0)) return teams;
  session.report.add("unreached-weight", regime.train.name.span, `${regime.name} has no weight to train`, {
    related: regime.freezes.map(({ span }) => ({ span, message: "these are frozen" })),
    hint:
      frozen.size > 0
        ? "freeze less"
        : `${draft.model.frame.definition.name.text} has no param and no use of a layer that has one`,
  });
  return undefined;
}

function teamOf(draft: LossDraft, regime: Regime, player: Player, open: readonly string[]): Team {
  const { session } = draft.model;
  const { builder } = session;
  const { parts } = player;
  const own = parts === undefined ? open : open.filter((name) => coversWeight(parts, name));
  const terms = draft.terms.filter(({ objective }) => player.objectives.includes(objective));
  const id = (name: string): string => session.weights.get(name)?.id ?? "";
  const loss = terms.map(({ signed }) => signed).reduce((sum, term) => make.add(builder, sum, term));
  const reached = reachedBy(builder, loss, own.map(id));
  const weights = own.filter((name) => reached.has(id(name)));
  // The last block of a stack may give more than is read of it: what the other blocks learn is no mistake there.
  const learned = new Set(weights.map(anyBlock));
  const missed = own.filter((name) => !reached.has(id(name)) && !learned.has(anyBlock(name)));
  if (parts !== undefined && weights.length === 0 && missed.length > 0) reportIdle(draft, player);
  else {
    for (const at of new Set(missed.map((name) => session.weights.get(name)?.made)))
      if (at !== undefined)
        reportUnreached(
          draft,
          regime,
          player,
          at,
          missed.filter((name) => session.weights.get(name)?.made === at),
        );
  }
  return { player, terms, weights };
}

/** `blocks.*.res.W` for `blocks.3.res.W`. */
function anyBlock(name: string): string {
  return name.replace(/\.\d+\./g, ".*.");
}

/** A player whose loss does not depend on its part. */
function reportIdle({ model }: LossDraft, { objectives, parts = [] }: Player): void {
  const [objective] = objectives;
  const [first] = parts;
  if (objective === undefined || first === undefined) return;
  const names = parts.map(printExpression).join(", ");
  model.session.report.add(
    "idle-player",
    { ...first.span, end: parts.at(-1)?.span.end ?? first.span.end },
    `this objective does not depend on ${names}: nothing can be learned there`,
    {
      related: [{ span: objective.value.span, message: `no gradient flows from here to ${names}` }],
      hint: "let it read what the part computes, outside of stop_gradient, or name the part that it is for",
    },
  );
}

/** The weights of one `use`, or one of the model's own. */
function reportUnreached(
  { model }: LossDraft,
  regime: Regime,
  { objectives }: Player,
  at: Span,
  names: readonly string[],
): void {
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  const [first = ""] = names;
  model.session.report.add("unreached-weight", at, `no objective of ${regime.name} reaches ${shown.join(", ")}`, {
    related: objectives.map(({ span }) => ({ span, message: "this is what it learns from" })),
    hint: `use it in what the objective reads, or write freeze ${first.split(".")[0]} in ${regime.name}`,
  });
}
