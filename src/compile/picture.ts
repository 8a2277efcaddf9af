import type { Definition, Expression, Item } from "../syntax/tree.ts";
import { children, printExpression } from "../syntax/walk.ts";

/** What a definition's equations make of what: a node for each thing that has a name, an edge to each that reads it. */
export interface Picture {
  readonly name: string;
  readonly nodes: readonly PictureNode[];
  readonly edges: readonly PictureEdge[];
}

export interface PictureNode {
  /** The first of the names that it has. */
  readonly id: string;
  readonly kind: PictureKind;
  /** As the source says it, on one line. */
  readonly text: string;
}

export type PictureKind = "input" | "weights" | "random" | "state" | "equation" | "output";

export interface PictureEdge {
  readonly from: string;
  readonly to: string;
  /** Whether only earlier (or later) positions are read, or the value before the step. */
  readonly delayed: boolean;
}

/** A declaration of a definition, with what it reads. */
interface Part extends PictureNode {
  readonly names: readonly string[];
  readonly reads: readonly Expression[];
}

/** The picture of a model, layer, cell or distribution, from its source alone. */
export function pictureOf(definition: Definition): Picture {
  const parts = definition.items.flatMap(partsOf);
  const owner = new Map<string, string>();
  for (const part of parts) for (const name of part.names) if (!owner.has(name)) owner.set(name, part.id);
  const edges = new Map<string, PictureEdge>();
  for (const part of parts) {
    for (const { name, delayed } of part.reads.flatMap((expression) => readsIn(expression, false))) {
      const from = owner.get(name);
      if (from === undefined) continue;
      const key = `${from} ${part.id}`;
      const before = edges.get(key);
      edges.set(key, { from, to: part.id, delayed: delayed && before?.delayed !== false });
    }
  }
  const nodes = parts.map(({ id, kind, text }) => ({ id, kind, text }));
  return { name: definition.name.text, nodes, edges: [...edges.values()] };
}

function partsOf(item: Item): readonly Part[] {
  const part = (kind: PictureKind, names: readonly string[], text: string, reads: readonly Expression[]): Part => ({
    id: names[0] ?? "",
    ...{ kind, names, text, reads },
  });
  switch (item.kind) {
    case "in":
    case "of":
      return item.names.map(({ name }) => part("input", [name.text], name.text, []));
    case "state":
      return item.names.map(({ name, start }) =>
        part("state", [name.text], name.text, start === undefined ? [] : [start]),
      );
    case "param":
      return item.declarators.map(({ name }) => part("weights", [name.text], name.text, []));
    case "noise":
    case "latent":
      return item.names.map(({ name, dist }) =>
        part("random", [name.text], `${name.text} ~ ${printExpression(dist)}`, [dist]),
      );
    case "use":
      return item.uses.map(({ name, of, repeat }) => {
        const times =
          repeat === undefined ? "" : `${repeat.share ? "share" : "stack"} ${printExpression(repeat.count)} of `;
        return part("weights", [name.text], `${name.text} = ${times}${printExpression(of)}`, []);
      });
    case "equation": {
      const left = item.targets.map(
        ({ name, primed, indices }) => `${name.text}${primed ? "'" : ""}${indexed(indices)}`,
      );
      const names = item.targets.map(({ name, primed }) => `${name.text}${primed ? "'" : ""}`);
      return [part("equation", names, `${left.join(", ")} = ${printExpression(item.value)}`, [item.value])];
    }
    case "emit": {
      const text = `${item.name.text}${indexed(item.indices)} ~ ${printExpression(item.dist)}`;
      return [{ ...part("output", [item.name.text], text, [item.dist]), id: `emit ${item.name.text}` }];
    }
    case "out":
      return [{ ...part("output", [], `out ${item.values.map(printExpression).join(", ")}`, item.values), id: "out" }];
    case "tie":
    case "time":
    case "mapping":
      return [];
    default:
      return item satisfies never;
  }
}

function indexed(indices: readonly { readonly name: { readonly text: string }; readonly offset: number }[]): string {
  const texts = indices.map(({ name, offset }) =>
    offset === 0 ? name.text : `${name.text}${offset > 0 ? "+" : ""}${offset}`,
  );
  return texts.length === 0 ? "" : `[${texts.join(", ")}]`;
}

interface Read {
  readonly name: string;
  readonly delayed: boolean;
}

function readsIn(expression: Expression, delayed: boolean): readonly Read[] {
  if (expression.kind === "reference") {
    const name = `${expression.name}${expression.primed ? "'" : ""}`;
    return [{ name, delayed }];
  }
  if (expression.kind === "index") {
    const [object, ...subscripts] = children(expression);
    const moved = subscripts.some((at) => at.kind === "binary" && (at.operator === "-" || at.operator === "+"));
    const inside = object === undefined ? [] : readsIn(object, delayed || moved);
    return [...inside, ...subscripts.flatMap((at) => readsIn(at, delayed))];
  }
  return children(expression).flatMap((child) => readsIn(child, delayed));
}
