import { isNode } from "../../ir/graph.ts";
import { constantSize, type Size } from "../../ir/size.ts";
import { withoutAxes } from "../../ir/type.ts";
import { concat, put, reshape, scatter } from "../../op/move.ts";
import { type ArgAttributes, argmax } from "../../op/reduce.ts";
import { madeBy, operand } from "../../plan/made.ts";
import { cutPlace } from "../../plan/place.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Value } from "../../plan/value.ts";
import { add, clip, type Kernel, sizeTerm } from "./context.ts";
import { evaluate } from "./evaluate.ts";
import { type Positions, positionAlong, storeTo } from "./memory.ts";
import { nest, TYPES } from "./nest.ts";
import type { Part } from "./part.ts";
import { byStride, placeOf, storedAxes } from "./place-of.ts";
import { literalCode } from "./render.ts";
import type { Term } from "./shader.ts";

/** The first position of the greatest or smallest value along an axis. */
export function argPart(plan: Plan, output: Value): Part {
  const { node, inputs } = madeBy(output);
  const x = operand(inputs, 0);
  const { axis } = node.attributes as ArgAttributes;
  const better = node.op.name === argmax.name ? ">" : "<";
  return {
    kind: "each",
    label: output.name,
    axes: storedAxes(plan, output),
    body: (kernel, positions) => {
      const best = kernel.variable(TYPES[x.dtype], literalCode(kernel, 0, x.dtype), "best");
      const where = kernel.variable("i32", "0", "where");
      kernel.repeat(sizeAlong(kernel, x, axis), (index) => {
        const value = evaluate(kernel, x, new Map([...positions, [axis, index]]));
        kernel.block(`if (${index.code} == 0 || ${value.code} ${better} ${best})`, () => {
          kernel.line(`${best} = ${value.code};`);
          kernel.line(`${where} = ${index.code};`);
        });
      });
      storeTo(kernel, placeOf(plan, output), positions, { code: where, depth: kernel.depth(), dtype: "int" });
    },
  };
}

/** Σ of d at the places that the index says: each place looks for what is its own, in the order of positions, so that sums are the same in every run. */
export function scatterPart(plan: Plan, output: Value): Part {
  const { node, inputs } = madeBy(output);
  if (!isNode(node, scatter)) throw new Error(`internal: ${node.op.name} is no scatter`);
  const d = operand(inputs, 0);
  const index = operand(inputs, 1);
  const { axis, sum } = node.attributes;
  const all = [...index.axes, ...d.axes.filter((own) => !index.axes.some(({ id }) => id === own.id))];
  const summed = plan.order(all.filter(({ id }) => sum.includes(id)));
  const looking = summed.filter(({ id }) => index.axes.some((own) => own.id === id));
  const rest = withoutAxes(
    summed,
    looking.map(({ id }) => id),
  );
  return {
    kind: "each",
    label: output.name,
    axes: storedAxes(plan, output),
    body: (kernel, positions) => {
      const total = kernel.variable(TYPES[output.dtype], literalCode(kernel, 0, output.dtype));
      const here = positionAlong(positions, axis.id);
      nest(kernel, looking, positions, (found) => {
        const wanted = clip(kernel, evaluate(kernel, index, found), sizeTerm(kernel, axis.size));
        kernel.block(`if (${wanted.code} == ${here.code})`, () =>
          nest(kernel, rest, found, (at) => {
            const value = evaluate(kernel, d, at);
            kernel.line(
              output.dtype === "bool" ? `${total} = ${total} || ${value.code};` : `${total} += ${value.code};`,
            );
          }),
        );
      });
      storeTo(kernel, placeOf(plan, output), positions, { code: total, depth: kernel.depth(), dtype: output.dtype });
    },
  };
}

