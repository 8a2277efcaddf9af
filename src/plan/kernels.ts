import type { Place } from "./place.ts";
import type { Action, Plan } from "./plan.ts";
import { type KernelKind, outputsOf } from "./steps.ts";
import type { Loop, Value } from "./value.ts";

/** What a kernel is made for: one expression for each position, products added up, or a nest of its own kind. */
export type KernelRole = KernelKind | "map" | "products" | "pack" | "copy" | "start";

/** What kernels are called. */
export const KERNEL_NAMES: Readonly<Record<KernelRole, string>> = {
  map: "map",
  products: "products",
  contract: "products",
  reduce: "reduce",
  arg: "arg",
  scatter: "scatter",
  put: "put",
  concat: "concat",
  merge: "merge",
  pack: "pack",
  copy: "copy",
  start: "start",
};

/** One kernel of a plan as it runs, and what is computed in it. */
export interface PlannedKernel {
  /** From 1 on, in the order in which kernels first run. */
  readonly number: number;
  readonly role: KernelRole;
  /** Whether it runs once before the first run, since it depends on fixed params alone. */
  readonly once: boolean;
  readonly action: Action;
  /** What it leaves in memory; of a pack, what is laid out anew. */
  readonly outputs: readonly Value[];
  /** Values that it computes, those included that are kept nowhere, each after what it is computed from. */
  readonly computes: readonly Value[];
  /** What it reads of memory. */
  readonly reads: readonly Value[];
  /** The loops around it, outermost first: it runs at each of their steps. */
  readonly loops: readonly Loop[];
}

/** The kernels of a plan in order. A carry's start, put where the loop finds it, is a kernel too. */
export function kernelsOf(plan: Plan): readonly PlannedKernel[] {
  const kernels: PlannedKernel[] = [];
  let once = true;
  const add = (role: KernelRole, action: Action, outputs: readonly Value[], loops: readonly Loop[]): void => {
    const { computes, reads } = insideOf(plan, outputs, isComputed(role));
    kernels.push({ number: kernels.length + 1, role, once, action, outputs, computes, reads, loops });
  };
  const walk = (actions: readonly Action[], loops: readonly Loop[]): void => {
    for (const action of actions) {
      switch (action.kind) {
        case "kernel":
          add(action.kernel.kind, action, outputsOf(action.kernel), loops);
          break;
        case "products":
          add("products", action, [action.output], loops);
          break;
        case "pack":
          add("pack", action, rightOf(plan, action.product.right), loops);
          break;
        case "copy":
          add("copy", action, [action.from], loops);
          break;
        case "loop":
          for (const { start } of action.carries) add("start", action, [start], loops);
          walk(action.body, [...loops, action.loop]);
          break;
        default:
          action satisfies never;
      }
    }
  };
  walk(plan.prepare, []);
  once = false;
  walk(plan.actions, []);
  return kernels;
}

/** Whether a kernel computes its outputs; others take them where they lie, if they lie somewhere. */
function isComputed(role: KernelRole): boolean {
  return role !== "pack" && role !== "copy" && role !== "start";
}

/** The value whose memory a product's right matrix is: the first that lies there, since later ones only take its place. */
function rightOf(plan: Plan, right: Place): readonly Value[] {
  const found = [...plan.places].flatMap(([value, { cell }]) => (cell === right.cell ? [value] : []));
  return found.sort((a, b) => a.index - b.index).slice(0, 1);
}

/** What the kernel of some values computes, and what it reads of memory; the values themselves are computed where `isOwn` says so. */
function insideOf(
  { stored }: Plan,
  roots: readonly Value[],
  isOwn: boolean,
): { readonly computes: readonly Value[]; readonly reads: readonly Value[] } {
  const computes = new Set<Value>();
  const reads = new Set<Value>();
  const open = new Set(isOwn ? roots : []);
  const visit = (value: Value): void => {
    if (computes.has(value)) return;
    const { definition } = value;
    if (definition.kind === "entry") visit(definition.of);
    else if (definition.kind !== "node" || (stored.has(value) && !open.has(value))) reads.add(value);
    else {
      for (const input of definition.inputs) visit(input);
      computes.add(value);
    }
  };
  roots.forEach(visit);
  return { computes: [...computes], reads: [...reads] };
}
