import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { constantSize } from "../ir/size.ts";
import type { Argument, Expression, Use } from "../syntax/tree.ts";
import { evaluate } from "./expression.ts";
import { type Context, joinPath, knownSlot } from "./frame.ts";
import { asInteger, numberMeaning } from "./static.ts";
import { type DefinitionValue, describe, INVALID, type InstanceValue, type Meaning } from "./value.ts";

const MOST_BLOCKS = 4096;

/** `use l1 = Cell(E, H)`, `use tower = stack i in 3 of Block(C, 2**i)`. */
export function instanceOf(context: Context, use: Use): Meaning {
  const path = joinPath(context.frame.path, use.name.text);
  if (use.repeat === undefined) return single(context, use.of, path, use);
  const written = evaluate(context, use.repeat.count);
  const count = asInteger(context, written, use.repeat.count.span, "the number of blocks");
  if (count === undefined) return INVALID;
  if (count < 0 || count > MOST_BLOCKS) {
    context.session.report.add(
      "wrong-option",
      use.repeat.count.span,
      `a stack has 0 to ${MOST_BLOCKS} blocks, not ${count}`,
      { hint: `write fewer, as in stack 3 of ...` },
    );
    return INVALID;
  }
  const blocks: InstanceValue[] = [];
  for (let index = 0; index < count; index++) {
    const blockPath = use.repeat.share ? path : `${path}.${index}`;
    const block = single(withIndex(context, use, index), use.of, blockPath, use);
    if (block.kind !== "instance") return INVALID;
    blocks.push(block);
  }
  const first = blocks[0] ?? single(withIndex(context, use, 0), use.of, path, use);
  return first.kind === "instance"
    ? { ...first, path, blocks, count: written.kind === "size" ? written.size : constantSize(count) }
    : INVALID;
}

function withIndex(context: Context, use: Use, index: number): Context {
  const name = use.repeat?.index;
  if (name === undefined) return context;
  const slot = knownSlot(name.text, name.span, "parameter", numberMeaning(index, name.span));
  const names = new Map([...context.frame.names, [name.text, slot] as const]);
  return { ...context, frame: { ...context.frame, names } };
}

function single(context: Context, of: Expression, path: string, use: Use): Meaning {
  const callee = of.kind === "call" ? of.callee : of;
  const definition = evaluate(context, callee);
  if (definition.kind === "invalid") return INVALID;
  if (definition.kind !== "definition") {
    context.session.report.add(
      "wrong-kind",
      callee.span,
      `use makes an instance of a cell or layer, this is ${describe(definition)}`,
      {
        hint:
          definition.kind === "builtin"
            ? `a function needs no use: write ${definition.name}(x) where it is applied`
            : undefined,
      },
    );
    return INVALID;
  }
  if (reportedWhole(context, definition, callee.span)) return INVALID;
  const parameters = of.kind === "call" ? givenParameters(context, definition, of.args) : new Map(definition.given);
  if (parameters === undefined) return INVALID;
  const missing = definition.definition.parameters.find(
    (parameter) => parameter.default === undefined && !parameters.has(parameter.name.text),
  );
  if (missing !== undefined) {
    const { text } = definition.definition.name;
    context.session.report.add("missing-parameter", of.span, `${text} needs ${missing.name.text}`, {
      related: [{ span: missing.span, message: "it has no default" }],
      hint: `write ${text}(${definition.definition.parameters.map(({ name, default: instead }) => (instead === undefined ? name.text : `${name.text}: ...`)).join(", ")})`,
    });
    return INVALID;
  }
  return {
    kind: "instance",
    definition: definition.definition,
    file: definition.file,
    parameters,
    path,
    blocks: undefined,
    declared: use.span,
  };
}

/** Reports what is applied in no equation: a model, and a layout. */
export function reportedWhole(context: Context, value: DefinitionValue, span: Span): boolean {
  const { definitionKind, name } = value.definition;
  if (definitionKind === "model") reportModel(context, value, span);
  else if (definitionKind === "layout") {
    context.session.report.add("not-callable", span, `${name.text} is a layout: it says where weights are in a file`, {
      related: [{ span: name.span, message: "defined here" }],
      hint: `write load part from "file.safetensors" as ${name.text} in a train block`,
    });
  } else return false;
  return true;
}

/** A model is the whole: it emits, and so is trained and sampled, not applied. */
function reportModel(context: Context, { definition }: DefinitionValue, span: Span): void {
  const { name } = definition;
  context.session.report.add(
    "not-callable",
    span,
    `${name.text} is a model, and cannot be part of another definition`,
    {
      related: [{ span: name.span, message: "defined here" }],
      hint: `move what both need into a layer, and use it in ${name.text} too`,
    },
  );
}

/** Parameters by position and by name. */
export function givenParameters(
  context: Context,
  { definition, given }: DefinitionValue,
  args: readonly Argument[],
): Map<string, Meaning> | undefined {
  const parameters = new Map(given);
  const seen = new Set<string>();
  const names = definition.parameters.map((parameter) => parameter.name.text);
  let place = 0;
  for (const argument of args) {
    const name = argument.name?.text ?? names[place++];
    const meaning = evaluate(context, argument.value);
    if (meaning.kind === "invalid") return undefined;
    if (name === undefined || !names.includes(name)) {
      const count =
        names.length === 0 ? "no parameters" : names.length === 1 ? "one parameter" : `${names.length} parameters`;
      const text =
        name === undefined
          ? `${definition.name.text} takes ${count}, and was given ${args.length}`
          : `${definition.name.text} has no parameter ${name}`;
      reportParameter(context, definition, argument, text, names);
      return undefined;
    }
    if (seen.has(name)) {
      reportParameter(context, definition, argument, `${definition.name.text} is given ${name} twice`, names);
      return undefined;
    }
    seen.add(name);
    parameters.set(name, meaning);
  }
  return parameters;
}

function reportParameter(
  context: Context,
  { name }: DefinitionValue["definition"],
  argument: Argument,
  message: string,
  names: readonly string[],
): void {
  const near =
    argument.name === undefined || names.includes(argument.name.text) ? undefined : nearest(argument.name.text, names);
  context.session.report.add("wrong-arguments", argument.name?.span ?? argument.span, message, {
    related: [{ span: name.span, message: "defined here" }],
    ...(near === undefined || argument.name === undefined
      ? {
          hint: names.length > 0 ? `write ${name.text}(${names.join(", ")})` : `write ${name.text} without parentheses`,
        }
      : meant(near, argument.name.span)),
  });
}
