/** A top-level declaration of TypeScript that emitted modules can carry. */
export interface SupportPart {
  readonly names: readonly string[];
  /** Whether other files may name it. */
  readonly exported: boolean;
  /** Without `export`, and with the comment right above it. */
  readonly text: string;
  /** The places, among all parts, of those that it names. */
  readonly needs: readonly number[];
}

/**
 * The declarations that `names` need, in their order; those that nothing needs stay out.
 * Throws where a name is nowhere, and where two needed declarations have the same name.
 */
export function bundle(parts: readonly SupportPart[], names: Iterable<string>): string {
  const shared = new Map<string, number>();
  parts.forEach(({ names: own, exported }, place) => {
    for (const name of own) if (exported && !shared.has(name)) shared.set(name, place);
  });
  const needed = new Set([...names].map((name) => shared.get(name) ?? unknown(name)));
  for (const place of needed) for (const other of parts[place]?.needs ?? []) needed.add(other);
  const kept = parts.filter((_, place) => needed.has(place));
  checkApart(kept.flatMap((part) => part.names));
  return kept.map(({ text }) => text).join("\n\n");
}

function checkApart(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`internal: two support files declare ${name}`);
    seen.add(name);
  }
}

function unknown(name: string): never {
  throw new Error(`internal: no support file declares ${name}`);
}
