import { attributeKey } from "../../ir/attribute-key.ts";
import type { Axis } from "../../ir/type.ts";
import type { Place } from "../../plan/place.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Extent, Pack, Product } from "../../plan/product.ts";
import type { Loop, Value } from "../../plan/value.ts";
import { viewOf } from "../../plan/view.ts";

/** What a kernel does, whatever cells hold the addresses of what it does it with. */
export interface Likeness {
  /** Kernels with equal keys have the same code. */
  readonly key: string;
  /** Cells of addresses, in the order in which the key has them. */
  readonly cells: readonly number[];
}

/** Writes down what a kernel does, part by part. */
export interface Description {
  text(part: string): void;
  /** A value that the kernel computes, with where it is written. */
  output(value: Value): void;
  /** What a value is made of, down to what lies in memory. */
  value(value: Value): void;
  product(product: Product): void;
  pack(pack: Pack): void;
  /** Undefined where something has no description. */
  finish(): Likeness | undefined;
}

/** @param own values that the kernel computes itself: they do not lie in memory yet */
export function describeKernel(plan: Plan, loops: readonly Loop[], own: readonly Value[] = []): Description {
  const cells = new Map<number, number>();
  const numbers = new Map<Value, number>();
  const computed = new Set(own);
  const parts: string[] = [loops.map(loopText).join(" ")];
  let isKnown = true;
  const cell = (index: number): number => {
    const number = cells.get(index) ?? cells.size;
    cells.set(index, number);
    return number;
  };
  const axesTexts = new Map<readonly Axis[], string>();
  const axesText = (axes: readonly Axis[]): string => {
    const known = axesTexts.get(axes);
    if (known !== undefined) return known;
    const order = axes.length > 1 ? plan.order(axes).map((axis) => axis.id) : "";
    const text = `${axes.map(axisText).join()}|${order}`;
    axesTexts.set(axes, text);
    return text;
  };
  const place = ({ cell: at, offset, steps, strides }: Place): string => {
    const rows = [...strides].map(([id, stride]) => `${id}*${stride.text}`);
    const walked = steps.map(({ loop, stride }) => `${loopText(loop)}*${stride.text}`);
    return `@${cell(at)}+${offset?.text ?? 0} ${rows} ${walked}`;
  };
  const definition = (value: Value): string => {
    const view = computed.has(value) ? undefined : viewOf(plan, value);
    if (view !== undefined && !computed.has(view.root)) return place(view.place);
    if (value.definition.kind === "entry") {
      return `entry ${loopText(value.definition.loop)} ${number(value.definition.of)}`;
    }
    if (value.definition.kind === "node") {
      const { node, inputs } = value.definition;
      if (node.outputs.length === 1) return `${node.op.name}(${inputs.map(number)}) ${attributeKey(node.attributes)}`;
    }
    isKnown = false;
    return "";
  };
  const number = (value: Value): number => {
    const before = numbers.get(value);
    if (before !== undefined) return before;
    const text = definition(value);
    const next = numbers.size;
    numbers.set(value, next);
    parts.push(`${value.dtype}[${axesText(value.axes)}] ${text}`);
    return next;
  };
  const extent = ({ axes, size, left, right, out }: Extent): string =>
    `${axes.map(axisText)} ${[size, left, right, out].map(({ text }) => text)}`;
  return {
    text: (part) => parts.push(part),
    output: (value) => {
      const to = plan.places.get(value);
      if (to === undefined) isKnown = false;
      else parts.push(`${computed.has(value) ? number(value) : axesText(value.axes)} to ${place(to)}`);
    },
    value: (value) => parts.push(String(number(value))),
    product: ({ left, right, around, over, m, n, k, form }) => {
      const extents = [around, over, [m, n, k]].map((each) => each.map(extent).join(" , ")).join(" ; ");
      parts.push(`${form} ${place(left)} by ${place(right)}: ${extents}`);
    },
    pack: ({ buffer, made, rows }) => parts.push(`pack ${cell(buffer.cell)} ${made} ${rows.map(({ text }) => text)}`),
    finish: () => (isKnown ? { key: parts.join("\n"), cells: [...cells.keys()] } : undefined),
  };
}

function axisText({ id, size }: Axis): string {
  return `${id}<${size.text}>`;
}

function loopText({ index, axis, reverse, depth }: Loop): string {
  return `${index}${reverse ? "-" : "+"}${depth} ${axisText(axis)}`;
}
