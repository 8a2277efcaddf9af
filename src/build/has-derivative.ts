import type { Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import { withoutDerivative } from "../grad/gradients.ts";
import type { Builder } from "../ir/builder.ts";

/** Whether a float value can be differentiated by others; an op on the way whose derivative is not known is reported. */
export function hasDerivative(
  { builder, report }: { readonly builder: Builder; readonly report: Report },
  value: string,
  wrt: readonly string[],
  span: Span,
): boolean {
  const [blocked] = withoutDerivative(builder, value, wrt);
  if (blocked === undefined) return true;
  report.add("not-yet", span, `${blocked.op.name} has no derivative`, {
    related: blocked.origin === undefined ? [] : [{ span: blocked.origin.span, message: "it is computed here" }],
    hint: "stop_gradient(...) around it leaves it out of the derivative",
  });
  return false;
}
