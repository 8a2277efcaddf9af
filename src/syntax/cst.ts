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

function isToken(element: CstElement): element is IToken {
  return !isNode(element);
}

const none: readonly never[] = [];

/** All children under a key are nodes, or all are tokens. */
export function nodes(parent: CstNode, key: string): readonly CstNode[] {
  const found = parent.children[key];
  return found?.every(isNode) ? found : none;
}

export function tokens(parent: CstNode, key: string): readonly IToken[] {
  const found = parent.children[key];
  return found?.every(isToken) ? found : none;
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
