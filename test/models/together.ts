/** Where what every standalone module carries with it begins. */
const CARRIED = "// What every model carries with it.";

/**
 * Standalone modules as fewer: those that carry the same text with them carry it once, and what is each one's own stands in a namespace.
 * To be checked, as each alone would be.
 */
export function together(modules: readonly string[]): readonly string[] {
  const alone: string[] = [];
  const alike = new Map<string, string[]>();
  for (const text of modules) {
    const at = text.indexOf(CARRIED);
    if (at < 0) throw new Error("a module carries nothing with it");
    const [own, carried] = [text.slice(0, at), text.slice(at)];
    // A namespace has no lists of exports.
    if (/^export \{/m.test(own)) alone.push(text);
    else alike.set(carried, [...(alike.get(carried) ?? []), own]);
  }
  return [...alone, ...[...alike].map(([carried, own]) => `${own.map(inNamespace).join("")}${carried}`)];
}

function inNamespace(text: string, at: number): string {
  return `export namespace Module${at} {\n${text}}\n`;
}
