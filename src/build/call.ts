import { countText, meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import type { ScalarExpression } from "../ir/scalar.ts";
import { evaluateScalar } from "../ir/scalar_functions.ts";
import { opByName } from "../op/table.ts";
import type { Argument, Call, Definition } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { fitInto } from "./align.ts";
import { type Applied, apply, type Given, inputNames, stateItems } from "./apply.ts";
import { applyBuiltin, isBuiltin } from "./builtins.ts";
import { evaluate, evaluateRaw } from "./expression.ts";
import type { Context } from "./frame.ts";
import { reportedWhole } from "./instance.ts";
import { dottedPath } from "./member.ts";
import { asTensor, elementwise } from "./operators.ts";
import { spreadOverBlocks, stateNames } from "./stack-state.ts";
import { fitsState, startRecord } from "./state.ts";
import { knownNumber, numberMeaning } from "./static.ts";
import {
  BOTTOM,
  type DefinitionValue,
  describe,
  INVALID,
  type InstanceValue,
  type Meaning,
  type RecordValue,
  type TensorValue,
} from "./value.ts";

/** `f(x, p: 0.2)`: an instance, a definition without weights, a built-in function, or `l1.state(h: h0)`. */
export function evaluateCall(context: Context, call: Call): Meaning {
  const metric = context.session.metrics?.(context, call);
  if (metric !== undefined) return metric;
  const start = stateCall(context, call);
  if (start !== undefined) return start;
  const callee = evaluateRaw(context, call.callee);
  switch (callee.kind) {
    case "instance":
      return callInstance(context, callee, call);
    case "definition":
      return callDefinition(context, callee, call);
    case "builtin":
      return isBuiltin(callee.name)
        ? applyBuiltin(context, callee.name, call)
        : applyElementwise(context, callee.name, call);
    case "invalid":
      for (const argument of call.args) evaluate(context, argument.value);
      return INVALID;
    case "bottom":
      return BOTTOM;
    default:
      return reportNotCallable(context, callee, call);
  }
}

function reportNotCallable(context: Context, callee: Meaning, call: Call): Meaning {
  const name = dottedPath(call.callee);
  const argument = call.args.map(({ value }) => printExpression(value)).join(", ");
  context.session.report.add(
    "not-callable",
    call.callee.span,
    callee.kind === "tensor" && name !== undefined
      ? `${name} is an array ${describe(callee)}, and cannot be called`
      : `${describe(callee)} cannot be called`,
    {
      related: callee.kind === "tensor" ? [{ span: callee.from, message: `${name ?? "it"} comes from here` }] : [],
      hint:
        callee.kind === "tensor"
          ? `to read a position write brackets, ${name ?? "x"}[${argument}]; to multiply write *`
          : callee.kind === "text"
            ? `a function is named without quotes: ${callee.value}(${argument})`
            : "what is called is a function, a definition, or an instance of one",
    },
  );
  return INVALID;
}

function applyElementwise(context: Context, name: string, call: Call): Meaning {
  const op = opByName(name);
  const arity = op?.scalar === undefined ? undefined : operandCount(op.scalar);
  if (op === undefined || arity === undefined) return INVALID;
  const wrong = call.args.length !== arity || call.args.some((argument) => argument.name !== undefined);
  if (wrong || call.axes.length > 0) {
    const operands = ["x", "y", "z"].slice(0, arity).join(", ");
    const message =
      call.axes.length > 0 ? `${name} works number by number, and takes no axes` : countText(name, arity, call.args);
    context.session.report.add("wrong-arguments", call.span, message, { hint: `write ${name}(${operands})` });
    return INVALID;
  }
  const values = call.args.map((argument) => evaluate(context, argument.value));
  const spans = call.args.map((argument) => argument.span);
  const known = values.map((value) => knownNumber(context, value));
  if (op.scalar !== undefined && known.every((value) => value !== undefined)) {
    return numberMeaning(evaluateScalar(op.scalar, known), call.span);
  }
  return elementwise(context, op, values, spans, call.span);
}

function operandCount(expression: ScalarExpression): number {
  if (expression.kind === "operand") return expression.index + 1;
  return expression.kind === "apply" ? Math.max(0, ...expression.args.map(operandCount)) : 0;
}

/** `dec.state(h: h0)`: a state whose other fields start as the cell says. */
function stateCall(context: Context, call: Call): Meaning | undefined {
  const { callee } = call;
  if (callee.kind !== "member" || callee.names.length !== 1 || callee.names[0]?.text !== "state") return undefined;
  const instance = evaluateRaw(context, callee.object);
  if (instance.kind !== "instance" || instance.definition.definitionKind !== "cell") return undefined;
  const record = startRecord(context, instance, call.span);
  if (record === undefined) return INVALID;
  const fields = new Map(record.fields);
  for (const argument of call.args) {
    const name = argument.name?.text;
    if (name === undefined || !stateNames(record).includes(name)) {
      reportField(context, record, argument);
      return INVALID;
    }
    const value = evaluate(context, argument.value);
    if (value.kind === "bottom") return BOTTOM;
    const tensor = value.kind === "invalid" ? undefined : asTensor(context, value, argument.span);
    const given = tensor && givenFields(context, instance, record, name, tensor, argument);
    if (given === undefined) return INVALID;
    for (const [field, fitted] of given) fields.set(field, fitted);
  }
  return { ...record, fields };
}

/** What a value makes of a cell's field, or of the fields of a stack's blocks. */
function givenFields(
  context: Context,
  instance: InstanceValue,
  record: RecordValue,
  name: string,
  value: TensorValue,
  argument: Argument,
): readonly (readonly [field: string, value: TensorValue])[] | undefined {
  const cells = instance.blocks ?? [instance];
  const values =
    instance.blocks === undefined ? [value] : spreadOverBlocks(context, record, name, value, argument.span);
  const item = stateItems(instance.definition).find((state) => state.name.text === name);
  if (values === undefined || item === undefined) return undefined;
  const given = cells.flatMap((cell, place) => {
    const field = instance.blocks === undefined ? name : `${place}.${name}`;
    const [own, start] = [values[place], record.fields.get(field)];
    if (own === undefined || start === undefined) return [];
    if (!fitsState(context, cell, own, start, item, argument.value.span)) return [];
    const fitted = fitField(context, own, start, argument.span);
    return fitted === undefined ? [] : [[field, fitted] as const];
  });
  return given.length === cells.length ? given : undefined;
}

function fitField(context: Context, value: TensorValue, start: TensorValue, span: Span): TensorValue | undefined {
  if (value.visible.length === 0) return { ...start, id: value.id };
  return fitInto(context, value, { ...start, from: start.from }, span);
}

function reportField(context: Context, record: RecordValue, argument: Argument): void {
  const names = stateNames(record);
  const near = argument.name === undefined ? undefined : nearest(argument.name.text, names);
  const usage = `write ${names.map((name) => `${name}: ...`).join(", ")}`;
  context.session.report.add(
    "wrong-arguments",
    argument.name?.span ?? argument.span,
    argument.name === undefined
      ? "the fields of a state are given by name"
      : `${record.of} has no state ${argument.name.text}`,
    near === undefined || argument.name === undefined ? { hint: usage } : meant(near, argument.name.span),
  );
}

function callInstance(context: Context, instance: InstanceValue, call: Call): Meaning {
  const given = evaluateArguments(context, call, instance.definition, false);
  if (given === undefined) return INVALID;
  if (instance.definition.definitionKind === "cell" && given.state === undefined)
    return reportBareCell(context, instance, call);
  return severalOf(apply(context, instance, given, call.span));
}

/** A definition used on the spot: it has no weights, its parameters are given by name. */
function callDefinition(context: Context, callee: DefinitionValue, call: Call): Meaning {
  const { definition } = callee;
  if (reportedWhole(context, callee, call.callee.span)) return INVALID;
  if (definition.definitionKind === "dist") {
    context.session.report.add(
      "not-callable",
      call.callee.span,
      `${definition.name.text} is a distribution: it is drawn from`,
      {
        related: [{ span: definition.name.span, message: "defined here" }],
        hint: `write noise e: [] ~ ${definition.name.text}(...), or emit y: [] ~ ${definition.name.text}(...)`,
      },
    );
    return INVALID;
  }
  if (hasWeights(definition)) {
    const name = definition.name.text.toLowerCase();
    context.session.report.add(
      "needs-use",
      call.callee.span,
      `${definition.name.text} has weights of its own: it needs a name`,
      {
        related: [{ span: definition.name.span, message: "defined here" }],
        hint: `write use ${name} = ${definition.name.text}(...), then ${definition.definitionKind === "cell" ? `scan ${name} over x` : `${name}(x)`}`,
      },
    );
    return INVALID;
  }
  const given = evaluateArguments(context, call, definition, true);
  if (given === undefined) return INVALID;
  const instance: InstanceValue = {
    kind: "instance",
    definition,
    file: callee.file,
    parameters: new Map([...callee.given, ...given.parameters]),
    path: "",
    blocks: undefined,
    declared: call.span,
  };
  if (definition.definitionKind === "cell" && given.state === undefined) return reportBareCell(context, instance, call);
  return severalOf(apply(context, instance, given, call.span));
}

export function hasWeights(definition: Definition): boolean {
  return definition.items.some((item) => item.kind === "param" || item.kind === "use");
}

function severalOf(applied: Applied | undefined): Meaning {
  if (applied === undefined) return INVALID;
  const items: Meaning[] = [...applied.outs];
  if (applied.state !== undefined) items.push(applied.state);
  const first = items[0];
  return items.length === 1 && first !== undefined ? first : { kind: "several", items };
}

function reportBareCell(context: Context, { definition, path }: InstanceValue, call: Call): Meaning {
  const name = path === "" ? definition.name.text : path;
  context.session.report.add("bare-cell", call.span, `${name} keeps a state, which this call does not give`, {
    related: [{ span: definition.name.span, message: `${definition.name.text} is a cell` }],
    hint: `write y[t], s[t] = ${name}(x[t], s[t-1]), or scan ${name} over x`,
  });
  return INVALID;
}

/** Positional arguments are inputs in order, then the state; named ones are inputs or, where allowed, parameters. */
function evaluateArguments(
  context: Context,
  call: Call,
  definition: Definition,
  parametersAllowed: boolean,
): (Given & { readonly parameters: ReadonlyMap<string, Meaning> }) | undefined {
  const names = inputNames(definition);
  const inputs = new Map<string, { meaning: Meaning; span: Span }>();
  const parameters = new Map<string, Meaning>();
  let state: Given["state"];
  let place = 0;
  for (const argument of call.args) {
    const name = argument.name?.text;
    const meaning = evaluate(context, argument.value);
    if (meaning.kind === "invalid") return undefined;
    if (name !== undefined) {
      if (inputs.has(name) || parameters.has(name)) return reportTwice(context, argument, definition);
      if (names.includes(name)) inputs.set(name, { meaning, span: argument.span });
      else if (parametersAllowed && definition.parameters.some((parameter) => parameter.name.text === name)) {
        parameters.set(name, meaning);
      } else return reportArgument(context, argument, definition, parametersAllowed);
      continue;
    }
    const input = names[place++];
    if (input !== undefined) inputs.set(input, { meaning, span: argument.span });
    else if (place === names.length + 1 && definition.definitionKind === "cell")
      state = { meaning, span: argument.span };
    else return reportCount(context, call, definition, names);
  }
  return { inputs, state, parameters };
}

function reportTwice(context: Context, argument: Argument, definition: Definition): undefined {
  context.session.report.add(
    "wrong-arguments",
    argument.span,
    `${definition.name.text} is given ${argument.name?.text} twice`,
    {
      related: [{ span: definition.name.span, message: "defined here" }],
      hint: `its inputs are ${inputNames(definition).join(", ")}, in this order`,
    },
  );
  return undefined;
}

function reportArgument(
  context: Context,
  argument: Argument,
  definition: Definition,
  parametersAllowed: boolean,
): undefined {
  const name = argument.name?.text ?? "";
  const parameters = definition.parameters.map((parameter) => parameter.name.text);
  const known = [...inputNames(definition), ...(parametersAllowed ? parameters : [])];
  const near = nearest(name, known);
  const isParameter = !parametersAllowed && parameters.includes(name);
  context.session.report.add(
    "wrong-arguments",
    argument.name?.span ?? argument.span,
    isParameter
      ? `${name} is a parameter of ${definition.name.text}: it is given once, by its use, not by each call`
      : `${definition.name.text} takes no ${name}`,
    {
      related: [{ span: definition.name.span, message: "defined here" }],
      ...(isParameter
        ? { hint: `write use f = ${definition.name.text}(..., ${name}: ...)` }
        : near === undefined || argument.name === undefined
          ? { hint: `it takes ${known.join(", ")}` }
          : meant(near, argument.name.span)),
    },
  );
  return undefined;
}

function reportCount(context: Context, call: Call, definition: Definition, names: readonly string[]): undefined {
  context.session.report.add(
    "wrong-arguments",
    call.span,
    `${definition.name.text} takes ${names.length === 1 ? "one input" : `${names.length} inputs`}${definition.definitionKind === "cell" ? " and a state" : ""}, and was given ${call.args.length}`,
    {
      related: [{ span: definition.name.span, message: "defined here" }],
      hint: names.length === 0 ? undefined : `write ${definition.name.text}(${names.join(", ")})`,
    },
  );
  return undefined;
}
