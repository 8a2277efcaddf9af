import type { Origin } from "../ir/graph.ts";
import type { SizeBinding } from "../ir/size.ts";
import { sizeValue } from "../ir/tensor.ts";
import type { Note } from "../pass/note.ts";
import { type KernelCost, kernelCost } from "../plan/cost.ts";
import { type KernelRole, kernelsOf, type PlannedKernel } from "../plan/kernels.ts";
import type { Plan } from "../plan/plan.ts";
import { explainEquations } from "./explain-equations.ts";

/** What became of a program: which kernels there are, what runs in them, and which equation landed where. Plain data. */
export interface Explanation {
  readonly program: string;
  /** The sizes that costs are counted for: the batch `B`, times, features. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly kernels: readonly ExplainedKernel[];
  readonly loops: readonly ExplainedLoop[];
  readonly totals: Totals;
  readonly equations: readonly ExplainedEquation[];
}

export interface Totals {
  /** Kernels in the program's code. */
  readonly kernels: number;
  /** Kernels that run once before the first call, and again when a weight that no step changes is replaced. */
  readonly once: number;
  /** How many times kernels run in a call. */
  readonly runs: number;
  /** Of a call. */
  readonly flops: number;
  readonly productFlops: number;
  /** Read and written by a call, every operand and result of a kernel once a run. */
  readonly bytes: number;
}

export interface ExplainedLoop {
  /** `T`, with those around it: `T, S`. */
  readonly over: string;
  readonly reverse: boolean;
  /** Of one pass over the innermost axis. */
  readonly steps: number;
  /** Kernels that run at each step. */
  readonly kernels: readonly number[];
}

export interface ExplainedKernel extends KernelCost {
  readonly number: number;
  readonly role: KernelRole;
  readonly once: boolean;
  /** The axes of the loops around it, outermost first. */
  readonly loops: readonly string[];
  /** What it leaves in memory. */
  readonly outputs: readonly string[];
  /** Names of the equations that it computes something of. */
  readonly equations: readonly string[];
}

/** One equation of the user, or of the library. */
export interface ExplainedEquation {
  readonly name: string;
  readonly origin: Origin;
  /** Kernels that compute its value. */
  readonly value: readonly number[];
  /** Kernels that compute its gradient, or what comes of it. */
  readonly gradient: readonly number[];
  readonly facts: readonly Fact[];
}

/** What happened to an equation. `what` names values as far as they have names: `cell.W.i @ x`. */
export type Fact =
  /** It does not depend on the loop's state, so it is computed for all of the axis before the loop. */
  | { readonly kind: "hoisted"; readonly what: string; readonly axis: string; readonly kernel: number }
  /** A sum over what a loop gives, made once after the loop. */
  | {
      readonly kind: "summed after the loop";
      readonly what: string;
      readonly over: readonly string[];
      readonly axis: string;
      readonly kernel: number;
    }
  /** Products that are added where their sum lies. */
  | { readonly kind: "added in place"; readonly products: readonly string[]; readonly kernel: number }
  /** A weight that is laid out for the products of a loop before the loop; `once`: before the first call. */
  | {
      readonly kind: "laid out";
      readonly what: string;
      readonly axis: string | undefined;
      readonly once: boolean;
      readonly kernel: number;
    }
  /** A value that has memory of its own though it could be computed in the kernels that read it. */
  | { readonly kind: "not fused"; readonly what: string; readonly why: Unfused; readonly kernel: number }
  /** What a pass did, with the other equations that it put together with this one. */
  | { readonly kind: "pass"; readonly note: Omit<Note, "origins">; readonly others: readonly string[] };

/** Why a value is stored that could be computed where it is read. */
export type Unfused = "long" | "order" | "operand" | "shared" | "repeated" | "apart";

/** Explains a plan at bound sizes; `notes` is what the passes before said. */
export function explainPlan(
  plan: Plan,
  { program, notes, sizes }: { readonly program: string; readonly notes: readonly Note[]; readonly sizes: SizeBinding },
): Explanation {
  const kernels = kernelsOf(plan);
  const explained = kernels.map((kernel): ExplainedKernel => {
    const { number, role, once, loops, outputs } = kernel;
    return {
      ...{ number, role, once, loops: loops.map((loop) => loop.axis.id), outputs: outputs.map(({ name }) => name) },
      equations: equationsOf(kernel),
      ...kernelCost(kernel, sizes),
    };
  });
  const running = explained.filter((kernel) => !kernel.once);
  const sum = (of: (kernel: ExplainedKernel) => number): number => running.reduce((all, each) => all + of(each), 0);
  return {
    program,
    sizes: Object.fromEntries(sizes),
    kernels: explained,
    loops: explainLoops(kernels, sizes),
    totals: {
      kernels: explained.length,
      once: explained.length - running.length,
      runs: sum(({ runs }) => runs),
      flops: sum(({ flops }) => flops),
      productFlops: sum(({ productFlops }) => productFlops),
      bytes: sum(({ bytes }) => bytes),
    },
    equations: explainEquations(plan, kernels, notes),
  };
}

function equationsOf({ computes }: PlannedKernel): readonly string[] {
  const names = computes.flatMap(({ definition }) =>
    definition.kind === "node" && definition.node.origin !== undefined ? [definition.node.origin.name] : [],
  );
  return [...new Set(names)];
}

function explainLoops(kernels: readonly PlannedKernel[], sizes: SizeBinding): readonly ExplainedLoop[] {
  const inLoops = kernels.filter(({ loops }) => loops.length > 0);
  return [...Map.groupBy(inLoops, ({ loops }) => loops.at(-1)).values()].flatMap((group) => {
    const [first] = group;
    const inner = first?.loops.at(-1);
    if (first === undefined || inner === undefined) return [];
    const over = first.loops.map((loop) => loop.axis.id).join(", ");
    const steps = sizeValue(inner.axis.size, sizes);
    return [{ over, reverse: inner.reverse, steps, kernels: group.map(({ number }) => number) }];
  });
}
