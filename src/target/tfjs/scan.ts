import { definitions, type Graph, isNode, type Node, type Value } from "../../ir/graph.ts";
import { type Axis, type DType, hasAxis } from "../../ir/type.ts";
import { type ScanAttributes, scan } from "../../op/region.ts";
import type { Labels } from "./labels.ts";
import { asTensor, materialized, mergedOrder, transposed } from "./layout.ts";
import { baseName } from "./names.ts";
import type { Carry, Collected, Expression } from "./program.ts";
import { variable } from "./program.ts";
import { wantedName } from "./rename.ts";
import type { Rule, RuleCall } from "./rule.ts";
import { type Lowered, type LoweredTensor, shapeOf, temporary, type Writer } from "./scope.ts";

/** Lowers the nodes of a body, given the values of its params. */
export type LowerBody = (body: Graph, params: ReadonlyMap<string, Lowered>) => (id: string) => Lowered;

/** A scan is a loop over steps; what does not change from step to step stays outside it. */
export function scanRule(lowerBody: LowerBody, labels: Labels): Rule {
  return {
    op: scan.name,
    lower: (node, call) => {
      if (!isNode(node, scan)) throw new Error(`internal: the rule of scan is asked to lower ${node.op.name}`);
      return lowerScan(node, { ...call, attributes: node.attributes }, lowerBody, labels);
    },
  };
}

function lowerScan(
  node: Node,
  call: RuleCall<ScanAttributes>,
  lowerBody: LowerBody,
  labels: Labels,
): readonly Lowered[] {
  const { writer, attributes, inputs } = call;
  const { consts, carries: carryCount, reverse, body } = attributes;
  const axis = call.axis(attributes.axis);
  const params = body.params;
  const index = writer.names.fresh(baseName(axis.id).toLowerCase());
  const defined = definitions(body);
  const resultName = (at: number, id: string): string => labels.nameOf(id, defined.get(body.results[at]?.id ?? ""));
  const carried = params.slice(consts, consts + carryCount).map((param, at) => {
    const name = resultName(at, param.id);
    return openCarry(
      call,
      param,
      inputs[consts + at],
      param.id.includes("before") && !name.includes("before") ? `${name}_before` : name,
    );
  });
  const xs = params
    .slice(consts + carryCount)
    .map((param, at) => openEntries(writer, param, inputs[consts + carryCount + at], axis));
  const results: { carries: Carry[]; ys: (Lowered | PendingY)[] } = { carries: [], ys: [] };
  const statements = writer.inner([index, ...carried.map((carry) => carry.value.name)], () => {
    const values = new Map<string, Lowered>();
    params.slice(0, consts).forEach((param, at) => {
      values.set(param.id, inputs[at] ?? missing(param));
    });
    for (const carry of carried) values.set(carry.param.id, carry.value);
    for (const entries of xs) values.set(entries.param.id, entryAt(writer, entries, index));
    const read = lowerBody(body, values);
    writer.origin(labels.originOf(node));
    const taken = new Set<string>();
    results.carries = carried.map(({ start, value }, at) => {
      const next = materialized(writer, read(body.results[at]?.id ?? ""), value.axes);
      return { name: value.name, start: owned(start.name), next: ownValue(writer, next, taken) };
    });
    results.ys = body.results
      .slice(carryCount)
      .map(({ id }, at) =>
        closeY(writer, read(id), resultName(carryCount + at, node.outputs[carryCount + at]?.id ?? id), taken),
      );
  });
  const collected = results.ys.filter((y): y is PendingY => y.kind === "pending");
  const stacks = collected.map(
    (y): Collected => ({
      name: writer.names.fresh(y.label),
      steps: writer.names.fresh(`${y.label}_steps`),
      value: y.value,
      shape: shapeOf([axis, ...y.axes]),
      dtype: y.dtype,
    }),
  );
  const names = [...carried.map((carry) => carry.value.name), ...stacks.map((stack) => stack.name)];
  writer.place(
    {
      kind: "loop",
      index,
      length: axis.size,
      reverse,
      carries: results.carries,
      collected: stacks,
      body: statements,
      origin: labels.originOf(node),
    },
    names,
  );
  const stackOf = (y: PendingY): LoweredTensor => ({
    kind: "tensor",
    name: stacks[collected.indexOf(y)]?.name ?? "",
    axes: [axis, ...y.axes],
    dtype: y.dtype,
  });
  return [...carried.map((carry) => carry.value), ...results.ys.map((y) => (y.kind === "pending" ? stackOf(y) : y))];
}

interface OpenCarry {
  readonly param: Value;
  readonly start: LoweredTensor;
  readonly value: LoweredTensor;
}

/** A carry keeps one layout for the whole loop: the start's, with all axes. */
function openCarry(call: RuleCall, param: Value, start: Lowered | undefined, label: string): OpenCarry {
  if (start === undefined) return missing(param);
  const full = call.axes(param.type.axes);
  const axes = mergedOrder([start.kind === "tensor" ? start.axes : [], full]);
  const whole = materialized(
    call.writer,
    start.kind === "number" ? { ...start, dtype: param.type.dtype } : start,
    axes,
  );
  const name = call.writer.names.fresh(label);
  return { param, start: whole, value: { kind: "tensor", name, axes, dtype: param.type.dtype } };
}

interface OpenEntries {
  readonly param: Value;
  readonly value: Lowered;
  readonly axis: Axis;
}

/** Steps come first, so that each is one run of memory. */
function openEntries(writer: Writer, param: Value, x: Lowered | undefined, axis: Axis): OpenEntries {
  if (x === undefined) return missing(param);
  if (x.kind === "number" || !hasAxis(x, axis.id) || x.positions) return { param, value: x, axis };
  const rest = x.axes.filter((own) => own.id !== axis.id);
  const own = x.axes.filter((other) => other.id === axis.id);
  return { param, value: transposed(writer, x, [...own, ...rest]), axis };
}

/** `gather` copies one step; `slice` would copy the whole tensor on the wasm backend first. */
function entryAt(writer: Writer, { value, axis }: OpenEntries, index: string): Lowered {
  if (value.kind === "number" || !hasAxis(value, axis.id)) return value;
  if (value.positions) return { kind: "number", value: variable(index), dtype: "int" };
  const rest = value.axes.slice(1);
  return writer.tf(
    "gather",
    [variable(value.name), variable(index)],
    rest,
    value.dtype,
    temporary(`${wantedName(value.name)}_${wantedName(index)}`),
  );
}

interface PendingY {
  readonly kind: "pending";
  readonly value: Expression;
  readonly axes: readonly Axis[];
  readonly dtype: DType;
  readonly label: string;
}

/** What the loop does not change needs no steps: it is constant along them. */
function closeY(writer: Writer, y: Lowered, label: string, taken: Set<string>): Lowered | PendingY {
  if (!writer.isInside(y)) return y;
  const tensor = asTensor(writer, y);
  return { kind: "pending", value: ownValue(writer, tensor, taken), axes: tensor.axes, dtype: tensor.dtype, label };
}

/** An expression for a tensor that nobody else will free: the value itself where this scope made it and gives it away once. */
export function ownValue(writer: Writer, value: LoweredTensor, taken: Set<string>): Expression {
  const free = writer.isOwn(value.name) && !taken.has(value.name);
  taken.add(value.name);
  return free ? variable(value.name) : owned(value.name);
}

function owned(name: string): Expression {
  return { kind: "call", callee: { from: "tf", name: "clone" }, args: [variable(name)] };
}

function missing(param: Value): never {
  throw new Error(`internal: nothing is given for the body's %${param.id}`);
}
