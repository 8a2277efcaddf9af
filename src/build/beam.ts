import { multiplySizes } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import * as sums from "../op/make_sum.ts";
import { floor } from "../op/map.ts";
import { argmax } from "../op/reduce.ts";
import { type Emission, openEmission } from "./emission.ts";
import type { Session } from "./frame.ts";
import type { OpenModel } from "./model.ts";
import { everyLogProbability } from "./smoothing.ts";
import { tokenNumber } from "./special-token.ts";

/** How a search goes on: what it keeps, and how lengths weigh. */
export interface BeamRule {
  /** Beams that are kept. */
  readonly width: number;
  /** The α of ((5 + length) / 6)^α, by which a score is divided at the end (Wu et al. 2016, eq. 14); 0 leaves it. */
  readonly lengthPenalty: number;
}

/** What a search gives. Each has the beam axis; those of one step are in the order of the beams that this step keeps. */
export interface Searched {
  /** The chosen tokens, by the index of the emission. */
  readonly token: string;
  /** Results that say, at each index, what the kept beams are: which beam each goes on from, and what has an order of its own. */
  readonly marks: readonly { readonly name: string; readonly id: string }[];
  /** int [B]: the best beam at the end. */
  readonly best: string;
}

/** The id of the axis. */
export const BEAM = "beam";

/** Names of the marks: the beam that each goes on from, and values that are in the new order already. */
export const PARENT = "beam.parent";
export const ORDERED = ["beam.token", "beam.score", "beam.place"] as const;

/** The score of a beam that is none: lower than any, and no infinity, so that it can be added to. */
const DEAD = -1e30;

/**
 * Beam search as equations (Graves 2012): cum[t] are the greatest of cum[t-1] + log p of every token, `parent` the beams that they
 * go on from. What other values of a step belong to is put in order once the loop is known. A beam that has ended keeps its score.
 */
export function searched(
  model: OpenModel,
  item: OpenModel["emissions"][number],
  beam: Axis,
  { width, lengthPenalty }: BeamRule,
  given: { readonly prompt: string; readonly length: string },
): Searched | undefined {
  const { session } = model;
  const { builder } = session;
  const emission = openEmission(model, item);
  const every = emission === undefined ? undefined : everyLogProbability(emission);
  const [index] = emission?.indices ?? [];
  const vocabulary = emission?.value.vocabulary;
  if (emission === undefined || every === undefined || index === undefined || vocabulary === undefined)
    return undefined;
  const time = index.axis;
  const offset = item.indices[0]?.offset ?? 0;
  const [batch] = model.context.hidden;
  const axes = [...(batch === undefined ? [] : [batch]), beam, time];
  const state = (name: string): string => builder.forward(`beam.${name}.kept`, { dtype: "float", axes });
  const kept = { score: state("score"), done: state("done"), length: state("length") };
  const k = make.iota(builder, beam);
  const number = (value: number): string => make.num(builder, value);
  const isFirst = make.eq(builder, make.iota(builder, time), make.int(builder, 0));
  const before = (id: string, start: string): string =>
    make.select(builder, isFirst, start, move.shift(builder, id, time.id, -1));
  const score = before(
    kept.score,
    make.select(builder, make.eq(builder, k, make.int(builder, 0)), number(0), number(DEAD)),
  );
  const done = before(kept.done, number(0));
  const length = before(kept.length, number(0));
  const candidates = candidatesOf(emission, every, score, done, item.until !== undefined);
  const found = best(session, candidates, [beam, every.axis], beam, width);
  const tokens = make.sizeNumber(builder, vocabulary);
  const place = move.expand(builder, found.place, axes);
  const from = make.map(builder, floor, make.div(builder, place, tokens));
  const isGiven = make.lt(
    builder,
    make.add(builder, make.iota(builder, time), make.int(builder, offset)),
    given.length,
  );
  const choose = (a: string, b: string, name: string): string =>
    make.select(builder, isGiven, a, move.expand(builder, b, axes), name);
  const parent = make.toInt(builder, choose(make.toFloat(builder, k), from, "parent"));
  // By the parent, so that this belongs to the loop.
  const drawn = make.sub(builder, place, make.mul(builder, make.toFloat(builder, parent), tokens));
  const told = make.toFloat(builder, move.shift(builder, given.prompt, time.id, offset));
  const token = make.toInt(builder, choose(told, drawn, "token"));
  const next = choose(score, found.value, "score");
  const ended =
    item.until === undefined ? undefined : make.eq(builder, token, tokenNumber(emission.context, vocabulary, "EOS"));
  const over = ended === undefined ? done : make.maximum(builder, done, make.toFloat(builder, ended));
  builder.close(kept.score, move.expand(builder, next, axes));
  builder.close(kept.done, move.expand(builder, over, axes));
  const longer = make.add(builder, length, make.sub(builder, number(1), done));
  builder.close(kept.length, move.expand(builder, longer, axes));
  const last = make.sub(builder, make.sizeInt(builder, time.size), make.int(builder, 1 + offset));
  const atEnd = (id: string): string => move.entry(builder, move.expand(builder, id, axes), time.id, last);
  const penalty = make.pow(
    builder,
    make.div(builder, make.add(builder, atEnd(longer), number(5)), number(6)),
    number(lengthPenalty),
  );
  const final = make.div(builder, atEnd(next), penalty);
  return {
    token,
    marks: [
      { name: PARENT, id: move.expand(builder, parent, axes) },
      { name: ORDERED[0], id: move.expand(builder, token, axes) },
      { name: ORDERED[1], id: move.expand(builder, next, axes) },
      { name: ORDERED[2], id: place },
    ],
    best: builder.add(argmax, [move.expand(builder, final, [beam])], { axis: beam.id }),
  };
}

