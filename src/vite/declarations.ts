/** The declarations of several modules as one file's: what they share stands there once. */
export function joinedDeclarations(modules: readonly { readonly declarations: string }[]): string {
  const parts = modules.flatMap(({ declarations }) => declarations.trimEnd().split(BETWEEN));
  return `${[...new Set(parts)].join("\n")}\n`;
}

/** Where a declaration begins, with the comment above it. */
const BETWEEN = /(?<!\*\/)\n(?=\/\*\*|\/\/ Written|export |type |interface |declare )/;
