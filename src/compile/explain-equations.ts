import { isNode, type Origin } from "../ir/graph.ts";
import { contract } from "../op/contract.ts";
import { concat, gather, put, scatter } from "../op/move.ts";
import { reduce } from "../op/reduce.ts";
import type { Note } from "../pass/note.ts";
import type { PlannedKernel } from "../plan/kernels.ts";
import { neededValues } from "../plan/needed.ts";
import type { Plan } from "../plan/plan.ts";
import type { Value } from "../plan/value.ts";
import type { ExplainedEquation, Fact, Unfused } from "./explain.ts";
import { describeValue } from "./explain-value.ts";

/** Where each equation landed, in the order in which they are first computed, and what happened to it. */
export function explainEquations(
  plan: Plan,
  kernels: readonly PlannedKernel[],
  notes: readonly Note[],
): readonly ExplainedEquation[] {
  const primal = primalValues(plan);
  const found = new Map<string, Draft>();
  const draftOf = (origin: Origin): Draft => {
    const key = originKey(origin);
    const draft = found.get(key) ?? { origin, value: new Map(), gradient: new Map(), facts: [] };
    found.set(key, draft);
    return draft;
  };
  for (const kernel of kernels) {
    for (const value of kernel.computes) {
      const origin = originOf(value);
      if (origin === undefined || !isWork(value)) continue;
      const draft = draftOf(origin);
      const part = primal.has(value) ? draft.value : draft.gradient;
      part.set(kernel.number, [...(part.get(kernel.number) ?? []), value]);
    }
  }
  const byNumber = new Map(kernels.map((kernel) => [kernel.number, kernel]));
  const describe: Describe = (value) => describeValue(value, (each) => primal.has(each));
  for (const draft of found.values())
    draft.facts.push(...loopFacts(draft, byNumber, describe), ...unfusedFacts(draft, plan, describe));
  for (const kernel of kernels) addKernelFacts(kernel, plan, found, describe);
  for (const note of notes) addNote(note, found);
  return [...found.values()].map(({ origin, value, gradient, facts }) => ({
    ...{ name: origin.name, origin, value: [...value.keys()], gradient: [...gradient.keys()] },
    facts: distinct(facts),
  }));
}

type Describe = (value: Value) => string;

interface Draft {
  readonly origin: Origin;
  /** Values of the equation by the kernel that computes them. */
  readonly value: Map<number, readonly Value[]>;
  readonly gradient: Map<number, readonly Value[]>;
  readonly facts: Fact[];
}

function originKey({ name, span }: Origin): string {
  return `${name} ${span.file} ${span.start}`;
}

function originOf({ definition }: Value): Origin | undefined {
  return definition.kind === "node" ? definition.node.origin : undefined;
}

/** What the loss is made of; everything, of a program without gradients. */
function primalValues({ graph, results }: Plan): ReadonlySet<Value> {
  const loss = graph.results.filter(({ name }) => name === "loss");
  const trains = results.some(({ name }) => /^(weight|gradient|slot)\./.test(name));
  return neededValues(loss.length > 0 && trains ? { ...graph, results: loss } : graph);
}

/** Whether computing a value is more than reading another one differently. */
function isWork({ definition }: Value): boolean {
  if (definition.kind !== "node") return false;
  const { node } = definition;
  if (node.op.form === "move") return [concat, gather, put, scatter].some((op) => op.name === node.op.name);
  return node.op.form !== "source" || node.inputs.length > 0;
}

/** What of an equation in a loop is computed before the loop, and which sums over what the loop gives come after it. */
function loopFacts(
  { value, gradient }: Draft,
  kernels: ReadonlyMap<number, PlannedKernel>,
  describe: Describe,
): readonly Fact[] {
  const facts: Fact[] = [];
  const inside = [...value.keys()].flatMap((number) => kernels.get(number)?.loops ?? []);
  for (const axis of new Set(inside.map((loop) => loop.axis.id))) {
    const isOutside = (number: number): boolean =>
      kernels.get(number)?.loops.every((loop) => loop.axis.id !== axis) === true;
    for (const [kernel, values] of value) {
      const hoisted = values.findLast((each) => each.axes.some((own) => own.id === axis));
      if (hoisted !== undefined && isOutside(kernel))
        facts.push({ kind: "hoisted", what: describe(hoisted), axis, kernel });
    }
    for (const [kernel, values] of gradient) {
      for (const each of values) {
        const over = summedAxes(each);
        if (over.includes(axis) && isOutside(kernel))
          facts.push({ kind: "summed after the loop", what: describe(each), over, axis, kernel });
      }
    }
  }
  return facts;
}