/** The entries at the index replaced: alone where the output lies over the buffer, else with all others taken from it. */
export function putPart(plan: Plan, output: Value): Part {
  const { node, inputs } = madeBy(output);
  if (!isNode(node, put)) throw new Error(`internal: ${node.op.name} is no put`);
  const buffer = operand(inputs, 0);
  const value = operand(inputs, 1);
  const index = operand(inputs, 2);
  const { axis } = node.attributes;
  const place = placeOf(plan, output);
  const axes = storedAxes(plan, output);
  const length = axes.find((own) => own.id === axis)?.size ?? constantSize(0);
  const found = (kernel: Kernel, positions: Positions): Term =>
    clip(kernel, evaluate(kernel, index, positions), sizeTerm(kernel, length));
  const inPlace = plan.stored.has(buffer) && placeOf(plan, buffer) === place;
  return {
    kind: "each",
    label: output.name,
    axes: inPlace ? withoutAxes(axes, [axis]) : axes,
    body: (kernel, positions) => {
      const at = found(kernel, positions);
      const next = evaluate(kernel, value, positions);
      if (inPlace) {
        storeTo(kernel, place, new Map([...positions, [axis, at]]), next);
        return;
      }
      const before = evaluate(kernel, buffer, positions);
      const here = positionAlong(positions, axis);
      const code = `select(${before.code}, ${next.code}, ${at.code} == ${here.code})`;
      storeTo(kernel, place, positions, kernel.bind(kernel.depth(), output.dtype, code, output.name));
    },
  };
}

/** The inputs one after another, unless they are computed there already. */
export function concatParts(plan: Plan, output: Value): readonly Part[] {
  const { node, inputs } = madeBy(output);
  if (!isNode(node, concat)) throw new Error(`internal: ${node.op.name} is no concat`);
  const { axes, to } = node.attributes;
  const place = placeOf(plan, output);
  const starts: Size[] = [];
  return inputs.flatMap((input, index): readonly Part[] => {
    const own = input.axes.find((axis) => axis.id === axes[index]);
    const count = own?.size ?? constantSize(1);
    const before = [...starts];
    starts.push(count);
    if (plan.parts.get(input)?.whole === output) return [];
    return [
      {
        kind: "each",
        label: `${output.name} ${index}`,
        axes: storedAxes(plan, output).map((axis) => (axis.id === to.id ? { ...axis, size: count } : axis)),
        body: (kernel, positions) => {
          const at = positionAlong(positions, to.id);
          const first = before.reduce((sum, size) => add(kernel, sum, sizeTerm(kernel, size)), at);
          const value = evaluate(kernel, input, own === undefined ? positions : new Map([...positions, [own.id, at]]));
          storeTo(kernel, place, new Map([...positions, [to.id, first]]), asFloat(kernel, value, output));
        },
      },
    ];
  });
}

/** An int as a float, where a float is wanted. */
function asFloat(kernel: Kernel, value: Term, { dtype }: Pick<Value, "dtype">): Term {
  if (value.dtype !== "int" || dtype !== "float") return value;
  return kernel.bind(value.depth, "float", `f32(${value.code})`);
}

/** Several axes laid out as one: over the several, each with its own stride in the one. */
export function mergePart(plan: Plan, output: Value): Part {
  const { node, inputs } = madeBy(output);
  if (!isNode(node, reshape)) throw new Error(`internal: ${node.op.name} is no reshape`);
  const x = operand(inputs, 0);
  const cut = cutPlace(placeOf(plan, output), node.attributes.to[0]?.id ?? "", node.attributes.from, x.axes);
  return {
    kind: "each",
    label: output.name,
    axes: byStride(x.axes, cut),
    body: (kernel, positions) => storeTo(kernel, cut, positions, evaluate(kernel, x, positions)),
  };
}

function sizeAlong(kernel: Kernel, value: Value, axis: string): Term {
  const found = value.axes.find((own) => own.id === axis);
  if (found === undefined) throw new Error(`internal: %${value.name} has no axis ${axis}`);
  return sizeTerm(kernel, found.size);
}
