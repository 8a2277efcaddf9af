import {
  addSizes,
  constantSize,
  equalSizes,
  evaluateSize,
  multiplySizes,
  type Size,
  subtractSizes,
} from "../ir/size.ts";
import type { Expression } from "../syntax/tree.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import type { VisibleAxis } from "./value.ts";

/** The least and the greatest value of an expression, where each example's own sizes are meant. */
interface Bounds {
  readonly low: Size;
  readonly high: Size;
}

/**
 * Whether a whole-number combination of indices and sizes, `T-1-t` or `2*k+1`, is a position of an axis for every example, whatever
 * the indices: then nothing has to be said of what lies outside.
 */
export function isWithin(context: Context, axis: VisibleAxis, expression: Expression): boolean {
  const bounds = boundsOf(context, expression);
  if (bounds === undefined) return false;
  const { sizes } = context.session;
  const isPositive = (size: Size): boolean => (evaluateSize(size, sizes) ?? -1) >= 0;
  return (
    isPositive(bounds.low) && isPositive(subtractSizes(subtractSizes(axis.axis.size, bounds.high), constantSize(1)))
  );
}

function boundsOf(context: Context, expression: Expression): Bounds | undefined {
  switch (expression.kind) {
    case "number":
      return Number.isInteger(expression.value) ? exactly(constantSize(expression.value)) : undefined;
    case "reference": {
      const index = expression.primed ? undefined : context.indices.get(expression.name);
      if (index !== undefined) return { low: constantSize(0), high: subtractSizes(index.size, constantSize(1)) };
      const slot = context.frame.names.get(expression.name);
      const meaning = slot?.kind === "size" || slot?.kind === "parameter" ? evaluate(context, expression) : undefined;
      return meaning?.kind === "size" ? exactly(meaning.size) : undefined;
    }
    case "unary":
      return expression.operator === "-" ? scaled(boundsOf(context, expression.operand), -1) : undefined;
    case "binary":
      if (expression.operator === "%") return remainder(context, boundsOf(context, expression.right));
      return combined(expression.operator, boundsOf(context, expression.left), boundsOf(context, expression.right));
    default:
      return undefined;
  }
}

/** Of a division by what is sure to be positive, whatever is divided: remainders have the divisor's sign. */
function remainder({ session, indices }: Context, divisor: Bounds | undefined): Bounds | undefined {
  if (divisor === undefined) return undefined;
  const { low, high } = divisor;
  // Where there is a position of an axis, the axis is not empty.
  const isOfIndex = [...indices.values()].some(({ size }) => equalSizes(size, low));
  if (!isOfIndex && (evaluateSize(low, session.sizes) ?? 0) < 1) return undefined;
  return { low: constantSize(0), high: subtractSizes(high, constantSize(1)) };
}

function exactly(size: Size): Bounds {
  return { low: size, high: size };
}

function combined(operator: string, left: Bounds | undefined, right: Bounds | undefined): Bounds | undefined {
  if (left === undefined || right === undefined) return undefined;
  if (operator === "+") return { low: addSizes(left.low, right.low), high: addSizes(left.high, right.high) };
  if (operator === "-") return { low: subtractSizes(left.low, right.high), high: subtractSizes(left.high, right.low) };
  if (operator !== "*") return undefined;
  const [a, b] = [constantOf(left), constantOf(right)];
  return a === undefined ? scaled(left, b) : scaled(right, a);
}

function constantOf({ low, high }: Bounds): number | undefined {
  const least = evaluateSize(low, new Map());
  return least === evaluateSize(high, new Map()) ? least : undefined;
}

function scaled(bounds: Bounds | undefined, by: number | undefined): Bounds | undefined {
  if (bounds === undefined || by === undefined) return undefined;
  const [low, high] = [bounds.low, bounds.high].map((size) => multiplySizes(size, constantSize(by)));
  if (low === undefined || high === undefined) return undefined;
  return by < 0 ? { low: high, high: low } : { low, high };
}
