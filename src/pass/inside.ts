import type { Draft } from "./draft.ts";
import { entryType, type Loop, type Passed } from "./loop.ts";

/** The way from a loop's body to the region around it, while a pass rewrites both. */
export interface Inside {
  readonly outer: Draft;
  /** Of the loop. */
  readonly axis: string;
  /** The value of the surrounding region that a body's const is; undefined for what changes from step to step. */
  outside(id: string): string | undefined;
  /** What the body calls a value of the surrounding region that lacks the loop's axis. */
  constant(outside: string): string;
  /** The loop with all that has been brought in. */
  finish(loop: Loop): Loop;
}

/** `body` is the draft of the loop's body, which learns of new params. */
export function createInside(loop: Loop, outer: Draft, body: () => Draft): Inside {
  const byParam = new Map(loop.consts.map((passed) => [passed.param.id, passed.outside]));
  const byOutside = new Map(loop.consts.map((passed) => [passed.outside, passed.param.id]));
  const added: Passed[] = [];
  return {
    outer,
    axis: loop.axis.id,
    outside: (id) => byParam.get(id),
    constant: (outside) => {
      const known = byOutside.get(outside);
      if (known !== undefined) return known;
      const param = { id: outer.fresh.value(`${outside}.in`), type: entryType(outer.type(outside), loop.axis) };
      body().param(param);
      added.push({ outside, param });
      byParam.set(param.id, outside);
      byOutside.set(outside, param.id);
      return param.id;
    },
    finish: (changed) => (added.length === 0 ? changed : { ...changed, consts: [...changed.consts, ...added] }),
  };
}
