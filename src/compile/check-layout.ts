import type { Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import { partNames } from "../build/weight-part.ts";
import { placeholders } from "../syntax/placeholder.ts";
import type { Definition, Expression, Mapping } from "../syntax/tree.ts";
import { isSwapped, mappingsOf } from "./load-mapping.ts";

/** Checks a layout by itself; whether its weights are there is asked where it is used. */
export function checkLayout(layout: Definition, report: Report): void {
  const known = layout.parameters.map(({ name }) => name.text);
  const mappings = mappingsOf(layout);
  for (const { source } of mappings) checkSource(source, known, report);
  checkTargets(mappings, report);
}

/** Whether every target names weights, each weight once, and a tensor is turned round whole or not at all. */
export function checkTargets(mappings: readonly Mapping[], report: Report): boolean {
  const before = report.diagnostics.length;
  const seen = new Map<string, Span>();
  for (const { targets } of mappings) {
    for (const target of targets) checkTarget(target, seen, report);
    const plain = targets.find((target) => !isSwapped(target));
    const swapped = targets.find(isSwapped);
    if (plain !== undefined && swapped !== undefined) {
      report.add("wrong-option", plain.span, "a tensor is turned round for all that it is cut into, or for none", {
        related: [{ span: swapped.span, message: "turned round here" }],
        hint: "write .T behind each, or behind none",
      });
    }
  }
  return report.diagnostics.length === before;
}

function checkSource(source: Expression, known: readonly string[], report: Report): void {
  if (source.kind === "binary") {
    checkSource(source.left, known, report);
    checkSource(source.right, known, report);
  }
  if (source.kind !== "string") return;
  const wrong = placeholders(source.value).find((name) => !known.includes(name));
  if (wrong === undefined) return;
  report.add("unknown-name", source.span, `the layout has no parameter ${wrong}`, {
    hint: known.length === 0 ? `write layout Name(${wrong} = "") { ... }` : `it has ${known.join(", ")}`,
  });
}

function checkTarget(target: Expression, seen: Map<string, Span>, report: Report): void {
  const names = partNames(isSwapped(target) ? target.object : target);
  if (names.length === 0) {
    report.add("wrong-kind", target.span, "a mapping ends in weights", { hint: "write -> W, or -> W.{i, f, g, o}" });
  }
  for (const name of names) {
    const before = seen.get(name);
    seen.set(name, before ?? target.span);
    if (before === undefined) continue;
    report.add("duplicate-name", target.span, `${name} is given twice`, {
      related: [{ span: before, message: "first here" }],
      hint: 'keep one of them; tensors are added with +, as in "a" + "b" -> b',
    });
  }
}
