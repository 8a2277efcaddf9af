import type { Expression } from "./tree.ts";

const PLACEHOLDER = /\{([A-Za-z_]\w*)\}/g;

/** The names that stand in braces in a layout's text: `at` and `layer` of `"{at}weight_ih_l{layer}"`. */
export function placeholders(text: string): readonly string[] {
  return [...text.matchAll(PLACEHOLDER)].map(([, name = ""]) => name);
}

/** The text with values in the place of names; those without a value stay. */
export function filledIn(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(PLACEHOLDER, (whole, name: string) => values.get(name) ?? whole);
}

/** The texts of a mapping's left side. */
export function sourceTexts(source: Expression): readonly string[] {
  if (source.kind === "string") return [source.value];
  return source.kind === "binary" ? [...sourceTexts(source.left), ...sourceTexts(source.right)] : [];
}
