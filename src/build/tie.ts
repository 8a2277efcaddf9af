import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import type { Expression, TieItem } from "../syntax/tree.ts";
import { declareFrame } from "./declare.ts";
import { demand } from "./equation.ts";
import { type Context, frameContext, joinPath, type Slot, type Tie } from "./frame.ts";
import { dottedPath } from "./member.ts";

/** `tie head.W = emb.W`, `tie dec.W = enc.W.T`: both sides must name weights. Mistakes are reported. */
export function declareTies(context: Context): void {
  const { session, frame } = context;
  for (const item of frame.definition.items) {
    if (item.kind !== "tie") continue;
    const { right, transposed } = rightSide(item);
    const from = weightNamed(context, item.left);
    const to = weightNamed(context, right);
    if (from === undefined || to === undefined) continue;
    const before = session.ties.get(from.path);
    if (before !== undefined) {
      session.report.add("duplicate-name", item.left.span, `${from.path} is tied twice`, {
        related: [{ span: before.span, message: "first tied here" }],
        hint: "keep one of them",
      });
      continue;
    }
    const find = (): void => void demand(session, to.slot);
    session.ties.set(from.path, { weight: to.path, transposed, span: item.span, find });
  }
  for (const [path, tie] of session.ties) followTies(context, path, tie);
}

function rightSide(item: TieItem): { readonly right: Expression; readonly transposed: boolean } {
  const { right } = item;
  const transposed = right.kind === "member" && right.names.length === 1 && right.names[0]?.text === "T";
  return { right: transposed ? right.object : right, transposed };
}

/** What is tied to a tied weight is tied to that one's. */
function followTies({ session }: Context, path: string, tie: Tie): void {
  const seen = [path];
  let { weight, transposed, find } = tie;
  for (let next = session.ties.get(weight); next !== undefined; next = session.ties.get(weight)) {
    if (seen.includes(weight)) {
      session.report.add("wrong-option", tie.span, `weights are tied in a circle: ${[...seen, weight].join(" → ")}`, {
        hint: "leave one of the ties out",
      });
      session.ties.delete(path);
      return;
    }
    seen.push(weight);
    find = next.find;
    transposed = transposed !== next.transposed;
    weight = next.weight;
  }
  session.ties.set(path, { ...tie, weight, transposed, find });
}

function weightNamed(
  context: Context,
  expression: Expression,
): { readonly path: string; readonly slot: Slot } | undefined {
  const { report } = context.session;
  const path = dottedPath(expression);
  if (path === undefined) {
    report.add("wrong-option", expression.span, "tie takes the names of two weights", {
      hint: "write tie head.W = emb.W, or emb.W.T",
    });
    return undefined;
  }
  const found = findWeight(context, path, expression.span);
  if ("slot" in found) return { path: joinPath(context.frame.path, path), slot: found.slot };
  const { known } = found;
  if (known === undefined) return undefined;
  const near = nearest(path, known);
  report.add(
    "unknown-name",
    expression.span,
    `there is no weight named ${path}`,
    near === undefined
      ? { hint: known.length > 0 ? `there are ${known.slice(0, 8).join(", ")}` : "this model has no weights" }
      : meant(near, expression.span),
  );
  return undefined;
}

/** The weight that a dotted name means, through instances; else the names that there are, undefined where they are not known. */
function findWeight(
  context: Context,
  path: string,
  span: Span,
): { readonly slot: Slot } | { readonly known: readonly string[] | undefined } {
  const { names } = context.frame;
  const own = names.get(path);
  if (own?.kind === "weight") return { slot: own };
  const [head = "", ...rest] = path.split(".");
  const weights = [...names].filter(([, slot]) => slot.kind === "weight").map(([name]) => name);
  const instances = [...names].filter(([, slot]) => slot.kind === "instance");
  const inside = names.get(head);
  if (rest.length > 0 && inside?.kind === "instance") {
    const inner = instanceContext(context, inside, span);
    if (inner === undefined) return { known: undefined };
    const found = findWeight(inner, rest.join("."), span);
    return "slot" in found ? found : { known: found.known?.map((name) => `${head}.${name}`) };
  }
  const further = instances.flatMap(([name, slot]) => {
    const inner = instanceContext(context, slot, span);
    return inner === undefined
      ? []
      : [...inner.frame.names].flatMap(([key, { kind }]) => (kind === "weight" ? [`${name}.${key}`] : []));
  });
  return { known: [...weights, ...further] };
}

function instanceContext(context: Context, slot: Slot, span: Span): Context | undefined {
  const instance = demand(context.session, slot);
  if (instance.kind !== "instance") return undefined;
  const { frame } = declareFrame(context, instance, span);
  return frameContext(context.session, frame);
}
