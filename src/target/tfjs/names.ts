/** Gives out TypeScript identifiers, each once. */
export interface Names {
  fresh(wanted: string): string;
}

const RESERVED: ReadonlySet<string> = new Set(
  (
    "tf step break case catch class const continue debugger default delete do else enum export extends false finally for function " +
    "if import in instanceof new null return super switch this throw true try typeof var void while with yield let static " +
    "implements interface package private protected public await async of as any number string boolean symbol undefined " +
    "arguments eval Infinity NaN Math Array Map Object Float32Array Int32Array Uint8Array"
  ).split(" "),
);

/** @param taken names that must not be given out besides the language's own words */
export function createNames(taken: Iterable<string>): Names {
  const used = new Set([...RESERVED, ...taken]);
  const next = new Map<string, number>();
  return {
    fresh: (wanted) => {
      const base = identifier(wanted);
      let name = base;
      for (let count = next.get(base) ?? 2; used.has(name); count++) {
        name = `${base}_${count}`;
        next.set(base, count + 1);
      }
      used.add(name);
      return name;
    },
  };
}

/** `l1.W.i` becomes `l1_W_i`, `h'` becomes `h_next`. */
export function identifier(text: string): string {
  const plain =
    text
      .replaceAll("'", "_next")
      .replace(/[^\w$]+/g, "_")
      .replace(/_+$/, "") || "value";
  return /^\d/.test(plain) ? `_${plain}` : plain;
}

/** The name without the builder's number or the mark that tells equal axes apart. */
export function baseName(text: string): string {
  return identifier(text.replace(/~\d+$/, ""));
}
