import { constantSize, multiplySizes, type Size } from "../../ir/size.ts";
import { unionAxes } from "../../ir/type.ts";
import { type Level, type LevelPlan, type LoopAction, type Member, ownedAxis } from "../../plan/levels.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Loop } from "../../plan/value.ts";
import { fixedSize, type Kernel, type Ownership, type Pointer, sizeTerm } from "./context.ts";
import { type Copy, copiesFor, copyPart } from "./copies.ts";
import { equationOf } from "./equation.ts";
import type { Part } from "./part.ts";
import { partsOf } from "./parts.ts";
import { rotate } from "./rotate.ts";
import { createWriter, identifier, type ModuleScope, type Term } from "./shader.ts";
import { type Groups, groupsOf, writePart } from "./work.ts";

/** What runs: a dispatch, or for every step of some loops what runs in it. */
export type Item =
  | { readonly kind: "dispatch"; readonly kernel: number }
  | {
      readonly kind: "loop";
      /** They need nothing of one another, and step side by side. */
      readonly loops: readonly Loop[];
      readonly length: Size;
      /** Before the first step's body. */
      readonly before: readonly Item[];
      readonly body: readonly Item[];
      /** In place of the last step's body. */
      readonly last: readonly Item[];
    };

type LoopItem = Extract<Item, { readonly kind: "loop" }>;

/** One shader while it is made. */
export interface DraftKernel {
  readonly label: string;
  /** Side by side: each has groups of threads of its own. */
  readonly stages: readonly Stage[];
  readonly functions: readonly {
    readonly name: string;
    readonly notes: readonly string[];
    readonly lines: readonly string[];
  }[];
  readonly scope: ModuleScope;
}

export interface Stage {
  readonly label: string;
  readonly groups: Groups;
  /** The loop whose steps this stage runs, every group of threads for the rows that it owns: used only where that is chosen. */
  readonly whole: Loop | undefined;
  /** Needed only where all steps of this loop run in one stage. */
  readonly only: Loop | undefined;
  /** Of such a step: how many products of numbers it adds up, as a sum, and how many barriers it has. */
  readonly products: readonly Size[];
  readonly barriers: number;
  /** The loops of whose steps this stage is a part, outermost first: not used where all steps of one of them run in one stage. */
  readonly around: readonly Loop[];
}

export interface Making {
  readonly plan: Plan;
  readonly pointers: ReadonlyMap<number, Pointer>;
  /** Of a group. */
  readonly threads: number;
  /** Numbers that the threads of a group may share. */
  readonly shared: number;
  /** See `Tuning`. */
  readonly together: boolean;
  readonly subgroups: boolean;
}

export interface Drafts {
  readonly kernels: readonly DraftKernel[];
  readonly prepare: readonly Item[];
  readonly items: readonly Item[];
  readonly depth: number;
}

/** A shader for every level, and for every level of the steps of loops. */
export function draftLevels(making: Making, { prepare, levels }: Pick<LevelPlan, "prepare" | "levels">): Drafts {
  const kernels: DraftKernel[] = [];
  let depth = 0;
  const add = (stages: readonly DraftStage[]): readonly Item[] => {
    depth = Math.max(depth, ...stages.map(({ around }) => around.length));
    return (making.together ? [stages] : apart(stages)).flatMap((own) => {
      const kernel = stageKernel(making, own);
      return kernel === undefined ? [] : [{ kind: "dispatch", kernel: kernels.push(kernel) - 1 }];
    });
  };
  const walk = (pieces: readonly Piece[]): readonly Item[] => {
    const stages = pieces.flatMap((piece) =>
      piece.kind === "stages" ? piece.stages : stagesOf(making, piece.member, piece.around, []),
    );
    return [...add(stages), ...stepped(pieces)];
  };
  /** Loops of one length step side by side. */
  const stepped = (pieces: readonly Piece[]): readonly Item[] => {
    const groups = new Map<string, Cycle[]>();
    for (const piece of pieces) {
      if (piece.kind === "stages" || piece.member.kind !== "loop") continue;
      const length = piece.member.action.loop.axis.size.text;
      groups.set(length, [...(groups.get(length) ?? []), cycleOf(making, piece.member, piece.around)]);
    }
    return [...groups.values()].map((cycles) => ({
      ...{ kind: "loop", loops: cycles.map(({ loop }) => loop), length: lengthOf(cycles) },
      ...stepsOf(cycles),
    }));
  };
  const stepsOf = (cycles: readonly Cycle[]): Pick<LoopItem, "before" | "body" | "last"> => {
    const most = Math.max(...cycles.map(({ body }) => body.length));
    const [body, last]: readonly [Item[], Item[]] = [[], []];
    for (let at = 0; at < most; at++) {
      const usual = walk(cycles.flatMap((cycle) => cycle.body[at] ?? []));
      const isSame = cycles.every((cycle) => cycle.last[at] === cycle.body[at]);
      body.push(...usual);
      last.push(...(isSame ? usual : walk(cycles.flatMap((cycle) => cycle.last[at] ?? []))));
    }
    return { body, last, before: walk(cycles.flatMap((cycle) => cycle.before)) };
  };
  /** Outside of all loops, a level also lays out anew what loops of the next one need. */
  const outermost = (all: readonly Level[]): readonly Item[] => {
    const copies = all.map((level, at) => copiesBefore(making.plan, level, all[at - 1]));
    return all.flatMap((level, at) => {
      const own = level.flatMap((member) => stagesOf(making, member, [], copies[at] ?? []));
      const next = (copies[at + 1] ?? []).map((copy) => ({
        ...partStage(making, copyPart(copy), ["a matrix laid out anew for the loop that follows"], []),
        only: copy.loop,
      }));
      return [...add([...own, ...next]), ...stepped(piecesOf(level, []))];
    });
  };
  const first = outermost(prepare);
  const items = outermost(levels);
  return { kernels, items, depth, prepare: first };
}

