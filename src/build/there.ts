import type { Span } from "../base/span.ts";
import type { Context } from "./frame.ts";
import type { TensorValue } from "./value.ts";

/**
 * Whether a value reads only positions that every example has. A read at a constant or computed position that may not be there,
 * with no `else` behind it, is reported where it stands; `span` is where the value is used.
 */
export function isThere(context: Context, value: TensorValue, span: Span): boolean {
  const [mask] = value.condition.masks;
  if (mask === undefined) return true;
  const { session } = context;
  const read = session.doubtful.get(mask);
  session.report.add(
    "missing-else",
    read?.span ?? span,
    `an example may have no such position on ${read?.axis ?? "this axis"}, and what to read then is not said`,
    {
      related: [{ span: value.from, message: "it is needed here" }],
      hint: "write an else behind the read, as in x[2] else 0",
    },
  );
  return false;
}
