import type { Node, Origin } from "../ir/graph.ts";

/** A read of one value by another, as the message names it. */
export interface ProblemRead {
  readonly node: Node;
  readonly origin: Origin | undefined;
  /** The equation that the value read belongs to. */
  readonly source: Origin | undefined;
}

/** Why a circle of equations has no order of computation. Equations are the user's: nodes inlined into one count once. */
export type ScheduleProblem =
  /** `a needs b and b needs a at the same t`: a circle without a delayed read; with `axes` fixed if it lies inside loops over these. */
  | {
      readonly kind: "no-delay";
      /** Each needs the next, the last needs the first. */
      readonly circle: readonly Origin[];
      readonly nodes: readonly Node[];
      /** The axes along which loops were already open. */
      readonly fixed: readonly string[];
    }
  /** `a reads itself earlier and later: no order computes it`. */
  | {
      readonly kind: "two-directions";
      readonly circle: readonly Origin[];
      readonly axis: string;
      readonly earlier: ProblemRead;
      readonly later: ProblemRead;
      readonly fixed: readonly string[];
    }
  /** `a[t] needs sum(a), which needs every a[t]`: `whole` reads its operand at all positions of `axis`. */
  | {
      readonly kind: "all";
      readonly circle: readonly Origin[];
      readonly axis: string;
      readonly whole: ProblemRead;
      readonly fixed: readonly string[];
    };

/** The equations along a circle of nodes, each once where it stands in a row. */
export function circleOf(nodes: readonly Node[]): readonly Origin[] {
  const circle: Origin[] = [];
  for (const { origin } of nodes) {
    if (origin !== undefined && !sameOrigin(circle.at(-1), origin)) circle.push(origin);
  }
  if (circle.length > 1 && sameOrigin(circle[0], circle.at(-1))) circle.pop();
  return circle;
}

function sameOrigin(a: Origin | undefined, b: Origin | undefined): boolean {
  return (
    a === b ||
    (a !== undefined &&
      b !== undefined &&
      a.name === b.name &&
      a.span.file === b.span.file &&
      a.span.start === b.span.start &&
      a.span.end === b.span.end)
  );
}