/** A processor goes through the code of all stages of a shader, whichever a group of threads has chosen: only single groups share one. */
function apart(stages: readonly DraftStage[]): readonly (readonly DraftStage[])[] {
  const isSingle = ({ groups, whole }: DraftStage): boolean =>
    whole === undefined &&
    groups.every(({ sizes, per }) => (fixedSize(sizes.reduce(multiplySizes, constantSize(1))) ?? per + 1) <= per);
  return [stages.filter(isSingle), ...stages.filter((stage) => !isSingle(stage)).map((stage) => [stage])];
}

/** What runs in a dispatch of a loop's steps, and of which loops. */
type Piece =
  | { readonly kind: "member"; readonly member: Member; readonly around: readonly Loop[] }
  | { readonly kind: "stages"; readonly stages: readonly DraftStage[] };

/** The dispatches of a loop's steps. */
interface Cycle {
  readonly loop: Loop;
  /** One dispatch, or none. */
  readonly before: readonly Piece[];
  /** As many dispatches in the last step as in the others. */
  readonly body: readonly (readonly Piece[])[];
  readonly last: readonly (readonly Piece[])[];
}

function piecesOf(level: Level, around: readonly Loop[]): readonly Piece[] {
  return level.map((member) => ({ kind: "member", member, around }));
}

function cycleOf(making: Making, { action, steps }: LoopMember, outer: readonly Loop[]): Cycle {
  const { loop } = action;
  const around = [...outer, loop];
  const rotation = rotate(making.plan, action, steps, making.shared);
  if (rotation === undefined) {
    const body = steps.map((level) => piecesOf(level, around));
    return { loop, before: [], body, last: body };
  }
  const middle = rotation.middle.map((level) => piecesOf(level, around));
  const notes = [...rotation.last, ...rotation.first].flatMap((member) =>
    member.kind === "loop" ? [] : equationOf(making.plan, member.action),
  );
  const ahead: Piece = { kind: "stages", stages: [partStage(making, rotation.ahead, notes, around)] };
  return {
    ...{ loop, before: piecesOf(rotation.first, around) },
    body: [...middle, [ahead]],
    last: [...middle, piecesOf(rotation.last, around)],
  };
}

function lengthOf([first]: readonly Cycle[]): Size {
  if (first === undefined) throw new Error("internal: no loop steps");
  return first.loop.axis.size;
}

/** What the level before lays out anew for the loops of a level. */
function copiesBefore(plan: Plan, level: Level, before: Level | undefined): readonly Copy[] {
  if (before === undefined) return [];
  return level.flatMap((member) =>
    member.kind === "loop" && ownedAxis(plan, member.action) !== undefined
      ? copiesFor(plan, member.action, level, before)
      : [],
  );
}

interface DraftStage {
  readonly label: string;
  readonly notes: readonly string[];
  readonly groups: Groups;
  readonly whole: Loop | undefined;
  readonly only: Loop | undefined;
  readonly products: readonly Size[];
  readonly barriers: number;
  readonly around: readonly Loop[];
  readonly write: (kernel: Kernel, group: Term) => void;
}

function stageKernel(making: Making, drafts: readonly DraftStage[]): DraftKernel | undefined {
  if (drafts.length === 0) return undefined;
  const scope: ModuleScope = { functions: new Set(), shared: new Map(), extensions: new Set() };
  const names = new Set<string>();
  const functions = drafts.map(({ label, notes, around, write }) => {
    const kernel = createKernel(making, scope, around);
    write(kernel, { code: "group", depth: 0, dtype: "int" });
    return { name: uniqueName(names, label), notes, lines: kernel.lines() };
  });
  const stages = drafts.map(({ label, groups, whole, only, products, barriers, around }) => ({
    ...{ label, groups, whole, only, products, barriers, around },
  }));
  return { label: drafts.map(({ label }) => label).join(", "), stages, functions, scope };
}

