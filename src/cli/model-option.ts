import type { Modules } from "../check/modules.ts";
import { readOuterExpression, splitSetting, withArguments } from "../runtime/arguments.ts";
import { DataError } from "../runtime/data/error.ts";
import type { Expression } from "../syntax/tree.ts";
import { type Context, remember } from "./action.ts";

/** A model as an option says it, with what `--set` gives. */
export function modelWith(
  context: Context,
  modules: Modules,
  { text, label, set }: { readonly text: string; readonly label: string; readonly set: readonly string[] },
): Expression | undefined {
  const model = outerExpression(context, label, text);
  return model === undefined ? undefined : withSettings(context, modules, model, set);
}

/** The model with the parameters that `--set NAME=VALUE` gives; undefined where one of them cannot be read, which is reported. */
export function withSettings(
  context: Context,
  modules: Modules,
  model: Expression,
  set: readonly string[],
): Expression | undefined {
  const given = new Map<string, Expression>();
  for (const text of set) {
    const setting = splitSetting(text);
    if (setting === undefined) throw new DataError(`--set ${text} is not NAME=VALUE`, { hint: "as in --set H=64" });
    const value = outerExpression(context, `--set ${text.slice(0, text.indexOf("=") + 1)}`, setting.value);
    if (value === undefined) return undefined;
    given.set(setting.name, value);
  }
  return withArguments(modules, model, given);
}

/** An expression from the command line, known to diagnostics as it stands there. */
export function outerExpression(context: Context, prefix: string, text: string): Expression | undefined {
  const read = readOuterExpression(prefix, text, context.report);
  remember(context, undefined, { file: `${prefix}${text}`.trim(), text: `${prefix}${text}` });
  return read?.expression;
}
