import { isNode } from "../../ir/graph.ts";
import { rename } from "../../op/move.ts";
import { accessesOf } from "../../plan/access.ts";
import { type JoinedAction, type JoinedSum, type MapStep, namesFor, renamedProducts } from "../../plan/joined.ts";
import type { Level, LoopAction } from "../../plan/levels.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Loop, Value } from "../../plan/value.ts";
import type { Kernel } from "./context.ts";
import { type Positions, storeTo } from "./memory.ts";
import type { Part } from "./part.ts";
import { writeJoined } from "./parts-products.ts";
import { placeOf, storedAxes } from "./place-of.ts";
import type { Term } from "./shader.ts";
import { planTiles } from "./tile.ts";
import { writeMap } from "./write-map.ts";

/** A loop whose step ends in products that the next step begins with: both in one kernel save a dispatch a step. */
export interface Rotation {
  readonly first: Level;
  readonly middle: readonly Level[];
  readonly last: Level;
  /** The last level of a step, then the first of the next. */
  readonly ahead: Part;
}

/** What a step's last level leaves: sums, or what is made of them. */
interface Ending {
  readonly sums: readonly JoinedSum[];
  readonly joined: JoinedAction | undefined;
  readonly outputs: readonly Value[];
}

/** A value that a step leaves in a carry, and the names that its axes have for the next step's first kernel. */
interface Meeting {
  readonly output: Value;
  readonly carry: Value;
  readonly names: ReadonlyMap<string, string>;
}

/**
 * Where it is possible: a step's last level is sums of products, or what is made of them position by position, its first an elementwise
 * kernel that reads the carries which these become at its own positions only, and nobody reads at other positions what is written in the
 * same kernel.
 */
export function rotate(
  plan: Plan,
  { loop, carries }: LoopAction,
  steps: readonly Level[],
  shared: number,
): Rotation | undefined {
  const [first, ...rest] = steps;
  const last = rest.at(-1);
  const map = first === undefined ? undefined : onlyMap(first);
  const ending = last === undefined ? undefined : endingOf(last);
  if (first === undefined || last === undefined || map === undefined || ending === undefined) return undefined;
  const meetings: Meeting[] = [];
  for (const output of ending.outputs) {
    const carry = carries.find(({ next }) => next === output || renamedFrom(next) === output);
    if (carry === undefined || !map.reads.has(carry.carry)) continue;
    const names = namesFor(plan, map, carry.carry);
    if (names === undefined) return undefined;
    meetings.push({ output, carry: carry.carry, names: composed(namesOf(output, carry.next), names) });
  }
  const [meeting] = meetings;
  if (meeting === undefined || !haveSameNames(meetings)) return undefined;
  if (!isSafe(plan, loop, ending, map) || !isOverwrittenByReader(plan, ending, map, meeting.names)) return undefined;
  const ahead = aheadPart(plan, loop, map, ending, meetings, shared);
  return ahead === undefined ? undefined : { first, last, ahead, middle: rest.slice(0, -1) };
}

function onlyMap(level: Level): MapStep | undefined {
  const [member, ...others] = level;
  if (member?.kind !== "action" || others.length > 0 || member.action.kind !== "kernel") return undefined;
  return member.action.kernel.kind === "map" ? member.action.kernel : undefined;
}

function endingOf(level: Level): Ending | undefined {
  const sums: JoinedSum[] = [];
  for (const member of level) {
    if (member.kind !== "action") return undefined;
    if (member.action.kind === "joined") {
      const joined = member.action;
      return level.length > 1 ? undefined : { sums: joined.sums, joined, outputs: joined.map.outputs };
    }
    if (member.action.kind !== "products") return undefined;
    const { output } = member.action;
    sums.push({ products: member.action, names: new Map(output.axes.map(({ id }) => [id, id])) });
  }
  return { sums, joined: undefined, outputs: sums.map(({ products }) => products.output) };
}

function renamedFrom({ definition }: Value): Value | undefined {
  return definition.kind === "node" && isNode(definition.node, rename) ? definition.inputs[0] : undefined;
}

function namesOf(output: Value, next: Value): ReadonlyMap<string, string> {
  const { definition } = next;
  const names = new Map(output.axes.map(({ id }) => [id, id]));
  if (next === output || definition.kind !== "node" || !isNode(definition.node, rename)) return names;
  const { from, to } = definition.node.attributes;
  from.forEach((id, index) => {
    names.set(id, to[index]?.id ?? id);
  });
  return names;
}

