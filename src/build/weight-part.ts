import type { Expression } from "../syntax/tree.ts";

/** `enc` names the part whose weights are `enc.…`; `enc.W` a weight or a family. */
export function isPart(weight: string, part: string): boolean {
  return weight === part || weight.startsWith(`${part}.`);
}

/** `enc`, `enc.W.{i, f}` and `tower[0].l`, a block of a stack, as the paths that they name; none where the expression is something else. */
export function partNames(part: Expression): readonly string[] {
  if (part.kind === "reference") return part.primed ? [] : [part.name];
  if (part.kind === "index") {
    const [place, ...more] = part.subscripts;
    const block = place?.kind === "at" && more.length === 0 && place.value.kind === "number" ? place.value.value : -1;
    return block < 0 || !Number.isInteger(block) ? [] : partNames(part.object).map((object) => `${object}.${block}`);
  }
  if (part.kind !== "member") return [];
  return partNames(part.object).flatMap((object) => part.names.map((name) => `${object}.${name.text}`));
}

/** A part's path as it is written: `tower[0].l` for `tower.0.l`. */
export function writtenPart(path: string): string {
  return path.replace(/\.(\d+)/g, "[$1]");
}

/** Whether one of the parts has the weight. */
export function coversWeight(parts: readonly Expression[], weight: string): boolean {
  return parts.flatMap(partNames).some((part) => isPart(weight, part));
}
