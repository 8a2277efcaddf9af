import * as make from "../op/make.ts";
import { fitInto } from "./align.ts";
import { conditionMask, isEverywhere, isRagged } from "./condition.ts";
import type { Context } from "./frame.ts";
import { EVERYWHERE, INVALID, type Meaning, type RecordValue, type TensorValue } from "./value.ts";

/** A state read before its start is its start: fields that do not hold everywhere take their starts there. */
export function settle(context: Context, meaning: Meaning): Meaning {
  if (meaning.kind !== "record") return meaning;
  if ([...meaning.fields.values()].every((field) => isEverywhere(field.condition))) return meaning;
  const fields = new Map<string, TensorValue>();
  for (const [name, field] of meaning.fields) {
    const start = meaning.starts.get(name);
    const settled = start === undefined ? field : otherwise(context, field, start);
    if (settled.kind !== "tensor") return INVALID;
    fields.set(name, settled);
  }
  return { ...meaning, fields };
}

/** `value else start`: the start where the value's condition does not hold. */
export function otherwise(context: Context, value: TensorValue, start: TensorValue): Meaning {
  const mask = conditionMask(context, value.condition);
  if (mask === undefined) return value;
  const fitted = start.visible.length === 0 ? start : fitInto(context, start, value, start.from);
  if (fitted === undefined) return INVALID;
  const { builder } = context.session;
  const kinds = [value, fitted].map(({ id }) => builder.type(id).dtype === "bool");
  if (kinds[0] !== kinds[1]) {
    const [truths, numbers] = ["true or false", "a number"];
    const text = `the value before this else is ${kinds[0] ? truths : numbers}, and this is ${kinds[0] ? numbers : truths}`;
    context.session.report.add("wrong-kind", start.from, text, {
      related: [{ span: value.from, message: "the value comes from here" }],
      hint: kinds[0] ? "write a comparison, as in 0 > 1 for false" : "write a number",
    });
    return INVALID;
  }
  const whole = builder.type(value.id).dtype === "int" && make.constantValue(builder, fitted.id) !== undefined;
  const id = make.orelse(builder, value.id, whole ? make.toInt(builder, fitted.id) : fitted.id, mask, {
    ranges: value.condition.ranges,
    ragged: isRagged(context, value.condition),
  });
  return { ...value, id, condition: fitted.condition ?? EVERYWHERE, zeroOutside: [] };
}

/** The same function on every field. */
export function mapRecord(record: RecordValue, change: (field: TensorValue) => Meaning): Meaning {
  const fields = new Map<string, TensorValue>();
  for (const [name, field] of record.fields) {
    const changed = change(field);
    if (changed.kind !== "tensor") return INVALID;
    fields.set(name, changed);
  }
  return { ...record, fields };
}
