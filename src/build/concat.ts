import { addSizes, constantSize } from "../ir/size.ts";
import * as move from "../op/make_move.ts";
import type { Call } from "../syntax/tree.ts";
import { align, hiddenIds, jointCondition, renameVisible } from "./align.ts";
import { evaluate } from "./expression.ts";
import type { Context } from "./frame.ts";
import { asTensor } from "./operators.ts";
import { reduction } from "./reduce.ts";
import { sharedVocabulary } from "./shared-vocabulary.ts";
import { BOTTOM, describe, INVALID, type Meaning, shownSize, type TensorValue, visibleAxis } from "./value.ts";

/** `concat(a, b)`: joins along the last axis, or the one that is named; all other axes align. */
export function concat(context: Context, call: Call): Meaning {
  const values: TensorValue[] = [];
  let unknown = false;
  for (const argument of call.args) {
    const meaning = evaluate(context, argument.value);
    if (meaning.kind === "bottom") {
      unknown = true;
      continue;
    }
    const value = meaning.kind === "invalid" ? undefined : asTensor(context, meaning, argument.span);
    if (value === undefined) return INVALID;
    values.push(value);
  }
  if (unknown) return BOTTOM;
  const truths = values.findIndex((value) => context.session.builder.type(value.id).dtype === "bool");
  if (truths >= 0 && values.some((value) => context.session.builder.type(value.id).dtype !== "bool")) {
    context.session.report.add(
      "wrong-kind",
      call.args[truths]?.span ?? call.span,
      "concat joins numbers, and this is true or false",
      {
        hint: "write where(condition, 1, 0)",
      },
    );
    return INVALID;
  }
  return joined(context, call, values);
}

function joined(context: Context, call: Call, values: readonly TensorValue[]): Meaning {
  const { builder, axes, report } = context.session;
  const joints = values.map((value) => jointPosition(context, call, value));
  const ragged = values.findIndex((value, index) => {
    const axis = value.visible[joints[index] ?? -1];
    return axis !== undefined && axes.lengths(axis.axis.id).length !== undefined;
  });
  if (joints.some((joint) => joint === undefined)) return INVALID;
  if (ragged >= 0 && values.length > 1) {
    const joint = values[ragged]?.visible[joints[ragged] ?? -1];
    report.add(
      "reshape-ragged",
      call.args[ragged]?.span ?? call.span,
      `concat cannot join ${shownSize(joint?.axis.size.text ?? "")}: its length differs by example`,
      {
        related: values
          .slice(ragged, ragged + 1)
          .map((value) => ({ span: value.from, message: `${describe(value)} comes from here` })),
        hint: "join an axis of fixed size, as in concat[D](a, b); or scan the second from the state that the first ends with",
      },
    );
    return INVALID;
  }
  const apart = values.map((value, index) => withOwnJoint(context, values, value, joints[index] ?? -1));
  const rests = apart.map((value, index) => ({
    ...value,
    visible: value.visible.filter((_, place) => place !== joints[index]),
  }));
  const aligned = align(context, rests, call.span);
  if (aligned === undefined) return INVALID;
  const lasts = apart.map((value, index) => value.visible[joints[index] ?? -1]);
  const size = lasts
    .map((axis) => (axis === undefined || axis.unit ? constantSize(1) : axis.axis.size))
    .reduce(addSizes);
  const taken = new Set([
    ...hiddenIds(context),
    ...values.flatMap((value) => value.visible.map((axis) => axis.axis.id)),
  ]);
  for (const axis of aligned.visible) taken.add(axis.axis.id);
  const to = axes.fresh(size, taken);
  const id = move.concat(
    builder,
    aligned.values.map((value, index) => {
      const axis = lasts[index];
      return axis === undefined || axis.unit ? value.id : move.expand(builder, value.id, [axis.axis]);
    }),
    lasts.map((axis) => (axis === undefined || axis.unit ? "" : axis.axis.id)),
    to,
  );
  const widest = rests.findIndex((value) => value.visible.length === aligned.visible.length);
  const at = joints[widest] ?? aligned.visible.length;
  const visible = [...aligned.visible.slice(0, at), visibleAxis(to, lasts[0]?.label), ...aligned.visible.slice(at)];
  return {
    kind: "tensor",
    id,
    visible,
    vocabulary: sharedVocabulary(values),
    condition: jointCondition(values),
    zeroOutside: [],
    from: call.span,
  };
}

/** The value with another id for the axis that is joined, where some operand has that id for an axis that is not. */
function withOwnJoint(
  context: Context,
  values: readonly TensorValue[],
  value: TensorValue,
  joint: number,
): TensorValue {
  const own = value.visible[joint];
  if (own === undefined || own.unit) return value;
  const ids = values.flatMap(({ visible }) => visible.map((axis) => axis.axis.id));
  if (ids.filter((id) => id === own.axis.id).length === 1) return value;
  const { axes } = context.session;
  const fresh = axes.fresh(own.axis.size, new Set([...hiddenIds(context), ...ids]), axes.lengths(own.axis.id));
  return renameVisible(
    context,
    value,
    value.visible.map((axis, place) => (place === joint ? fresh : axis.axis)),
  );
}

/** Which visible axis of an operand is joined; an operand without one counts as one entry. */
function jointPosition(context: Context, call: Call, value: TensorValue): number | undefined {
  const found = reduction(context, { ...call, axes: call.axes }, value);
  if (found === undefined) return undefined;
  const axis = found.visible[0];
  return axis === undefined ? 0 : value.visible.indexOf(axis);
}
