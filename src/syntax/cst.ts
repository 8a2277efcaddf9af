import type { CstElement, CstNode, IToken } from "chevrotain";
import type { Span } from "../base/span.ts";
import type { Reading } from "./reading.ts";

/*
 * Looking into the parser's concrete tree: children by rule name, token name or label.
 * Only trees of parts that parsed without error are read, so what the grammar demands is there.
 */

function isNode(element: CstElement): element is CstNode {
  return "children" in element;
}

export function nodes(parent: CstNode, key: string): readonly CstNode[] {
  return parent.children[key]?.filter(isNode) ?? [];
}

export function tokens(parent: CstNode, key: string): readonly IToken[] {
  return parent.children[key]?.filter((element): element is IToken => !isNode(element)) ?? [];
}

export function optionalNode(parent: CstNode, key: string): CstNode | undefined {
  const element = parent.children[key]?.[0];
  return element !== undefined && isNode(element) ? element : undefined;
}

export function optionalToken(parent: CstNode, key: string): IToken | undefined {
  const element = parent.children[key]?.[0];
  return element !== undefined && !isNode(element) ? element : undefined;
}

export function node(parent: CstNode, key: string): CstNode {
  const found = optionalNode(parent, key);
  if (found === undefined) throw new Error(`internal: rule ${parent.name} without ${key}`);
  return found;
}

export function token(parent: CstNode, key: string): IToken {
  const found = optionalToken(parent, key);
  if (found === undefined) throw new Error(`internal: rule ${parent.name} without token ${key}`);
  return found;
}

/** The one subrule of a rule that only chooses. */
export function onlyNode(parent: CstNode): CstNode {
  for (const key in parent.children) return node(parent, key);
  throw new Error(`internal: rule ${parent.name} chose nothing`);
}

export function nodeSpan(reading: Reading, of: CstNode): Span {
  const { location } = of;
  return reading.span(location!.startOffset, location!.endOffset! + 1);
}
