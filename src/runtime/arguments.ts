import type { Report } from "../base/diagnostic.ts";
import { findDefinition, type Modules, type Source } from "../check/modules.ts";
import { parse } from "../syntax/parse.ts";
import type { Argument, Call, Expression } from "../syntax/tree.ts";

/** An expression that stands in a command or a checkpoint; `source` is what diagnostics show of it. */
export interface OuterExpression {
  readonly expression: Expression;
  readonly source: Source;
}

/**
 * Reads an expression that stands behind `prefix`, as `64` in `--set H=64`. Mistakes are reported at their place there.
 * @param prefix at least 7 characters
 */
export function readOuterExpression(prefix: string, text: string, report: Report): OuterExpression | undefined {
  // The grammar reads declarations only: the prefix is overwritten by one that takes an expression, so that spans stay right.
  const keyword = "expect".padEnd(prefix.length);
  const file = `${prefix}${text}`.trim();
  const tree = parse(`${keyword}${text}`, file, report);
  const [declaration, ...more] = tree.declarations;
  if (declaration?.kind !== "expect" || more.length > 0 || tree.unread.length > 0) {
    if (!report.hasErrors) report.add("unexpected-token", tree.span, "this is no expression");
    return undefined;
  }
  return { expression: declaration.value, source: { file, text: `${prefix}${text}` } };
}

/** `H` and `64` of `H=64`; undefined where there is no name. */
export function splitSetting(text: string): { readonly name: string; readonly value: string } | undefined {
  const [, name, value] = /^\s*([\p{L}_][\p{L}\p{N}_.]*)\s*=(.*)$/su.exec(text) ?? [];
  return name === undefined || value === undefined ? undefined : { name, value };
}

/** The model with further arguments; those of the same name are replaced. */
export function withArguments(modules: Modules, model: Expression, given: ReadonlyMap<string, Expression>): Expression {
  if (given.size === 0) return model;
  const callee = model.kind === "call" ? model.callee : model;
  const added = [...given].map(
    ([name, value]): Argument => ({
      span: value.span,
      name: { span: value.span, text: name },
      value,
    }),
  );
  const own = model.kind === "call" ? namedArguments(modules, model) : [];
  const args = [...own.filter((argument) => !given.has(argument.name?.text ?? "")), ...added];
  return { kind: "call", span: model.span, callee, axes: [], args };
}

/** Arguments by position get the names of the parameters that they stand for. */
function namedArguments(modules: Modules, { callee, args }: Call): readonly Argument[] {
  const name = callee.kind === "reference" ? callee.name : "";
  const parameters = findDefinition(modules, modules.entry.file, name)?.definition.parameters ?? [];
  let place = 0;
  return args.map((argument) => {
    if (argument.name !== undefined) return argument;
    const parameter = parameters[place++];
    return parameter === undefined
      ? argument
      : { ...argument, name: { span: argument.span, text: parameter.name.text } };
  });
}
