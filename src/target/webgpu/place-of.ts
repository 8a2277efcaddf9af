import type { Place } from "../../plan/place.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Value } from "../../plan/value.ts";

export function placeOf(plan: Plan, value: Value): Place {
  const place = plan.places.get(value);
  if (place === undefined) throw new Error(`internal: %${value.name} has no place`);
  return place;
}
