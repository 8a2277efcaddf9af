import { constantSize, multiplySizes, type Size } from "../../ir/size.ts";
import type { CarryPlan, Place } from "../../plan/place.ts";
import type { Action } from "../../plan/plan.ts";
import { isProducts, productRuns } from "../../plan/product-run.ts";
import type { Split } from "../../plan/split.ts";
import type { Kernel as KernelStep } from "../../plan/steps.ts";
import type { Loop } from "../../plan/value.ts";
import { type Context, cellAddress, fixedSize, loadCell, tableOf } from "./context.ts";
import {
  block,
  branchIf,
  call,
  type I32,
  i32,
  type Local,
  local,
  loop as loopCode,
  type Procedure,
  type Statement,
  when,
} from "./encode-code.ts";
import { evaluate } from "./evaluate.ts";
import type { Kernel } from "./kernel.ts";
import { argKernel, concatKernel, mergeKernel, putKernel, scatterKernel } from "./kernel-index.ts";
import { copyKernel, mapKernel } from "./kernel-map.ts";
import { packKernel, productsFunction, sharedFunction } from "./kernel-product.ts";
import { reduceKernel } from "./kernel-reduce.ts";
import { loadFrom, type Positions, type Vector } from "./memory.ts";
import type { Share } from "./share.ts";
import { barrier } from "./threads.ts";

/** A function that performs actions in order. Its params are the positions of the loops around them. */
export function actionsFunction(context: Context, name: string, actions: readonly Action[]): Procedure {
  const performed = performAll(context, actions, []);
  const builder = context.module.function(name, [], "none");
  builder.finish(...performed.flatMap((statements) => statements([])));
  return builder.reference;
}

/** An action at positions of the loops around it. */
type Performed = (positions: readonly I32[]) => readonly Statement[];

/** Actions one after another; outside of loops a single thread packs only once what neighbours multiply by. */
function performAll(context: Context, actions: readonly Action[], loops: readonly Loop[]): readonly Performed[] {
  const single = context.threads === undefined && loops.length === 0;
  const runs = single ? productRuns(context.plan, actions) : actions.map((action) => [action]);
  return runs.flatMap((run): readonly Performed[] => {
    if (run.length === 1) return run.map((action) => perform(context, action, loops));
    const reference = sharedFunction(context, run.filter(isProducts));
    return [() => [call(reference)]];
  });
}

/** Makes an action's function; what it gives calls it, after waiting for other threads where that is needed. */
function perform(context: Context, action: Action, loops: readonly Loop[]): Performed {
  const { module, threads } = context;
  const split = action.kind === "loop" ? undefined : threads?.sharing.splits.get(action);
  const reference = actionFunction(context, action, loops, shareOfSplit(split));
  return (positions) => [
    ...(threads?.sharing.barriers.has(action) === true ? [barrier(module, threads)] : []),
    ...callBy(context, split, call(reference, ...positions)),
  ];
}

/** A call by all threads, or by one where the action is not divided. */
function callBy({ threads }: Context, split: Split | undefined, statement: Statement): readonly Statement[] {
  if (threads === undefined || split?.kind !== "one") return [statement];
  return [when(i32.eqz(threads.thread), [statement])];
}

function shareOfSplit(split: Split | undefined): Share | undefined {
  return split?.kind === "axis" ? split.axis : undefined;
}

function actionFunction(context: Context, action: Action, loops: readonly Loop[], share: Share | undefined): Procedure {
  switch (action.kind) {
    case "kernel":
      return kernelFunction(context, action.kernel, loops, share);
    case "copy": {
      const { from, source, to } = action;
      const read = (kernel: Kernel, positions: Positions): Vector =>
        source === undefined ? evaluate(kernel, from, positions) : loadFrom(kernel, source, positions, from.dtype);
      return copyKernel(context, from, to, loops, read, share);
    }
    case "products":
      return productsFunction(context, action.output, action.terms, loops, share);
    case "pack":
      return packKernel(context, action.product, action.pack, loops, share);
    case "loop":
      return loopFunction(context, action, loops);
    default:
      return action satisfies never;
  }
}

function kernelFunction(
  context: Context,
  step: KernelStep,
  loops: readonly Loop[],
  share: Share | undefined,
): Procedure {
  switch (step.kind) {
    case "map":
      return mapKernel(context, step.outputs, loops, share);
    case "contract":
      throw new Error("internal: a contraction is planned as products");
    case "reduce":
      return reduceKernel(context, step.output, loops, { share });
    case "arg":
      return argKernel(context, step.output, loops, share);
    case "scatter":
      return scatterKernel(context, step.output, loops, share);
    case "put":
      return putKernel(context, step.output, loops, share);
    case "concat":
      return concatKernel(context, step.output, loops, share);
    case "merge":
      return mergeKernel(context, step.output, loops, share);
    default:
      return step satisfies never;
  }
}

