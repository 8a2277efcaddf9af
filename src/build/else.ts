import type { Span } from "../base/span.ts";
import type { Else } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { isEverywhere } from "./condition.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asTensor, scalar } from "./operators.ts";
import { mapRecord, otherwise } from "./record.ts";
import { tokenNumber } from "./special-token.ts";
import { BOTTOM, describe, INVALID, type Meaning, type TensorValue } from "./value.ts";

/** `value else otherwise`: what stands behind it where a read falls outside. */
export function evaluateElse(context: Context, expression: Else): Meaning {
  const value = evaluate(context, expression.value);
  const instead = evaluate(context, expression.otherwise);
  if (value.kind === "invalid" || instead.kind === "invalid") return INVALID;
  if (value.kind === "bottom") return bottomElse(context, instead, expression.otherwise.span);
  if (value.kind === "record") {
    if (instead.kind === "bottom") return BOTTOM;
    if (instead.kind !== "record") return reportElse(context, value, instead, expression);
    return mapRecord(value, (field) => {
      const name = [...value.fields].find(([, candidate]) => candidate === field)?.[0] ?? "";
      const start = instead.fields.get(name);
      return start === undefined ? INVALID : otherwise(context, field, start);
    });
  }
  if (value.kind !== "tensor") return reportElse(context, value, instead, expression);
  if (isEverywhere(value.condition)) {
    reportNeedlessElse(context, expression);
  }
  const start = instead.kind === "special" ? specialToken(context, value, instead.name, expression) : instead;
  const tensor = start.kind === "bottom" ? undefined : asTensor(context, start, expression.otherwise.span);
  if (start.kind === "bottom") return value;
  return tensor === undefined ? INVALID : otherwise(context, value, tensor);
}

function reportNeedlessElse({ session }: Context, { span, value, otherwise: instead }: Else): void {
  const at = { ...span, start: value.span.end };
  const text = session.modules.all.get(span.file)?.text.slice(at.start, at.end) ?? "";
  session.report.add(
    "needless-else",
    instead.span,
    `${printExpression(value)} always holds, so this else is never taken`,
    {
      hint: "leave the else out",
      severity: "warning",
      fix: /^\s*else\b[^()]*$/.test(text) ? { title: "leave it out", edits: [{ span: at, text: "" }] } : undefined,
    },
  );
}

function bottomElse(context: Context, instead: Meaning, span: Span): Meaning {
  if (instead.kind === "special" || instead.kind === "bottom") return BOTTOM;
  if (instead.kind === "record") return instead;
  const value = asTensor(context, instead, span);
  if (value === undefined) return INVALID;
  return value.visible.length === 0 ? { kind: "bottom", otherwise: value } : value;
}

function specialToken(context: Context, value: TensorValue, name: "BOS" | "EOS", expression: Else): Meaning {
  const { vocabulary } = value;
  const { span } = expression.otherwise;
  if (vocabulary === undefined) {
    context.session.report.add(
      "wrong-kind",
      span,
      `${name} is a token, and ${printExpression(expression.value)} holds numbers`,
      {
        related: [{ span: value.from, message: "they come from here" }],
        hint: "write a number, or declare the input as tokens, as in tok(V)[T]",
      },
    );
    return INVALID;
  }
  return { ...scalar(tokenNumber(context, vocabulary, name), span), vocabulary };
}

function reportElse(context: Context, value: Meaning, instead: Meaning, expression: Else): Meaning {
  const wanted =
    value.kind === "record"
      ? "write a state, as in l1.state(), or leave the else out: a state has a start of its own"
      : undefined;
  const message =
    value.kind === "record" || instead.kind === "record"
      ? `${describe(instead)} cannot stand for ${describe(value)}`
      : `${describe(value)} always holds: an else follows a read`;
  context.session.report.add("wrong-kind", expression.span, message, { hint: wanted });
  return INVALID;
}