/** score + log p, of every beam and token; a beam that has ended goes on with EOS alone, for nothing. */
function candidatesOf(
  { context, value }: Emission,
  every: NonNullable<ReturnType<typeof everyLogProbability>>,
  score: string,
  done: string,
  ends: boolean,
): string {
  const { builder } = context.session;
  if (!ends || value.vocabulary === undefined) return make.add(builder, score, every.value.id);
  const end = tokenNumber(context, value.vocabulary, "EOS");
  const isEnd = make.eq(builder, make.iota(builder, every.axis), end);
  const still = make.select(builder, isEnd, make.num(builder, 0), make.num(builder, DEAD));
  const isDone = make.lt(builder, make.num(builder, 0.5), done);
  return make.add(builder, score, make.select(builder, isDone, still, every.value.id));
}

/** The `count` greatest entries over two axes, greatest first, along the axis `to`: their values and places, both float. */
function best(
  { builder, axes }: Session,
  candidates: string,
  over: readonly [Axis, Axis],
  to: Axis,
  count: number,
): { readonly value: string; readonly place: string } {
  const merged: Axis = axes.fresh(multiplySizes(over[0].size, over[1].size), new Set(over.map(({ id }) => id)));
  let rest = move.reshape(builder, candidates, over, [merged]);
  const k = make.iota(builder, to);
  const place = make.toFloat(builder, make.iota(builder, merged));
  let found: { readonly value: string; readonly place: string } | undefined;
  for (let at = 0; at < count; at++) {
    const where = make.toFloat(builder, builder.add(argmax, [rest], { axis: merged.id }));
    const value = sums.reduceOver(builder, "max", rest, [merged]);
    rest = make.select(builder, make.eq(builder, place, where), make.num(builder, Number.NEGATIVE_INFINITY), rest);
    const isHere = make.eq(builder, k, make.int(builder, at));
    found =
      found === undefined
        ? { value, place: where }
        : {
            value: make.select(builder, isHere, value, found.value),
            place: make.select(builder, isHere, where, found.place),
          };
  }
  if (found === undefined) throw new Error("internal: a beam of no width");
  return found;
}
