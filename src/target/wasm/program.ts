import { constantSize, multiplySizes, type Size } from "../../ir/size.ts";
import type { CarryPlan, Place } from "../../plan/place.ts";
import type { Action } from "../../plan/plan.ts";
import type { Kernel as KernelStep } from "../../plan/steps.ts";
import type { Loop } from "../../plan/value.ts";
import { type Context, cellAddress, fixedSize } from "./context.ts";
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
} from "./encode-code.ts";
import { evaluate } from "./evaluate.ts";
import { argKernel, concatKernel, mergeKernel, putKernel, scatterKernel } from "./kernel-index.ts";
import { copyKernel, mapKernel } from "./kernel-map.ts";
import { packKernel, productsFunction } from "./kernel-product.ts";
import { reduceKernel } from "./kernel-reduce.ts";
import { loadFrom } from "./memory.ts";

/** A function that performs actions in order. Its params are the positions of the loops around them. */
export function actionsFunction(context: Context, name: string, actions: readonly Action[]): Procedure {
  const calls = actions.map((action) => actionFunction(context, action, []));
  const builder = context.module.function(name, [], "none");
  builder.finish(...calls.map((reference) => call(reference)));
  return builder.reference;
}

function actionFunction(context: Context, action: Action, loops: readonly Loop[]): Procedure {
  switch (action.kind) {
    case "kernel":
      return kernelFunction(context, action.kernel, loops);
    case "copy": {
      const { from, source, to } = action;
      return copyKernel(context, from, to, loops, (kernel, positions) =>
        source === undefined ? evaluate(kernel, from, positions) : loadFrom(kernel, source, positions, from.dtype),
      );
    }
    case "products":
      return productsFunction(context, action.output, action.terms, loops);
    case "pack":
      return packKernel(context, action.product, action.pack, loops);
    case "loop":
      return loopFunction(context, action, loops);
    default:
      return action satisfies never;
  }
}

function kernelFunction(context: Context, step: KernelStep, loops: readonly Loop[]): Procedure {
  switch (step.kind) {
    case "map":
      return mapKernel(context, step.outputs, loops);
    case "contract":
      throw new Error("internal: a contraction is planned as products");
    case "reduce":
      return reduceKernel(context, step.output, loops);
    case "arg":
      return argKernel(context, step.output, loops);
    case "scatter":
      return scatterKernel(context, step.output, loops);
    case "put":
      return putKernel(context, step.output, loops);
    case "concat":
      return concatKernel(context, step.output, loops);
    case "merge":
      return mergeKernel(context, step.output, loops);
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
  const starts = carries.map((plan) =>
    copyKernel(context, plan.start, plan.startPlace, loops, (kernel, positions) =>
      evaluate(kernel, plan.start, positions),
    ),
  );
  const steps = body.map((action) => actionFunction(context, action, inner));
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
    ...starts.map((reference) => call(reference, ...outer)),
    ...carries.flatMap((plan) => startCarry(context, plan, loops, outer)),
    local.set(count, sizeCode(context, loop.axis.size)),
    local.set(done, i32.const(0)),
    block(
      branchIf(0, i32.eqz(local.get(count))),
      loopCode(
        local.set(at, position),
        ...steps.map((reference) => call(reference, ...places)),
        ...advance,
        local.set(done, i32.add(local.get(done), i32.const(1))),
        branchIf(0, i32.lt(local.get(done), local.get(count))),
      ),
    ),
  );
  return builder.reference;
}

function sizeCode(context: Context, size: Size): I32 {
  const fixed = fixedSize(size);
  return fixed === undefined ? loadCell(context.plan.cells.size(size)) : i32.const(fixed);
}

function loadCell(cell: number): I32 {
  return i32.load(i32.const(0), cellAddress(cell));
}

function storeCell(cell: number, value: I32): Statement {
  return i32.store(i32.const(0), value, cellAddress(cell));
}

function startCarry(
  context: Context,
  plan: CarryPlan,
  loops: readonly Loop[],
  positions: readonly I32[],
): readonly Statement[] {
  const start = storeCell(plan.current.cell, addressCode(context, plan.startPlace, loops, positions));
  return plan.kind === "double" ? [start, storeCell(plan.nextCell, loadCell(plan.otherCell))] : [start];
}

/** Where a place starts, at positions of the loops around. */
function addressCode(context: Context, place: Place, loops: readonly Loop[], positions: readonly I32[]): I32 {
  const inBytes = (elements: Size): I32 => sizeCode(context, multiplySizes(elements, constantSize(4)));
  let address = loadCell(place.cell);
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
        local.set(spare, loadCell(plan.current.cell)),
        storeCell(plan.current.cell, loadCell(plan.nextCell)),
        storeCell(plan.nextCell, local.get(spare)),
      ];
    case "collected":
      return [storeCell(plan.current.cell, addressCode(context, plan.entry, loops, positions))];
    default:
      return plan satisfies never;
  }
}