/** A loop: carries get their starts, every step runs the body's actions, then what it left becomes what the next one finds. */
function loopFunction(
  context: Context,
  { loop, carries, body }: Extract<Action, { readonly kind: "loop" }>,
  loops: readonly Loop[],
): Procedure {
  const inner = [...loops, loop];
  const starts = carries.map((plan) => startFunction(context, plan, loops));
  const steps = performAll(context, body, inner);
  const builder = context.module.function(
    `loop over ${loop.axis.id}`,
    loops.map(() => "i32" as const),
    "none",
  );
  const outer = loops.map((_, index) => local.get(builder.param(index, "i32")));
  const count = builder.local("i32");
  const done = builder.local("i32");
  const position = loop.reverse ? i32.sub(i32.sub(local.get(count), i32.const(1)), local.get(done)) : local.get(done);
  const at = builder.local("i32");
  const places = [...outer, local.get(at)];
  const advance = carries.flatMap((plan) => advanceCarry(context, plan, inner, places, builder.local("i32")));
  builder.finish(
    ...starts.flatMap((start) => start(outer)),
    ...carries.flatMap((plan) => startCarry(context, plan, loops, outer)),
    local.set(count, sizeCode(context, loop.axis.size)),
    local.set(done, i32.const(0)),
    block(
      branchIf(0, i32.eqz(local.get(count))),
      loopCode(
        local.set(at, position),
        ...steps.flatMap((step) => step(places)),
        ...advance,
        local.set(done, i32.add(local.get(done), i32.const(1))),
        branchIf(0, i32.lt(local.get(done), local.get(count))),
      ),
    ),
  );
  return builder.reference;
}

function startFunction(context: Context, plan: CarryPlan, loops: readonly Loop[]): Performed {
  const split = context.threads?.sharing.splits.get(plan);
  const read = (kernel: Kernel, positions: Positions): Vector => evaluate(kernel, plan.start, positions);
  const reference = copyKernel(context, plan.start, plan.startPlace, loops, read, shareOfSplit(split));
  return (positions) => callBy(context, split, call(reference, ...positions));
}

function sizeCode(context: Context, size: Size): I32 {
  const fixed = fixedSize(size);
  return fixed === undefined ? loadCell(context, context.plan.cells.size(size)) : i32.const(fixed);
}

function storeCell(context: Context, cell: number, value: I32): Statement {
  return i32.store(tableOf(context), value, cellAddress(cell));
}

function startCarry(
  context: Context,
  plan: CarryPlan,
  loops: readonly Loop[],
  positions: readonly I32[],
): readonly Statement[] {
  const start = storeCell(context, plan.current.cell, addressCode(context, plan.startPlace, loops, positions));
  return plan.kind === "double"
    ? [start, storeCell(context, plan.nextCell, loadCell(context, plan.otherCell))]
    : [start];
}

/** Where a place starts, at positions of the loops around. */
function addressCode(context: Context, place: Place, loops: readonly Loop[], positions: readonly I32[]): I32 {
  const inBytes = (elements: Size): I32 => sizeCode(context, multiplySizes(elements, constantSize(4)));
  let address = loadCell(context, place.cell);
  if (place.offset !== undefined) address = i32.add(address, inBytes(place.offset));
  for (const { loop, stride } of place.steps) {
    address = i32.add(address, i32.mul(positions[loops.indexOf(loop)] ?? i32.const(0), inBytes(stride)));
  }
  return address;
}

/** What the step left becomes the carry's present value. */
function advanceCarry(
  context: Context,
  plan: CarryPlan,
  loops: readonly Loop[],
  positions: readonly I32[],
  spare: Local<"i32">,
): readonly Statement[] {
  switch (plan.kind) {
    case "in place":
      return [];
    case "double":
      return [
        local.set(spare, loadCell(context, plan.current.cell)),
        storeCell(context, plan.current.cell, loadCell(context, plan.nextCell)),
        storeCell(context, plan.nextCell, local.get(spare)),
      ];
    case "collected":
      return [storeCell(context, plan.current.cell, addressCode(context, plan.entry, loops, positions))];
    default:
      return plan satisfies never;
  }
}
