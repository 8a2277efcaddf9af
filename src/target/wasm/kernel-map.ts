import type { Axis } from "../../ir/type.ts";
import type { Place } from "../../plan/place.ts";
import type { Loop, Value } from "../../plan/value.ts";
import type { Context } from "./context.ts";
import type { Procedure } from "./encode-code.ts";
import { evaluate } from "./evaluate.ts";
import { createKernel, type Kernel } from "./kernel.ts";
import { type Position, type Positions, scalarPosition, storeTo, type Vector } from "./memory.ts";

/** Elementwise values over the same axes, in one loop nest. All are computed before any is stored, so that they may replace what they read. */
export function mapKernel(context: Context, outputs: readonly Value[], loops: readonly Loop[]): Procedure {
  const kernel = createKernel(context, `map ${outputs.map((output) => output.name).join(" ")}`, loops);
  const own = new Set(outputs);
  const [first] = outputs;
  if (first === undefined) throw new Error("internal: a kernel has no output");
  nest(kernel, storedAxes(context, first), (positions) => {
    const values = outputs.map((output) => evaluate(kernel, output, positions, own));
    outputs.forEach((output, index) => {
      const value = values[index];
      if (value !== undefined) storeTo(kernel, placeOf(context, output), positions, value);
    });
  });
  return kernel.finish();
}

/** Computes a value, or reads it at `source`, into a place. */
export function copyKernel(
  context: Context,
  value: Value,
  to: Place,
  loops: readonly Loop[],
  read: (kernel: Kernel, positions: Positions) => Vector,
): Procedure {
  const kernel = createKernel(context, `copy ${value.name}`, loops);
  nest(kernel, byStride(value.axes, to), (positions) => storeTo(kernel, to, positions, read(kernel, positions)));
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

/** Loops over axes, the last of them four positions at a time. */
export function nest(
  kernel: Kernel,
  axes: readonly Axis[],
  body: (positions: Positions) => void,
  positions: Positions = new Map(),
): void {
  const [axis, ...inner] = axes;
  if (axis === undefined) {
    body(positions);
    return;
  }
  const at = (position: Position): Positions => new Map([...positions, [axis.id, position]]);
  const count = kernel.size(axis.size);
  if (inner.length > 0) kernel.loop(count, (index) => nest(kernel, inner, body, at(scalarPosition(index))));
  else
    kernel.lanes(
      count,
      (start, parts) =>
        kernel.sideBySide(
          Array.from({ length: parts }, (_, part) => () => body(at({ kind: "run", at: start, plus: 4 * part }))),
        ),
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
  positions: Positions = new Map(),
): void {
  const [axis, ...inner] = axes;
  if (axis === undefined) {
    body(positions);
    return;
  }
  kernel.loop(kernel.size(axis.size), (index) =>
    nestSingly(kernel, inner, body, new Map([...positions, [axis.id, scalarPosition(index)]])),
  );
}
