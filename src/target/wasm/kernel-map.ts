import type { Axis } from "../../ir/type.ts";
import type { Place } from "../../plan/place.ts";
import type { Loop, Value } from "../../plan/value.ts";
import { describeKernel, type Likeness } from "./alike.ts";
import { type Context, loadCell } from "./context.ts";
import { call, i32, type Procedure } from "./encode-code.ts";
import type { FunctionBuilder } from "./encode-module.ts";
import { evaluate } from "./evaluate.ts";
import { type Flat, flatten } from "./flat.ts";
import { alikeKernel, cellKey, createKernel, type Kernel, kernelIn, type Scalar } from "./kernel.ts";
import { type Position, type Positions, scalarPosition, storeTo, type Vector } from "./memory.ts";
import { type Share, shareOf } from "./share.ts";

/** Elementwise values over the same axes, in one loop nest. All are computed before any is stored, so that they may replace what they read. */
export function mapKernel(
  context: Context,
  outputs: readonly Value[],
  loops: readonly Loop[],
  share?: Share,
): Procedure {
  const name = `map ${outputs.map((output) => output.name).join(" ")}`;
  const [first] = outputs;
  if (first === undefined) throw new Error("internal: a kernel has no output");
  const axes = storedAxes(context, first);
  const flat = loops.length === 0 && share === undefined ? flatten(context.plan, outputs, axes) : undefined;
  if (flat !== undefined) return flatKernel(context, name, outputs, axes, flat);
  return alikeKernel(context, name, loops, likenessOf(context, outputs, loops, share), (kernel) => {
    nest(kernel, axes, (positions) => computeAll(kernel, outputs, positions), { share });
  });
}

function likenessOf(
  { plan, threads }: Context,
  outputs: readonly Value[],
  loops: readonly Loop[],
  share: Share | undefined,
): Likeness | undefined {
  if (threads !== undefined || share !== undefined) return undefined;
  const description = describeKernel(plan, loops, outputs);
  description.text("map");
  for (const output of outputs) description.output(output);
  return description.finish();
}

function computeAll(kernel: Kernel, outputs: readonly Value[], positions: Positions): void {
  const own = new Set(outputs);
  const values = outputs.map((output) => evaluate(kernel, output, positions, own));
  outputs.forEach((output, index) => {
    const value = values[index];
    if (value !== undefined) storeTo(kernel, placeOf(kernel.context, output), positions, value);
  });
}

/** What the number of positions is called among the numbers that a kernel is given. */
const COUNT = "count";

/** One loop over all positions, in a function for all kernels that do the same with other arrays: the updates of all weights are one. */
function flatKernel(
  context: Context,
  name: string,
  outputs: readonly Value[],
  axes: readonly Axis[],
  { count, key, cells }: Flat,
): Procedure {
  const params = [count, ...cells].map(() => "i32" as const);
  const write = (builder: FunctionBuilder<"none">): void => {
    const passed = [COUNT, ...cells.map(cellKey)];
    const kernel = kernelIn(context, {
      ...builder,
      given: (_, given) => builder.param(passed.indexOf(given), "i32"),
      finish: (...body) => {
        builder.finish(...body);
        return builder.reference;
      },
    });
    const origin = scalarPosition(kernel.constant(0));
    const around = axes.slice(0, -1).map(({ id }) => [id, origin] as const);
    innermost(kernel, kernel.given(count, COUNT), (position) => {
      computeAll(kernel, outputs, new Map([...around, ...axes.slice(-1).map(({ id }) => [id, position] as const)]));
    });
    kernel.finish();
  };
  const shared = context.module.shared(name, params, "none", write, key);
  const builder = context.module.merged(name, []);
  const given = cells.map((cell) => loadCell(context, cell));
  return builder.finish(call(shared, i32.const(count), ...given)).caller;
}

/** Computes a value, or reads it at `source`, into a place. */
export function copyKernel(
  context: Context,
  value: Value,
  to: Place,
  loops: readonly Loop[],
  read: (kernel: Kernel, positions: Positions) => Vector,
  share?: Share,
): Procedure {
  const kernel = createKernel(context, `copy ${value.name}`, loops);
  nest(kernel, byStride(value.axes, to), (positions) => storeTo(kernel, to, positions, read(kernel, positions)), {
    share,
  });
  return kernel.finish();
}

export function placeOf({ plan }: Context, value: Value): Place {
  const place = plan.places.get(value);
  if (place === undefined) throw new Error(`internal: %${value.name} has no place`);
  return place;
}

/** A stored value's axes, outermost first. */
export function storedAxes(context: Context, value: Value): readonly Axis[] {
  return byStride(value.axes, placeOf(context, value));
}

/** Axes in the order in which they lie at a place: strides are listed so. */
export function byStride(axes: readonly Axis[], place: Place): readonly Axis[] {
  const order = [...place.strides.keys()];
  return axes.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}

interface Around {
  /** Positions along other axes. */
  readonly positions?: Positions;
  /** The part that is walked. */
  readonly share?: Share | undefined;
}

/** Loops over axes, the last of them four positions at a time. */
export function nest(
  kernel: Kernel,
  axes: readonly Axis[],
  body: (positions: Positions) => void,
  { positions = new Map(), share }: Around = {},
): void {
  const [axis, ...inner] = axes;
  if (axis === undefined) {
    body(positions);
    return;
  }
  const at = (position: Position): Positions => new Map([...positions, [axis.id, position]]);
  const { first, count } = shareOf(kernel, axis, share);
  if (inner.length > 0)
    kernel.loop(count, (index) => {
      nest(kernel, inner, body, { positions: at(scalarPosition(kernel.add(first, index))), share });
    });
  else innermost(kernel, count, (position) => body(at(position)), first);
}

/** Four positions at a time, several fours side by side. */
function innermost(
  kernel: Kernel,
  count: Scalar,
  body: (position: Position) => void,
  first: Scalar = kernel.constant(0),
): void {
  kernel.lanes(
    count,
    (from, parts) => {
      const start = kernel.add(first, from);
      kernel.sideBySide(
        Array.from({ length: parts }, (_, part) => () => body({ kind: "run", at: start, plus: 4 * part })),
      );
    },
    partsOf,
  );
}

/**
 * How many vectors are computed side by side: a processor looks ahead a few hundred instructions, so what waits for long chains
 * (an exponential, a division, another exponential) must find other work close by. What only loads and stores does not wait.
 */
function partsOf(statements: number): number {
  if (statements < LIGHT) return 1;
  return statements > HEAVY ? 2 : 4;
}

const LIGHT = 16;
const HEAVY = 200;

/** Loops over axes one position at a time. */
export function nestSingly(
  kernel: Kernel,
  axes: readonly Axis[],
  body: (positions: Positions) => void,
  { positions = new Map(), share }: Around = {},
): void {
  const [axis, ...inner] = axes;
  if (axis === undefined) {
    body(positions);
    return;
  }
  const { first, count } = shareOf(kernel, axis, share);
  kernel.loop(count, (index) => {
    const at = scalarPosition(kernel.add(first, index));
    nestSingly(kernel, inner, body, { positions: new Map([...positions, [axis.id, at]]), share });
  });
}
