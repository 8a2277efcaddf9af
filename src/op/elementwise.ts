import type { Builder } from "../ir/builder.ts";
import type { Attributes } from "../ir/graph.ts";
import type { Op, VjpContext } from "../ir/op.ts";
import type { ScalarExpression } from "../ir/scalar.ts";
import { evaluateScalars } from "../ir/scalar_functions.ts";
import { layOut, unionShape } from "../ir/strided.ts";
import type { Axis, DType, Type } from "../ir/type.ts";
import { unionAxes } from "../ir/type.ts";
import type { DTypeRule } from "./dtype.ts";
import { expand } from "./make_move.ts";

/** What an op without attributes has. */
export type NoAttributes = Readonly<Record<string, never>>;

export interface MapEntry {
  readonly name: string;
  readonly dtype: DTypeRule;
  /** The value over `operand(0)`, `operand(1)`, ... */
  readonly scalar: ScalarExpression;
}

/** Cotangent of the operand from the cotangent `dy` of the value `y`; undefined where the derivative is zero; absent where there is none to give. */
export interface UnaryEntry extends MapEntry {
  readonly derivative?: (b: Builder, dy: string, x: string, y: string) => string | undefined;
}

export interface BinaryEntry extends MapEntry {
  readonly derivative?: (
    b: Builder,
    dz: string,
    x: string,
    y: string,
    z: string,
  ) => readonly [string | undefined, string | undefined];
}

/** An elementwise op of one operand. */
export function unary(entry: UnaryEntry): Op<NoAttributes> {
  const derivative = entry.derivative;
  return elementwise({
    ...entry,
    arity: 1,
    vjp: derivative && ((b, dy, [x = ""], y) => [derivative(b, dy, x, y)]),
  });
}

/** An elementwise op of two operands, which broadcast by axis id. */
export function binary(entry: BinaryEntry): Op<NoAttributes> {
  const derivative = entry.derivative;
  return elementwise({
    ...entry,
    arity: 2,
    vjp: derivative && ((b, dz, [x = "", y = ""], z) => derivative(b, dz, x, y, z)),
  });
}

export interface ElementwiseEntry<A extends Attributes> extends MapEntry {
  readonly arity: number;
  readonly vjp?:
    | ((b: Builder, dy: string, inputs: readonly string[], y: string, attributes: A) => readonly (string | undefined)[])
    | undefined;
}

/** The general case: any number of operands, attributes. */
export function elementwise<A extends Attributes>(entry: ElementwiseEntry<A>): Op<A> {
  const vjp = entry.vjp;
  return {
    name: entry.name,
    form: "map",
    scalar: entry.scalar,
    infer: (inputs) => inferMap(entry, inputs),
    reads: () => ({ kind: "same" }),
    evaluate: (inputs, _attributes, [type]) => {
      const { axes, shape } = unionShape(inputs);
      const operands = inputs.map((input) => layOut(input, axes, shape).data);
      const length = shape.reduce((product, size) => product * size, 1);
      return [{ dtype: type?.dtype ?? "float", axes, shape, data: evaluateScalars(entry.scalar, operands, length) }];
    },
    ...(vjp && {
      vjp: (context: VjpContext<A>) => {
        const { builder, node } = context;
        const dy = context.cotangents[0];
        const output = node.outputs[0];
        if (dy === undefined || output === undefined) return node.inputs.map(() => undefined);
        return vjp(builder, dy, node.inputs, output.id, node.attributes).map((contribution, index) =>
          spread(builder, contribution, output.type.axes, builder.type(node.inputs[index] ?? "")),
        );
      },
    }),
  };
}

function inferMap(entry: { arity: number; dtype: DTypeRule }, inputs: readonly Type[]): readonly Type[] | string {
  if (inputs.length !== entry.arity) return `takes ${entry.arity} operands, not ${inputs.length}`;
  const dtype = entry.dtype(inputs.map((input) => input.dtype));
  if (typeof dtype !== "string") return dtype.wrong;
  const clash = sizeClash(inputs);
  return clash ?? [{ dtype: dtype satisfies DType, axes: unionAxes(...inputs.map((input) => input.axes)) }];
}

/** A sentence where two types give one axis two sizes. */
export function sizeClash(inputs: readonly Type[]): string | undefined {
  const seen = new Map<string, Axis>();
  for (const axis of inputs.flatMap((input) => input.axes)) {
    const before = seen.get(axis.id);
    if (before !== undefined && before.size.text !== axis.size.text) {
      return `axis ${axis.id} has two sizes, ${before.size.text} and ${axis.size.text}`;
    }
    seen.set(axis.id, axis);
  }
  return undefined;
}

/**
 * A contribution that is constant along an axis which the output has and the input lacks counts once for each position there:
 * gives it that axis, so that whoever sums it sums them all.
 */
export function spread(
  b: Builder,
  contribution: string | undefined,
  outputAxes: readonly Axis[],
  input: Type,
): string | undefined {
  if (contribution === undefined) return undefined;
  return expand(
    b,
    contribution,
    outputAxes.filter((axis) => !input.axes.some((own) => own.id === axis.id)),
  );
}
