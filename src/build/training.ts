import type { Regime } from "../check/regime.ts";
import { gradients } from "../grad/gradients.ts";
import { createBuilder } from "../ir/builder.ts";
import { copyGraph } from "../ir/copy.ts";
import type { Result } from "../ir/graph.ts";
import * as make from "../op/make.ts";
import { stopGradient } from "../op/map.ts";
import { createAxisTable } from "./axes.ts";
import { type Carried, FRESH } from "./carry.ts";
import { carriedGraph } from "./chunk.ts";
import { clockOf } from "./clock.ts";
import type { Context, Frame, Session } from "./frame.ts";
import { hasDerivative } from "./has-derivative.ts";
import { inputSpecs } from "./leaves.ts";
import type { OpenModel } from "./model.ts";
import type { LossDraft, Term } from "./objective.ts";
import { optimize } from "./optimize.ts";
import type { ParamRole, Program, ResultRole } from "./program.ts";
import { type Team, teamsOf } from "./teams.ts";

/** A graph whose params and results have roles, not yet scheduled. */
export type Draft = Program;

/** What a step leaves as it is. */
export interface Turn {
  /** Weights that get no gradient. */
  readonly frozen: ReadonlySet<string>;
  /** Players, by their place in the regime, that do not move their weights. */
  readonly resting: ReadonlySet<number>;
}

/**
 * One training step. The players take turns: each computes its loss with the weights as the players before it have left them, and
 * moves those of its part, by clipped gradients and the optimizer's equations. What equations with primes move, moves once.
 */
export function trainingStep(draft: LossDraft, regime: Regime, turn: Turn): Draft | undefined {
  const { session } = draft.model;
  const teams = teamsOf(draft, regime, turn.frozen);
  const moved = [...session.moved].filter(([name]) => !turn.frozen.has(name));
  const forward = session.builder.finish([
    ...draft.terms.flatMap(({ id, signed }, place) => [
      { name: `term.${place}`, id },
      { name: `signed.${place}`, id: signed },
    ]),
    ...moved.map(([name, id]) => ({ name: `moved.${name}`, id })),
  ]);
  const carried = carriedGraph(draft.model, regime, forward);
  if (teams === undefined || carried === undefined) return undefined;
  const step = openStep(draft, regime, carried);
  for (const [name] of moved) step.give(`weight.${name}`, step.find(`moved.${name}`), { kind: "weight", name });
  for (const name of carried.states) step.give(name, step.find(name), { kind: "carry", name });
  for (const [place, team] of teams.entries()) {
    const played = turn.resting.has(place) ? step.watch(team) : step.play(team);
    if (!played) return undefined;
  }
  return step.finish();
}

/** A step in the making: the forward graph stands in it once for each player, its params replaced by what has become of them. */
function openStep({ model, terms }: LossDraft, regime: Regime, carried: Carried) {
  const { session } = model;
  const builder = createBuilder(`${regime.name}_step`);
  let ids = copyGraph(builder, carried.graph);
  const roles = copiedRoles(session, carried, ids);
  const context = optimizerContext(model, builder, roles);
  const params = new Map(carried.graph.params.map(({ id }) => [id, ids.get(id) ?? ""]));
  const slots = new Map<string, string>();
  const results: Result[] = [];
  const resultRoles = new Map<string, ResultRole>();
  const losses: string[] = [];
  let stale = false;
  const find = (name: string): string =>
    ids.get(carried.graph.results.find((result) => result.name === name)?.id ?? "") ?? "";
  const give = (name: string, id: string, role: ResultRole): void => {
    const before = results.findIndex((result) => result.name === name);
    if (before >= 0) results.splice(before, 1);
    results.push({ name, id });
    resultRoles.set(name, role);
  };
  /** A player's loss with the weights as they are now. */
  const lossOf = (own: readonly Term[]): string => {
    if (stale) ids = copyGraph(builder, carried.graph, params);
    stale = false;
    for (const term of own) {
      const { name } = term;
      give(`term.${name}`, find(`term.${terms.indexOf(term)}`), { kind: "metric", name });
    }
    const loss = own
      .map((term) => find(`signed.${terms.indexOf(term)}`))
      .reduce((sum, id) => make.add(builder, sum, id));
    losses.push(loss);
    return loss;
  };
  const watch = (team: Team): boolean => {
    lossOf(team.terms);
    return true;
  };
  const play = (team: Team): boolean => {
    if (team.weights.length === 0) return watch(team);
    const loss = lossOf(team.terms);
    const own = team.weights.map((name) => ({ name, param: session.weights.get(name)?.id ?? "" }));
    const values = own.map(({ param }) => params.get(param) ?? "");
    const [term] = team.terms;
    const span = term?.objective.span ?? regime.train.span;
    if (!hasDerivative({ builder, report: session.report }, loss, values, span)) return false;
    const cotangents = gradients(builder, loss, values);
    const moving = own.map(({ name }, at) => ({ name, value: values[at] ?? "", gradient: cotangents[at] ?? "" }));
    const updates = optimize(context, regime, moving, clockOf(context.session), slots);
    if (updates === undefined) return false;
    for (const { name, param } of own) {
      const update = updates.get(name);
      if (update === undefined) continue;
      give(`weight.${name}`, update.weight, { kind: "weight", name });
      for (const slot of update.slots) {
        if (slot.param !== undefined) {
          roles.set(slot.param, { kind: "slot", name: slot.name, weight: name, start: slot.start });
        }
        give(`slot.${name}.${slot.name}`, slot.next, { kind: "slot", name: slot.name, weight: name });
      }
      // The next player takes the weight as it is: what it would change by changing the step before is not asked.
      params.set(param, make.map(builder, stopGradient, update.weight));
    }
    stale = true;
    return true;
  };
  const finish = (): Draft => ({
    name: `${regime.name}.step`,
    graph: builder.finish([{ name: "loss", id: losses.reduce((sum, id) => make.add(builder, sum, id)) }, ...results]),
    params: roles,
    results: new Map([["loss", { kind: "loss" }], ...resultRoles]),
    weights: [...session.weights.values()].map(({ spec }) => spec),
    inputs: inputSpecs(session),
    sizes: session.sizes,
  });
  return { find, give, play, watch, finish };
}

function copiedRoles(session: Session, carried: Carried, ids: ReadonlyMap<string, string>): Map<string, ParamRole> {
  const roles = new Map<string, ParamRole>();
  for (const [id, role] of session.roles) {
    const copied = ids.get(id);
    if (copied !== undefined) roles.set(copied, role);
  }
  for (const name of carried.states) roles.set(ids.get(name) ?? name, { kind: "carry", name });
  if (carried.states.length > 0) roles.set(ids.get(FRESH) ?? FRESH, { kind: "fresh" });
  return roles;
}

/** A context in the step's own graph: no hidden axes, the names of the regime's file. */
export function optimizerContext(
  model: OpenModel,
  builder: Session["builder"],
  roles: Map<string, ParamRole>,
): Context {
  const session: Session = {
    ...model.session,
    builder,
    axes: createAxisTable(builder),
    roles,
    trail: [],
    busy: [],
    moved: new Map(),
    movedBefore: new Map(),
    metrics: undefined,
  };
  const frame: Frame = { ...model.frame, file: model.session.modules.entry.file, hidden: [], names: new Map() };
  return { session, frame, hidden: [], indices: new Map() };
}
