import type { Value } from "./value.ts";

/**
 * Whether a value at a position along an axis needs, of stored values of which `matters` is true, that position only. Then threads that
 * have divided the axis alike do not wait for one another.
 */
export function isAligned(
  value: Value,
  axis: string,
  stored: ReadonlySet<Value>,
  matters: (leaf: Value) => boolean,
): boolean {
  const seen = new Set<Value>();
  const touchesAny = (at: Value): boolean => {
    if (stored.has(at)) return matters(at);
    return inputsOf(at).some(touchesAny);
  };
  const visit = (at: Value): boolean => {
    if (seen.has(at)) return true;
    seen.add(at);
    const { definition } = at;
    if (definition.kind === "entry") {
      if (definition.loop.axis.id === axis) return !touchesAny(definition.of);
      return stored.has(definition.of) || visit(definition.of);
    }
    if (definition.kind !== "node") return true;
    const { node, inputs } = definition;
    return inputs.every((input, index) => {
      const has = input.axes.some(({ id }) => id === axis);
      const same =
        !has || (at.axes.some(({ id }) => id === axis) && node.op.reads(node, index, axis, input).kind === "same");
      if (!same) return !touchesAny(input);
      return stored.has(input) || visit(input);
    });
  };
  return visit(value);
}

function inputsOf({ definition }: Value): readonly Value[] {
  if (definition.kind === "entry") return [definition.of];
  return definition.kind === "node" ? definition.inputs : [];
}
