import type { Code, ValueType } from "./encode-code.ts";

/** Local variables with numbers that several have, one after the other. */
export interface Numbering {
  /** The variables that there are beside the params, in order. */
  readonly locals: readonly ValueType[];
  readonly numberOf: (index: number) => number;
}

/**
 * Numbers for variables: those that do not live at the same time have the same one, the smallest that is free (Poletto and Sarkar 1999,
 * "Linear scan register allocation").
 * @param params the numbers of variables with a value from outside: what comes first, in order
 */
export function numberLocals(
  body: readonly Code[],
  params: readonly { readonly index: number; readonly type: ValueType }[],
  typeOf: (index: number) => ValueType,
): Numbering {
  const slots: { readonly type: ValueType; end: number }[] = [];
  const found = new Map<number, number>();
  const lives = livesOf(body, new Set(params.map(({ index }) => index)));
  for (const { index, type } of params) found.set(index, slots.push({ type, end: lives.get(index)?.end ?? -1 }) - 1);
  const rest = [...lives].filter(([index]) => !found.has(index)).sort(([, a], [, b]) => a.start - b.start);
  for (const [index, { start, end }] of rest) {
    const type = typeOf(index);
    const free = slots.findIndex((slot) => slot.type === type && slot.end < start);
    const slot = slots[free];
    if (slot === undefined) found.set(index, slots.push({ type, end }) - 1);
    else {
      slot.end = end;
      found.set(index, free);
    }
  }
  // Equal types stand together.
  const own = slots.slice(params.length).map(({ type }, at) => ({ type, at: at + params.length }));
  const order = [...own].sort((a, b) => a.type.localeCompare(b.type) || a.at - b.at);
  const places = new Map(order.map(({ at }, place) => [at, place + params.length]));
  return {
    locals: order.map(({ type }) => type),
    numberOf: (index) => {
      const slot = found.get(index) ?? 0;
      return places.get(slot) ?? slot;
    },
  };
}

interface Life {
  readonly start: number;
  readonly end: number;
}

interface Occurrence {
  readonly at: number;
  readonly writes: boolean;
  /** The blocks, loops and branches around it, outermost first. */
  readonly around: readonly Around[];
}

interface Around {
  readonly isLoop: boolean;
  readonly start: number;
  end: number;
}

/** From where to where the value of each variable is needed. */
function livesOf(body: readonly Code[], fixed: ReadonlySet<number>): ReadonlyMap<number, Life> {
  const occurrences = new Map<number, Occurrence[]>();
  let at = 0;
  const visit = (code: Code, around: readonly Around[]): void => {
    const own: Around | undefined = code.head && { isLoop: code.head[0] === 0x03, start: at, end: at };
    const inside = own === undefined ? around : [...around, own];
    for (const arg of code.args) visit(arg, inside);
    const { local: use } = code;
    if (use !== undefined) {
      const all = occurrences.get(use.index) ?? [];
      all.push({ at, writes: use.kind !== "get", around });
      occurrences.set(use.index, all);
    }
    at++;
    if (own !== undefined) own.end = at;
  };
  for (const code of body) visit(code, []);
  return new Map([...occurrences].map(([index, all]) => [index, lifeOf(all, fixed.has(index), at)]));
}

function lifeOf(all: readonly Occurrence[], isFixed: boolean, end: number): Life {
  const [first] = all;
  const settled =
    first?.writes === true && all.every(({ around }) => first.around.every((each, at) => each === around[at]));
  // What is not written on every way to where it is read has its value from a turn before, or from the start.
  if (first === undefined || (!isFixed && !settled)) return { start: -1, end };
  const shared = isFixed ? 0 : first.around.length;
  const spans = all.map(({ at, around }): Life => {
    const loop = around.slice(shared).find(({ isLoop }) => isLoop);
    return loop === undefined ? { start: at, end: at } : { start: loop.start, end: loop.end };
  });
  const starts = isFixed ? [-1] : spans.map((span) => span.start);
  return { start: Math.min(...starts), end: Math.max(...spans.map((span) => span.end)) };
}
