import type { Report } from "../base/diagnostic.ts";
import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import { definitionNames, findDefinition, isMissingAnyway, type Modules } from "../check/modules.ts";
import type { Call, Definition, Expression } from "../syntax/tree.ts";

/** The model that a regime, generation or check names. */
export function findModel(
  modules: Modules,
  file: string,
  expression: Expression,
  report: Report,
): { readonly definition: Definition; readonly file: string; readonly call: Call | undefined } | undefined {
  const callee = expression.kind === "call" ? expression.callee : expression;
  const name = callee.kind === "reference" ? callee.name : undefined;
  const found = name === undefined ? undefined : findDefinition(modules, file, name);
  if (found === undefined) {
    if (name === undefined || !isMissingAnyway(modules, file, name)) reportNoModel(modules, file, callee, report);
    return undefined;
  }
  const { definitionKind, name: own } = found.definition;
  if (definitionKind !== "model") {
    report.add("wrong-kind", callee.span, `${own.text} is a ${definitionKind}, not a model`, {
      related: [{ span: own.span, message: "defined here" }],
      hint: "a model emits what it produces: write model M { in ...  use ...  emit ... ~ ... }",
    });
    return undefined;
  }
  return { ...found, call: expression.kind === "call" ? expression : undefined };
}

function reportNoModel(modules: Modules, file: string, callee: Expression, report: Report): void {
  const name = callee.kind === "reference" ? callee.name : "";
  const models = definitionNames(modules, file).filter(
    (known) => findDefinition(modules, file, known)?.definition.definitionKind === "model",
  );
  const near = nearest(name, models);
  report.add(
    "unknown-name",
    callee.span,
    name === "" ? "this is no model's name" : `there is no model ${name}`,
    near === undefined
      ? { hint: models.length > 0 ? `there is ${models.join(", ")}` : "no model is defined in this file, or imported" }
      : meant(near, callee.span),
  );
}