function composed(
  first: ReadonlyMap<string, string>,
  second: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return new Map([...first].map(([id, name]) => [id, second.get(name) ?? name]));
}

/** Other groups of threads may be at the next step already: what is read elsewhere than at a thread's own positions must not be written in this kernel. */
function isSafe(plan: Plan, loop: Loop, { sums, joined }: Ending, map: MapStep): boolean {
  const isStill = (value: Value): boolean =>
    !isWrittenIn(value, loop) || placeOf(plan, value).steps.some((step) => step.loop === loop);
  const products = sums.flatMap(({ products: { output } }) =>
    accessesOf(output, plan.stored).map(({ value }) => value),
  );
  const elsewhere = [joined?.map, map].flatMap((each) =>
    [...(each?.reads ?? [])].flatMap(([value]) =>
      each === undefined || isOwnRead(plan, each, value, sums) ? [] : [value],
    ),
  );
  return [...products, ...elsewhere].every(isStill);
}

/** Whether what the ending reads of the step's first kernel is written anew, for the next step, by the very thread that has read it. */
function isOverwrittenByReader(
  plan: Plan,
  { joined }: Ending,
  map: MapStep,
  next: ReadonlyMap<string, string>,
): boolean {
  return map.outputs.every((output) => {
    if (joined === undefined || !joined.map.reads.has(output)) return true;
    const names = namesFor(plan, joined.map, output);
    return names !== undefined && [...names].every(([id, name]) => (next.get(name) ?? name) === id);
  });
}

/** Whether an elementwise kernel reads a value at its own positions only, or has it at hand. */
function isOwnRead(plan: Plan, map: MapStep, value: Value, sums: readonly JoinedSum[]): boolean {
  const atHand = sums.some(({ products }) => products.output === value);
  return atHand || map.reads.get(value) === true || namesFor(plan, map, value) !== undefined;
}

function isWrittenIn({ loop: own }: Value, loop: Loop): boolean {
  for (let at = own; at !== undefined; at = at.outer) if (at === loop) return true;
  return false;
}

function aheadPart(
  plan: Plan,
  loop: Loop,
  map: MapStep,
  { sums, joined, outputs }: Ending,
  meetings: readonly Meeting[],
  shared: number,
): Part | undefined {
  const work = planTiles(sums.map(renamedProducts), shared);
  const [first] = meetings;
  if (work === undefined || first === undefined) return undefined;
  return {
    kind: "tile",
    label: [...sums.map(({ products }) => products.output), ...(joined === undefined ? [] : outputs), ...map.outputs]
      .map(({ name }) => name)
      .join(" "),
    axes: storedAxes(plan, first.output),
    work,
    finish: (kernel, positions, values) => {
      const left =
        joined === undefined
          ? writeSums(kernel, plan, outputs, positions, values)
          : writeJoined(kernel, plan, joined, positions, values);
      const given = meetings.map(({ output, carry }) => [carry, left.get(output)] as const);
      writeMap(nextStep(kernel, loop), plan, map.outputs, renamed(positions, first.names), new Map(given));
    },
  };
}

function haveSameNames([first, ...others]: readonly Meeting[]): boolean {
  return others.every(({ names }) => [...names].every(([id, name]) => (first?.names.get(id) ?? name) === name));
}

function writeSums(
  kernel: Kernel,
  plan: Plan,
  outputs: readonly Value[],
  positions: Positions,
  values: readonly Term[],
): ReadonlyMap<Value, Term | undefined> {
  outputs.forEach((output, index) => {
    const value = values[index];
    if (value !== undefined) storeTo(kernel, placeOf(plan, output), positions, value);
  });
  return new Map(outputs.map((output, index) => [output, values[index]]));
}

/** The same kernel, at the loop's next step. */
function nextStep(kernel: Kernel, loop: Loop): Kernel {
  const done = kernel.done.get(loop);
  if (done === undefined) throw new Error("internal: a loop that is not around a kernel has no next step");
  const next = kernel.bind(done.depth, "int", `${done.code} + 1`, "next");
  return { ...kernel, done: new Map([...kernel.done, [loop, next]]) };
}

function renamed(positions: Positions, names: ReadonlyMap<string, string>): Positions {
  return new Map([...positions].map(([id, at]) => [names.get(id) ?? id, at]));
}
