import type { Expression } from "../syntax/tree.ts";

/** `enc` names the part whose weights are `enc.…`; `enc.W` a weight or a family. */
export function isPart(weight: string, part: string): boolean {
  return weight === part || weight.startsWith(`${part}.`);
}

/** `enc` and `enc.W.{i, f}` as the paths that they name; none where the expression is something else. */
export function partNames(part: Expression): readonly string[] {
  if (part.kind === "reference") return part.primed ? [] : [part.name];
  if (part.kind !== "member") return [];
  return partNames(part.object).flatMap((object) => part.names.map((name) => `${object}.${name.text}`));
}

/** Whether one of the parts has the weight. */
export function coversWeight(parts: readonly Expression[], weight: string): boolean {
  return parts.flatMap(partNames).some((part) => isPart(weight, part));
}
