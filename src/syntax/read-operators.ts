import type { IToken } from "chevrotain";
import { cover } from "../base/span.ts";
import { spanOf } from "./lex.ts";
import { binaryOperator, COMPARISON, LEVEL } from "./precedence.ts";
import type { Reading } from "./reading.ts";
import type { Expression } from "./tree.ts";

/** One operand of a flat list: the signs or `not`s in front of it, and what it is without them. */
export interface Operand {
  readonly prefixes: readonly IToken[];
  readonly value: Expression;
}

/** Groups a flat list by precedence (Pratt 1973); `operators[i]` stands between operands `i` and `i + 1`. */
export function groupOperators(
  reading: Reading,
  operands: readonly Operand[],
  operators: readonly IToken[],
): Expression {
  let taken = 0;
  const upcoming = () => operators[taken - 1];

  /** An operand with its prefixes, and what binds tighter than they do: `-x ** 2`, `not a == b`. */
  const operand = (): Expression => {
    const { prefixes, value } = operands[taken++]!;
    if (prefixes.length === 0) return power(value);
    const inner = prefixes[0]!.image === "-" ? power(value) : chain(power(value), LEVEL.not + 1);
    return withPrefixes(reading, prefixes, inner);
  };
  /** `**` groups to the right, and its right side may have a sign. */
  const power = (left: Expression): Expression => {
    const operator = upcoming();
    return operator?.tokenType.LABEL === "**" ? make(left, operator, operand()) : left;
  };
  const chain = (first: Expression, least: number): Expression => {
    let left = first;
    let compared = false;
    for (let operator = upcoming(); operator !== undefined; operator = upcoming()) {
      const level = LEVEL[binaryOperator(operator.tokenType.LABEL)];
      if (level < least) break;
      if (level === COMPARISON && compared) reportChain(reading, operator);
      compared = level === COMPARISON;
      left = make(left, operator, chain(operand(), level + 1));
    }
    return left;
  };
  const make = (left: Expression, operator: IToken, right: Expression): Expression => ({
    kind: "binary",
    span: cover(left.span, right.span),
    operator: binaryOperator(operator.tokenType.LABEL),
    operatorSpan: spanOf(reading, operator),
    left,
    right,
  });
  return chain(operand(), 0);
}

/** Puts signs or `not`s around a value, the last one innermost. */
export function withPrefixes(reading: Reading, prefixes: readonly IToken[], value: Expression): Expression {
  return prefixes.reduceRight(
    (operand, prefix): Expression => ({
      kind: "unary",
      span: cover(spanOf(reading, prefix), operand.span),
      operator: prefix.tokenType.LABEL === "-" ? "-" : "not",
      operand,
    }),
    value,
  );
}

function reportChain(reading: Reading, operator: IToken): void {
  reading.fault("chained-comparison", spanOf(reading, operator), "comparisons do not chain", {
    hint: "compare twice: `a < b and b < c`",
  });
}
