import { constantValue } from "../../check/constants.ts";
import { randomOrder } from "../../ir/random.ts";
import type { SplitClause } from "../../syntax/tree.ts";
import { type Dataset, selectRows, sliceRows } from "./dataset.ts";
import { DataError } from "./error.ts";

/** `val last 10%`, `test random 600 rows` */
export type ShareClause = SplitClause & { readonly rule: { readonly kind: "share" } };

export interface Shares {
  readonly train: Dataset;
  readonly val: Dataset | undefined;
  readonly test: Dataset | undefined;
}

/**
 * Cuts off what `val` and `test` hold out, test first; percentages are of all rows. Random rows depend on the seed alone and keep
 * their order. Rows are the positions where the data is one long sequence.
 */
export function splitRows(dataset: Dataset, clauses: readonly ShareClause[], seed: number): Shares {
  let train = dataset;
  const held = new Map<string, Dataset>();
  for (const role of ["test", "val"] as const) {
    const clause = clauses.find((one) => one.role === role);
    if (clause === undefined) continue;
    const count = shareRows(clause, dataset.rows);
    const left = train.rows - count;
    if (left < 1)
      throw new DataError(`${role} would take ${count} of ${train.rows} rows: none is left to train on`, {
        span: clause.span,
      });
    if (clause.rule.from === "last") {
      held.set(role, sliceRows(train, left, train.rows));
      train = sliceRows(train, 0, left);
    } else {
      const order = randomOrder(train.rows, seed, `split ${role}`);
      held.set(role, selectRows(train, order.slice(0, count).sort()));
      train = selectRows(train, order.slice(count).sort());
    }
  }
  return { train, val: held.get("val"), test: held.get("test") };
}

function shareRows({ rule, role }: ShareClause, rows: number): number {
  const amount = constantValue(rule.amount);
  const whole = rule.unit === "rows";
  if (typeof amount !== "number" || !(amount > 0) || (whole && !Number.isInteger(amount)))
    throw new DataError(`${role} takes ${whole ? "a whole number of rows" : "a percentage"} above 0`, {
      span: rule.amount.span,
    });
  return whole ? amount : Math.max(1, Math.round((rows * amount) / 100));
}
