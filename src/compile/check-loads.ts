import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { OpenModel } from "../build/model.ts";
import { isPart, partNames } from "../build/weight-part.ts";
import type { Regime } from "../check/regime.ts";
import type { Expression, LoadClause, Member, Train } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { checkPart } from "./check-parts.ts";

/** `load enc from ...`: parts, earlier regimes and mappings that do not fit the model are reported; no file is opened. */
export function checkLoads(regime: Regime, model: OpenModel): void {
  for (const load of regime.loads) {
    const known = load.part === undefined || checkPart(load.part, model);
    checkSource(load, regime, model);
    if (known && load.mapping.length > 0) checkMapping(load, model);
  }
}

function trains({ session }: OpenModel): readonly Train[] {
  return session.modules.entry.tree.declarations.filter((one) => one.kind === "train");
}

function checkSource({ from, mapping }: LoadClause, regime: Regime, model: OpenModel): void {
  const { report } = model.session;
  if ("value" in from) return;
  const all = trains(model);
  const found = all.find((train) => train.name.text === from.text);
  if (found === undefined) {
    const others = all.flatMap(({ name }) => (name.text === regime.name ? [] : [name.text]));
    const near = nearest(from.text, others);
    report.add(
      "unknown-name",
      from.span,
      `there is no train ${from.text} in this file`,
      near === undefined
        ? { hint: others.length > 0 ? `there is ${others.join(", ")}` : 'give a file: load from "weights.safetensors"' }
        : meant(near, from.span),
    );
    return;
  }
  const circle = circleFrom(found, all);
  if (circle !== undefined) {
    report.add("no-delay", from.span, `these wait for each other: ${[...circle, circle[0]].join(" → ")}`, {
      related: [{ span: found.name.span, message: "this one is trained first" }],
      hint: "let the first of them start anew, or from a file",
    });
  }
  const [first] = mapping;
  if (first === undefined) return;
  report.add("wrong-option", first.span, `weights of ${from.text} have names of their own: nothing is mapped`, {
    related: [{ span: from.span, message: `${from.text} is a train of this file` }],
    hint: "leave the braces out, or load from a file",
  });
}

/** The regimes that load from one another, where that comes back to its start. */
function circleFrom(start: Train, all: readonly Train[]): readonly string[] | undefined {
  const path: Train[] = [];
  const visit = (train: Train): boolean => {
    if (train === start && path.length > 0) return true;
    if (path.includes(train)) return false;
    path.push(train);
    for (const clause of train.clauses) {
      if (clause.kind !== "load" || "value" in clause.from) continue;
      const { text } = clause.from;
      const next = all.find((other) => other.name.text === text);
      if (next !== undefined && visit(next)) return true;
    }
    path.pop();
    return false;
  };
  return visit(start) ? path.map(({ name }) => name.text) : undefined;
}

/** The weights that a mapping's target names, in order: `enc` and `f.W.{i, f}` are `enc.f.W.i` and `enc.f.W.f`. */
export function mappedWeights(part: Expression | undefined, target: Expression): readonly string[] {
  const prefixes = part === undefined ? [""] : partNames(part).map((name) => `${name}.`);
  const names = partNames(isSwapped(target) ? target.object : target);
  return prefixes.flatMap((prefix) => names.map((name) => `${prefix}${name}`));
}

/** `-> W.T`: the tensor has its axes the other way round. */
export function isSwapped(target: Expression): target is Member {
  return target.kind === "member" && target.names.length === 1 && target.names[0]?.text === "T";
}

function checkMapping({ part, mapping, from }: LoadClause, model: OpenModel): void {
  const { weights, report } = model.session;
  const parts = part === undefined ? undefined : partNames(part);
  const own = [...weights.keys()].filter((name) => parts?.some((one) => isPart(name, one)) ?? true);
  const seen = new Map<string, Expression>();
  let sound = true;
  const wrong = (...args: Parameters<typeof report.add>): void => {
    report.add(...args);
    sound = false;
  };
  for (const { target } of mapping) {
    const names = mappedWeights(part, target);
    if (names.length === 0) {
      wrong("wrong-kind", target.span, "a mapping ends in weights", { hint: "write -> W, or -> W.{i, f, g, o}" });
    }
    for (const name of names) {
      const before = seen.get(name);
      seen.set(name, target);
      if (!weights.has(name)) {
        const near = nearest(name, own);
        wrong("unknown-name", target.span, `there is no weight ${name}`, {
          hint: near === undefined ? `its weights are ${own.slice(0, 12).join(", ")}` : `did you mean ${near}?`,
        });
      } else if (before !== undefined) {
        wrong("duplicate-name", target.span, `${name} is given twice`, {
          related: [{ span: before.span, message: "first here" }],
          hint: 'keep one of them; tensors are added with +, as in "a" + "b" -> b',
        });
      }
    }
    const shapes = names.flatMap(
      (name) =>
        weights
          .get(name)
          ?.spec.shape.map(({ text }) => text)
          .join(", ") ?? [],
    );
    const other = shapes.find((shape) => shape !== shapes[0]);
    if (other !== undefined) {
      wrong(
        "shape-mismatch",
        target.span,
        `one tensor is cut into equal parts, and these are [${shapes[0]}] and [${other}]`,
        {
          hint: "map each from a tensor of its own",
        },
      );
    }
  }
  // An instance of which something is mapped is mapped whole; others start as they would.
  const begun = new Set([...seen.keys()].map((name) => weights.get(name)?.owner));
  const missing = own.filter((name) => !seen.has(name) && begun.has(weights.get(name)?.owner));
  const [first] = missing;
  if (!sound || first === undefined) return;
  const shown = missing.length > 4 ? [...missing.slice(0, 3), `${missing.length - 3} more`] : missing;
  report.add("missing-weight", from.span, `the mapping leaves ${shown.join(", ")} without a value`, {
    related: mapping.slice(-1).map(({ span }) => ({ span, message: "this is all that is mapped" })),
    hint: `write "..." -> ${part === undefined ? first : first.slice(printExpression(part).length + 1)}, or load a smaller part`,
  });
}