function uniqueName(names: Set<string>, label: string): string {
  const base = `stage_${identifier(label).slice(0, 40)}`;
  let name = base;
  for (let count = 2; names.has(name); count++) name = `${base}_${count}`;
  names.add(name);
  return name;
}

function createKernel(making: Making, scope: ModuleScope, loops: readonly Loop[]): Kernel {
  const { plan, pointers, threads, together, subgroups } = making;
  const done = new Map(
    loops.map((loop, at): readonly [Loop, Term] => [
      loop,
      { code: `steps[${Math.floor(at / 4)}].${"xyzw"[at % 4]}`, depth: 0, dtype: "int" },
    ]),
  );
  return {
    ...createWriter(scope),
    plan,
    pointers,
    threads,
    together,
    subgroups,
    done,
    owned: undefined,
    copies: new Map(),
  };
}

function stagesOf(
  making: Making,
  member: Member,
  around: readonly Loop[],
  copies: readonly Copy[],
): readonly DraftStage[] {
  if (member.kind === "loop") return wholeLoop(making, member, around, copies);
  const notes = equationOf(making.plan, member.action);
  return partsOf(making.plan, member.action, making.shared).map((part) => partStage(making, part, notes, around));
}

function partStage(
  { threads, together }: Making,
  part: Part,
  notes: readonly string[],
  around: readonly Loop[],
): DraftStage {
  return {
    ...{ label: part.label, notes, around, groups: groupsOf(part, threads, together) },
    ...{ whole: undefined, only: undefined, products: [], barriers: 0 },
    write: (kernel, group) => writePart(kernel, part, group),
  };
}

type LoopMember = Extract<Member, { readonly kind: "loop" }>;

/** Rows that a group of threads owns: as many as a vector has numbers. */
const ROWS = 4;

/** All steps of a loop in one stage, where every row's steps need no other row. */
function wholeLoop(
  { plan }: Making,
  { action, body }: LoopMember,
  around: readonly Loop[],
  copies: readonly Copy[],
): readonly DraftStage[] {
  const axis = ownedAxis(plan, action);
  const size = action.carries.flatMap(({ carry }) => carry.axes).find(({ id }) => id === axis)?.size;
  if (axis === undefined || size === undefined) return [];
  return [
    {
      around,
      label: `loop over ${action.loop.axis.id}`,
      notes: [`all steps along ${action.loop.axis.id}, ${ROWS} positions of ${axis} at a time`],
      groups: [{ sizes: [size], per: ROWS }],
      whole: action.loop,
      only: action.loop,
      products: productsOf(body),
      barriers: barriersOf(body),
      write: (kernel, group) => {
        const first = kernel.bind(0, "int", `${group.code} * ${ROWS}`, "first");
        const all = sizeTerm(kernel, size);
        const count = kernel.bind(0, "int", `min(${all.code} - ${first.code}, ${ROWS})`, "rows");
        const own = { axis, first, count };
        writeSteps({ ...kernel, owned: own, copies: new Map(copies.map((copy) => [copy.key, copy])) }, action, body);
      },
    },
  ];
}

/** How many products of numbers the steps of a loop add up, inner loops walked once for each of theirs. */
function productsOf(body: readonly Level[], times: Size = constantSize(1)): readonly Size[] {
  return body.flat().flatMap((member): readonly Size[] => {
    if (member.kind === "loop") return productsOf(member.body, multiplySizes(times, member.action.loop.axis.size));
    if (member.action.kind !== "products") return [];
    return member.action.terms.map(({ value }) => {
      const inputs = value.definition.kind === "node" ? value.definition.inputs : [];
      const axes = unionAxes(...inputs.map((input) => input.axes));
      return axes.reduce((count, axis) => multiplySizes(count, axis.size), times);
    });
  });
}

function barriersOf(body: readonly Level[]): number {
  return body.reduce((sum, level) => {
    const inner = level.flatMap((member) => (member.kind === "loop" ? [barriersOf(member.body)] : []));
    return sum + 1 + inner.reduce((all, count) => all + count, 0);
  }, 0);
}

function writeSteps(
  kernel: Kernel & { readonly owned: Ownership },
  { loop }: LoopAction,
  body: readonly Level[],
): void {
  kernel.repeat(
    sizeTerm(kernel, loop.axis.size),
    (index) => {
      const inner = { ...kernel, done: new Map([...kernel.done, [loop, index]]) };
      for (const level of body) {
        for (const member of level) {
          if (member.kind === "loop") writeSteps(inner, member.action, member.body);
          else
            for (const part of partsOf(kernel.plan, member.action, 0, kernel.owned.axis)) {
              for (const note of equationOf(kernel.plan, member.action)) kernel.comment(note);
              kernel.section(() => writePart(inner, part, undefined));
            }
        }
        kernel.line("storageBarrier();");
      }
    },
    `step_${loop.axis.id}`,
  );
}
