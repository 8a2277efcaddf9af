import type { Span } from "../base/span.ts";
import { constantSize, equalSizes, type Size } from "../ir/size.ts";
import * as make from "../op/make.ts";
import * as move from "../op/make_move.ts";
import { fits, realAxes } from "./align.ts";
import type { Context } from "./frame.ts";
import { stackValues } from "./stack-values.ts";
import { describe, type InstanceValue, type Meaning, type RecordValue, shapeText, type TensorValue } from "./value.ts";

/** The state of a stack of cells, each block's fields by themselves: `0.h`, `1.h`, ...; read as `s.h`, they have an axis in front. */
export function stackState(states: readonly RecordValue[], count: Size, of: string): RecordValue {
  const all = (part: "fields" | "starts"): ReadonlyMap<string, TensorValue> =>
    new Map(
      states.flatMap((state, block) => [...state[part]].map(([name, value]) => [`${block}.${name}`, value] as const)),
    );
  return { kind: "record", fields: all("fields"), starts: all("starts"), of, blocks: count };
}

/** The state of one block; undefined where the record is no state of a stack that has it. */
export function blockState(record: RecordValue, block: number): RecordValue | undefined {
  const prefix = `${block}.`;
  const own = (part: "fields" | "starts"): ReadonlyMap<string, TensorValue> =>
    new Map(
      [...record[part]].flatMap(([name, value]) =>
        name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
      ),
    );
  const fields = own("fields");
  if (record.blocks === undefined || fields.size === 0) return undefined;
  return { kind: "record", fields, starts: own("starts"), of: record.of };
}

/** The names of a state's fields, as they are read. */
export function stateNames({ fields, blocks }: RecordValue): readonly string[] {
  const names = [...fields.keys()];
  return blocks === undefined ? names : [...new Set(names.map((name) => name.slice(name.indexOf(".") + 1)))];
}

/** A field of a state; of a stack's the blocks' fields, with an axis in front. Undefined where there is none of that name. */
export function stateField(context: Context, record: RecordValue, name: string, span: Span): Meaning | undefined {
  if (record.blocks === undefined) return record.fields.get(name);
  const values = blockFields(record, name);
  const [first, ...more] = values;
  if (first === undefined) return undefined;
  const other = more.find((value) => !sameShape(first, value));
  if (other === undefined) return stackValues(context, values, record.blocks, span);
  const message = `${name} is ${shapeText(first.visible)} in one block and ${shapeText(other.visible)} in another`;
  context.session.report.add("shape-mismatch", span, message, {
    hint: "blocks of a stack whose states are read together have states of one shape",
  });
  return { kind: "invalid" };
}

/**
 * The values that `stack.state(h: h0)` gives the blocks' fields: `h0` has the blocks in front, or is a single number for all. Undefined
 * where it has another number of them (reported).
 */
export function spreadOverBlocks(
  context: Context,
  record: RecordValue,
  name: string,
  value: TensorValue,
  span: Span,
): readonly TensorValue[] | undefined {
  const starts = blockFields(record, name);
  const [front, ...rest] = value.visible;
  if (front === undefined) return starts.map(() => value);
  const { builder, report } = context.session;
  const count = record.blocks ?? constantSize(starts.length);
  if (!equalSizes(front.axis.size, count) && !equalSizes(front.axis.size, constantSize(starts.length))) {
    const wanted = [count.text, ...(starts[0]?.visible ?? []).map(({ axis }) => axis.size.text)].join(", ");
    report.add("shape-mismatch", span, `the states of ${starts.length} blocks are given ${shapeText(value.visible)}`, {
      related: [{ span: value.from, message: `${shapeText(value.visible)} comes from here` }],
      hint: `give them [${wanted}], or a single number`,
    });
    return undefined;
  }
  return starts.map((_, block) => ({
    ...value,
    id: front.unit ? value.id : move.gather(builder, value.id, make.int(builder, block), front.axis.id),
    visible: rest,
  }));
}

/** What is given as the state of a stack is none. */
export function reportNoStackState({ session }: Context, { path }: InstanceValue, found: Meaning, span: Span): void {
  session.report.add("wrong-kind", span, `the state of the stack ${path} is needed here, this is ${describe(found)}`, {
    related: found.kind === "tensor" ? [{ span: found.from, message: `${describe(found)} comes from here` }] : [],
    hint: `a stack keeps a state for each block: ${path}.state() is the one that it starts with`,
  });
}

function blockFields(record: RecordValue, name: string): readonly TensorValue[] {
  return [...record.fields].flatMap(([key, value]) => (key.slice(key.indexOf(".") + 1) === name ? [value] : []));
}

function sameShape(a: TensorValue, b: TensorValue): boolean {
  const [left, right] = [realAxes(a.visible), realAxes(b.visible)];
  return (
    left.length === right.length && left.every((axis, place) => right[place] !== undefined && fits(axis, right[place]))
  );
}
