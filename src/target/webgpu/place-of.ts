import type { Axis } from "../../ir/type.ts";
import type { Place } from "../../plan/place.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Value } from "../../plan/value.ts";

export function placeOf(plan: Plan, value: Value): Place {
  const place = plan.places.get(value);
  if (place === undefined) throw new Error(`internal: %${value.name} has no place`);
  return place;
}

/** A stored value's axes, outermost first. */
export function storedAxes(plan: Plan, value: Value): readonly Axis[] {
  return byStride(value.axes, placeOf(plan, value));
}

/** Axes in the order in which they lie at a place: strides are listed so. */
export function byStride(axes: readonly Axis[], place: Place): readonly Axis[] {
  const order = [...place.strides.keys()];
  return axes.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}
