import type { CstNode } from "chevrotain";
import { cover } from "../base/span.ts";
import { nodeSpan, nodes, tokens } from "./cst.ts";
import { spanOf } from "./lex.ts";
import { readPostfix, readString } from "./read-expression.ts";
import type { Reading } from "./reading.ts";
import type { Expression, Mapping } from "./tree.ts";

/** `"a" + "b" -> W.{i, f}` */
export function readMapping(reading: Reading, cst: CstNode): Mapping {
  const plus = tokens(cst, "operator");
  const source = tokens(cst, "String")
    .map((text): Expression => readString(reading, text))
    .reduce((left, right, at) => ({
      kind: "binary",
      span: cover(left.span, right.span),
      operator: "+",
      operatorSpan: spanOf(reading, plus[at - 1]!),
      left,
      right,
    }));
  const targets = nodes(cst, "target").map((target) => readPostfix(reading, target));
  return { kind: "mapping", span: nodeSpan(reading, cst), source, targets };
}
