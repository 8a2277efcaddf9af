import { type Graph, valueTypes } from "../ir/graph.ts";
import { graphRunner } from "../ir/interpret.ts";
import type { Op, Reads } from "../ir/op.ts";
import type { SizeBinding } from "../ir/size.ts";
import { layOut } from "../ir/strided.ts";
import { axisLength, elementCount, sizeValue, type Tensor } from "../ir/tensor.ts";
import { type Axis, hasAxis, sameAxes, type Type, withoutAxes } from "../ir/type.ts";

export type ScanAttributes = {
  readonly axis: Axis;
  /** From the last position to the first. */
  readonly reverse: boolean;
  readonly consts: number;
  readonly carries: number;
  readonly xs: number;
  /** Params: consts, carries, entries of xs. Results: next carries, entries of ys. */
  readonly body: Graph;
};

/**
 * scan(consts, carry starts, xs): runs the body once for each position of `axis`. Outputs: final carries, then ys, which are xs' mirror
 * image: the body's further results with the axis added. Of no positions the final carries are the starts.
 */
export const scan: Op<ScanAttributes> = {
  name: "scan",
  form: "region",
  infer: inferScan,
  reads: (node, input, axis, inputType): Reads => {
    const { axis: along, reverse, consts, carries, body } = node.attributes;
    if (!hasAxis(inputType, axis)) return { kind: "same" };
    if (axis !== along.id) return bodyKeeps(body, axis) ? { kind: "same" } : { kind: "all" };
    if (input < consts + carries) return { kind: "all" };
    return reverse ? { kind: "suffix", start: 0 } : { kind: "prefix", end: 1 };
  },
  evaluate: (inputs, attributes, outputs, sizes) => runScan(inputs, attributes, outputs, sizes),
};

function inferScan(inputs: readonly Type[], attributes: ScanAttributes): readonly Type[] | string {
  const { axis, consts, carries, xs, body } = attributes;
  const count = consts + carries + xs;
  if (inputs.length !== count)
    return `takes ${consts} consts, ${carries} carries and ${xs} xs, not ${inputs.length} values`;
  if (body.params.length !== count) return `the body has ${body.params.length} params for ${count} values`;
  if (body.results.length < carries) return `the body has ${body.results.length} results for ${carries} carries`;
  for (const [index, input] of inputs.entries()) {
    const param = body.params[index];
    if (param === undefined) continue;
    const isX = index >= consts + carries;
    if (isX && !hasAxis(input, axis.id)) return `xs value ${index} lacks ${axis.id}`;
    if (!isX && hasAxis(input, axis.id)) return `value ${index} has ${axis.id}, which is fixed inside`;
    const entry = isX ? { dtype: input.dtype, axes: withoutAxes(input.axes, [axis.id]) } : input;
    if (!sameType(entry, param.type)) return `the body's %${param.id} is not of the type of value ${index}`;
  }
  const types = valueTypes(body);
  const results: Type[] = [];
  for (const result of body.results) {
    const type = types.get(result.id);
    if (type === undefined) return `the body has no value %${result.id}`;
    results.push(type);
  }
  const carryTypes = inputs.slice(consts, consts + carries);
  const changed = carryTypes.findIndex((type, index) => {
    const next = results[index];
    return next === undefined || !sameType(type, next);
  });
  if (changed >= 0) return `carry ${changed} changes its type`;
  const ys = results.slice(carries);
  const fixed = ys.findIndex((type) => hasAxis(type, axis.id));
  if (fixed >= 0) return `y ${fixed} has ${axis.id} already`;
  return [...carryTypes, ...ys.map((type) => ({ dtype: type.dtype, axes: [axis, ...type.axes] }))];
}

function sameType(a: Type, b: Type): boolean {
  return (
    a.dtype === b.dtype &&
    sameAxes(a.axes, b.axes) &&
    a.axes.every((axis) => b.axes.some((other) => other.id === axis.id && other.size.text === axis.size.text))
  );
}

/** Whether every op of a body reads `axis` at its own position only. */
function bodyKeeps(body: Graph, axis: string): boolean {
  const types = valueTypes(body);
  return body.nodes.every((node) =>
    node.inputs.every((id, index) => {
      const type = types.get(id);
      return type === undefined || !hasAxis(type, axis) || node.op.reads(node, index, axis, type).kind === "same";
    }),
  );
}

function runScan(
  inputs: readonly Tensor[],
  { axis, reverse, consts, carries: carryCount, body }: ScanAttributes,
  outputs: readonly Type[],
  sizes: SizeBinding,
): readonly Tensor[] {
  const steps = sizeValue(axis.size, sizes);
  const run = graphRunner(body, sizes);
  const fixed = inputs.slice(0, consts);
  let carries = inputs.slice(consts, consts + carryCount);
  const entries = inputs.slice(consts + carryCount).map((x) => entriesOf(x, axis.id));
  const collected = outputs.slice(carryCount).map((type) => collector(type, axis.id, steps, sizes));
  for (let step = 0; step < steps; step++) {
    const at = reverse ? steps - 1 - step : step;
    const results = run([...fixed, ...carries, ...entries.map((entry) => entry(at))]);
    carries = results.slice(0, carryCount);
    collected.forEach((collect, index) => {
      const y = results[carryCount + index];
      if (y !== undefined) collect.put(at, y);
    });
  }
  return [...carries, ...collected.map((collect) => collect.whole)];
}

/** Views of a tensor at each position of an axis. */
function entriesOf(x: Tensor, axis: string): (at: number) => Tensor {
  const axes = x.axes.filter((id) => id !== axis);
  const shape = axes.map((id) => axisLength(x, id));
  const laid = layOut(x, [axis, ...axes], [axisLength(x, axis), ...shape]);
  const count = elementCount(shape);
  return (at) => ({ dtype: x.dtype, axes, shape, data: laid.data.subarray(at * count, (at + 1) * count) });
}

/** Gathers the entries of a y along its new axis. */
function collector(
  type: Type,
  axis: string,
  steps: number,
  sizes: SizeBinding,
): { readonly whole: Tensor; readonly put: (at: number, entry: Tensor) => void } {
  const rest = type.axes.filter((own) => own.id !== axis);
  const axes = rest.map((own) => own.id);
  const shape = rest.map((own) => sizeValue(own.size, sizes));
  const count = elementCount(shape);
  const whole: Tensor = {
    dtype: type.dtype,
    axes: [axis, ...axes],
    shape: [steps, ...shape],
    data: new Float64Array(steps * count),
  };
  return { whole, put: (at, entry) => whole.data.set(layOut(entry, axes, shape).data, at * count) };
}