function summedAxes({ definition }: Value): readonly string[] {
  if (definition.kind !== "node") return [];
  const { node } = definition;
  if (isNode(node, contract)) return node.attributes.over;
  return isNode(node, reduce) ? node.attributes.axes : [];
}

const UNFUSED: ReadonlySet<string> = new Set<Unfused>(["long", "order", "operand", "shared", "repeated", "apart"]);

function isUnfused(reason: string | undefined): reason is Unfused {
  return reason !== undefined && UNFUSED.has(reason);
}

function unfusedFacts({ value, gradient }: Draft, { reasons }: Plan, describe: Describe): readonly Fact[] {
  return [...value, ...gradient].flatMap(([kernel, values]) =>
    values.flatMap((each): readonly Fact[] => {
      const why = reasons.get(each);
      return isUnfused(why) ? [{ kind: "not fused", what: describe(each), why, kernel }] : [];
    }),
  );
}

function addKernelFacts(
  kernel: PlannedKernel,
  plan: Plan,
  found: ReadonlyMap<string, Draft>,
  describe: Describe,
): void {
  const { action, number, once } = kernel;
  const add = (origin: Origin | undefined, fact: Fact): void => {
    if (origin !== undefined) found.get(originKey(origin))?.facts.push(fact);
  };
  if (action.kind === "products" && action.terms.length > 1) {
    const products = action.terms.map(({ value }) => describe(value));
    const origins = new Map(action.terms.flatMap(({ value }) => namedOrigin(value)));
    for (const origin of origins.values()) add(origin, { kind: "added in place", products, kernel: number });
  }
  if (action.kind !== "pack") return;
  const [weight] = kernel.outputs;
  const axis = loopBehind(action, plan);
  for (const origin of readersOf(action.product.right.cell, plan))
    if (weight !== undefined) add(origin, { kind: "laid out", what: describe(weight), axis, once, kernel: number });
}

function namedOrigin(value: Value): readonly (readonly [string, Origin])[] {
  const origin = originOf(value);
  return origin === undefined ? [] : [[originKey(origin), origin]];
}

/** The loop whose products read what a pack lays out. */
function loopBehind(
  { pack }: Extract<Plan["actions"][number], { readonly kind: "pack" }>,
  plan: Plan,
): string | undefined {
  for (const action of plan.actions) {
    if (action.kind !== "loop") continue;
    const reads = (actions: Plan["actions"]): boolean =>
      actions.some((each) =>
        each.kind === "loop"
          ? reads(each.body)
          : each.kind === "products" && each.terms.some((term) => term.pack?.buffer === pack.buffer),
      );
    if (reads(action.body)) return action.loop.axis.id;
  }
  return undefined;
}

/** The equations whose products have a matrix of this memory on their right. */
function readersOf(cell: number, plan: Plan): readonly Origin[] {
  const origins = new Map<string, Origin>();
  const walk = (actions: Plan["actions"]): void => {
    for (const action of actions) {
      if (action.kind === "loop") walk(action.body);
      if (action.kind !== "products") continue;
      for (const { value, product } of action.terms)
        if (product?.right.cell === cell) for (const [key, origin] of namedOrigin(value)) origins.set(key, origin);
    }
  };
  walk(plan.actions);
  return [...origins.values()];
}

function addNote({ origins, ...note }: Note, found: ReadonlyMap<string, Draft>): void {
  for (const origin of origins) {
    const others = origins.filter((other) => other !== origin).map(({ name }) => name);
    found.get(originKey(origin))?.facts.push({ kind: "pass", note, others });
  }
}

function distinct(facts: readonly Fact[]): readonly Fact[] {
  return [...new Map(facts.map((fact) => [JSON.stringify(fact), fact])).values()];
}
