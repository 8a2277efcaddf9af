import type { Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Definition, DefinitionKind, Item } from "../syntax/tree.ts";

/** Which items a kind of definition takes. */
const TAKES: Readonly<Record<DefinitionKind, ReadonlySet<Item["kind"]>>> = {
  cell: new Set(["in", "state", "param", "noise", "use", "equation", "out"]),
  layer: new Set(["in", "param", "noise", "use", "equation", "out"]),
  dist: new Set(["in", "of", "param", "noise", "use", "equation"]),
  model: new Set(["time", "in", "param", "noise", "latent", "use", "tie", "equation", "emit"]),
  layout: new Set(["mapping"]),
};

/** Where an item belongs, and what to write instead. */
const BELONGS: Readonly<Record<Item["kind"], { readonly kind: string; readonly hint: string }>> = {
  time: { kind: "a model", hint: "in a shape, a name that is no parameter is bound by the call: in x: [T, D]" },
  in: { kind: "a definition with equations", hint: "" },
  of: { kind: "a dist", hint: "`of` is the value whose probability a distribution defines; an input is written in" },
  state: {
    kind: "a cell",
    hint: "write it as a cell, and use that here; along an index write h[t] = ... h[t-1] else 0",
  },
  param: { kind: "a definition with equations", hint: "" },
  noise: { kind: "a definition with equations", hint: "" },
  latent: { kind: "a model", hint: "draw it in the model, and give it to this definition as an input" },
  use: { kind: "a definition with equations", hint: "" },
  tie: { kind: "a model", hint: "tie the weights in the model, by their full names: tie dec.head.W = dec.emb.W" },
  equation: { kind: "a definition with equations", hint: "" },
  emit: { kind: "a model", hint: "give the value with out, and emit it in the model" },
  out: {
    kind: "a cell or layer",
    hint: "a model gives what it emits; any named value of it can be shown and reported",
  },
  mapping: { kind: "a layout", hint: "write layout Name { ... } around it, and load ... as Name" },
};

/** Checks which items stand in a definition: those that do not belong, that are missing, or that give a name twice. */
export function checkItems(definition: Definition, report: Report): void {
  const { definitionKind: kind, name, items } = definition;
  for (const item of items) {
    if (TAKES[kind].has(item.kind)) continue;
    const { kind: place, hint } = BELONGS[item.kind];
    report.add("misplaced-item", firstWord(item), `${item.kind} belongs to ${place}, and ${name.text} is a ${kind}`, {
      related: [{ span: name.span, message: `${name.text} is a ${kind}` }],
      hint: hintFor(item, kind) ?? hint,
    });
  }
  const gives = items.some((item) => item.kind === "out");
  if ((kind === "cell" || kind === "layer") && !gives) {
    report.add("missing-item", name.span, `${name.text} gives nothing: it has no out`, {
      hint: `write out ${lastEquation(items) ?? "..."} as its last line`,
    });
  }
  if (kind === "dist" && !items.some((item) => item.kind === "of")) {
    report.add("missing-item", name.span, `${name.text} does not say whose probability it defines`, {
      hint: "write of y: []",
    });
  }
  if (kind === "layout" && items.length === 0) {
    report.add("missing-item", name.span, `${name.text} maps nothing`, { hint: 'write "tensor" -> W in its braces' });
  }
  checkTwice(items, report);
}

function hintFor(item: Item, kind: DefinitionKind): string | undefined {
  if (kind === "layout") return 'a layout has mappings only: "weight_ih" -> W.{i, f, g, o}';
  if (item.kind === "state" && kind === "model")
    return "write a cell with this state, and scan it; or an equation along an index: h[t] = ... h[t-1] else 0";
  if (item.kind === "out" && kind === "dist")
    return "a distribution defines log_prob, and where it can sample and best";
  if (item.kind === "state" && kind === "dist") return "along an index write an equation: h[t] = ... h[t-1] else 0";
  return undefined;
}

function firstWord({ span, kind }: Item): Span {
  return kind === "mapping" ? span : { ...span, end: span.start + kind.length };
}

function lastEquation(items: readonly Item[]): string | undefined {
  const target = items.flatMap((item) => (item.kind === "equation" ? item.targets : [])).at(-1);
  return target === undefined ? undefined : `${target.name.text}${target.primed ? "'" : ""}`;
}

function checkTwice(items: readonly Item[], report: Report): void {
  const seen = new Map<string, Span>();
  for (const item of items) {
    if (item.kind !== "in" && item.kind !== "of" && item.kind !== "state" && item.kind !== "time") continue;
    for (const one of item.names) {
      const name = "name" in one ? one.name : one;
      const before = seen.get(name.text);
      seen.set(name.text, before ?? name.span);
      if (before === undefined) continue;
      report.add("duplicate-name", name.span, `${name.text} already has a meaning here`, {
        related: [{ span: before, message: "first given here" }],
        hint: "choose another name",
      });
    }
  }
}
