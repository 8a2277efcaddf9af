import { createReport } from "../base/report.ts";
import { demand } from "../build/equation.ts";
import { needsArgument, openDefinition } from "../build/standalone.ts";
import { describe, type Meaning, shapeText } from "../build/value.ts";
import type { Modules } from "../check/modules.ts";
import type { Definition } from "../syntax/tree.ts";
import { openForLoss } from "./program.ts";

/**
 * What a name of a definition is, as shapes are written: `[T, H]`, `tok(V)[T]`, `the layer head`. Undefined where that cannot be found out:
 * the name or what it depends on is wrong, or the definition is one only where it is used.
 */
export function shapeIn(modules: Modules, file: string, definition: Definition, name: string): string | undefined {
  if (needsArgument(definition)) return undefined;
  const report = createReport();
  const request = {
    modules,
    file,
    definition,
    parameters: undefined,
    parametersFile: file,
    sizes: new Map(),
    dense: false,
    report,
  };
  try {
    const opened = definition.definitionKind === "model" ? openForLoss(request) : openDefinition(request);
    const slot = opened?.frame.names.get(name);
    const meaning = opened && slot && demand(opened.session, slot);
    return meaning && !report.hasErrors ? textOf(meaning) : undefined;
  } catch (error) {
    // Too much stands inside each other: a check says so.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function textOf(meaning: Meaning): string | undefined {
  switch (meaning.kind) {
    case "tensor":
      return `${meaning.vocabulary === undefined ? "" : `tok(${meaning.vocabulary.text})`}${shapeText(meaning.visible)}`;
    case "size":
      return `the size ${meaning.size.text}`;
    case "record":
      return [...meaning.fields].map(([field, { visible }]) => `${field}: ${shapeText(visible)}`).join(", ");
    case "bottom":
    case "invalid":
      return undefined;
    case "number":
    case "list":
    case "text":
    case "several":
    case "definition":
    case "builtin":
    case "instance":
    case "special":
      return describe(meaning);
    default:
      return meaning satisfies never;
  }
}
