import { components } from "../ir/components.ts";
import { descendants } from "../syntax/walk.ts";
import { demand } from "./equation.ts";
import type { Frame, Session, Slot } from "./frame.ts";

/** Definitions of more equations than this are worked out in order: following each into those that it needs would go too deep. */
const MANY = 100;

/** Finds out the equations of a long definition, each after those that it needs. */
export function settleLong(session: Session, frame: Frame): void {
  const slots = [...frame.names.values()].filter((slot) => slot.kind === "equation");
  if (slots.length < MANY) return;
  const places = new Map(slots.map((slot, place) => [slot.name, place]));
  const needs = slots.map((slot) => namesRead(slot).flatMap((name) => places.get(name) ?? []));
  for (const [first, ...others] of components(slots.length, (place) => needs[place] ?? [])) {
    const slot = first === undefined ? undefined : slots[first];
    if (slot === undefined) continue;
    if (others.length > MANY) {
      session.report.add(
        "too-involved",
        slot.span,
        `${slot.name} is one of ${others.length + 1} equations that all need each other`,
        {
          hint: "put what repeats into a cell, or along an index",
        },
      );
      for (const place of [first ?? 0, ...others]) giveUp(slots[place]);
    } else demand(session, slot);
  }
}

function namesRead({ equation }: Slot): readonly string[] {
  if (equation === undefined) return [];
  return [...descendants(equation.value)].flatMap((found) =>
    found.kind === "reference" ? [found.primed ? `${found.name}'` : found.name] : [],
  );
}

function giveUp(slot: Slot | undefined): void {
  if (slot === undefined) return;
  slot.group.state = "done";
  slot.group.meanings = [];
}
