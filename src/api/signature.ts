import type { Definition, Item, TypeExpression } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";

/** `cell LSTM(D, H)`, as it stands in the source. */
export function signatureOf({ definitionKind, name, parameters }: Definition): string {
  const given = parameters.map(({ name: { text }, default: usual }) =>
    usual === undefined ? text : `${text} = ${printExpression(usual)}`,
  );
  return `${definitionKind} ${name.text}${given.length === 0 ? "" : `(${given.join(", ")})`}`;
}

/** The lines of a definition that its callers need: what goes in, what it keeps, what comes out. */
export function interfaceOf({ items }: Definition): readonly string[] {
  return items.flatMap(interfaceLine);
}

function interfaceLine(item: Item): readonly string[] {
  switch (item.kind) {
    case "in":
    case "of":
    case "state":
      return [`${item.kind} ${item.names.map(({ name, type }) => `${name.text}: ${typeText(type)}`).join(", ")}`];
    case "out":
      return [`out ${item.values.map(printExpression).join(", ")}`];
    case "emit":
      return [`emit ${item.name.text} ~ ${printExpression(item.dist)}`];
    case "mapping":
      return [`${printExpression(item.source)} -> ${item.targets.map(printExpression).join(", ")}`];
    case "time":
    case "param":
    case "noise":
    case "latent":
    case "use":
    case "tie":
    case "equation":
      return [];
    default:
      return item satisfies never;
  }
}

/** `tok(V)[T]` */
export function typeText({ base, vocabulary, axes }: TypeExpression): string {
  const shape = axes?.map(
    ({ label, size }) => `${label === undefined ? "" : `${label.text}: `}${printExpression(size)}`,
  );
  const of = vocabulary === undefined ? "" : `(${printExpression(vocabulary)})`;
  return `${base === "float" ? "" : base}${of}${shape === undefined ? "" : `[${shape.join(", ")}]`}`;
}
