/**
 * What the numbers of a token column stand for. Ids run through `tokens`, then `special`: adding a special token changes no id.
 */
export interface Vocabulary {
  /** How a sequence of tokens becomes text: characters are joined, words and numbers are separated by spaces. */
  readonly unit: Unit;
  readonly tokens: readonly string[];
  readonly special: readonly SpecialToken[];
  /** Ids of `tokens` by their text. */
  readonly index: ReadonlyMap<string, number>;
}

export type Unit = "character" | "word" | "label" | "number";
export type SpecialToken = "BOS" | "EOS" | "UNK";

/** What JSON keeps of a vocabulary. */
export interface VocabularyRecord {
  readonly unit: Unit;
  readonly tokens: readonly string[];
  readonly special: readonly SpecialToken[];
}

export function createVocabulary(
  unit: Unit,
  tokens: readonly string[],
  special: readonly SpecialToken[] = [],
): Vocabulary {
  return { unit, tokens, special, index: new Map(tokens.map((token, id) => [token, id])) };
}

/** The vocabulary of a column of plain numbers 0 ... size-1. */
export function numberVocabulary(size: number): Vocabulary {
  return createVocabulary(
    "number",
    Array.from({ length: size }, (_, id) => String(id)),
  );
}

export function vocabularyRecord(vocabulary: Vocabulary): VocabularyRecord {
  return { unit: vocabulary.unit, tokens: vocabulary.tokens, special: vocabulary.special };
}

/** How many different ids there are: `V`. */
export function vocabularySize(vocabulary: Vocabulary): number {
  return vocabulary.tokens.length + vocabulary.special.length;
}

/** The same vocabulary with a special token at its end, unless it has it already. */
export function withSpecial(vocabulary: Vocabulary, token: SpecialToken): Vocabulary {
  if (vocabulary.special.includes(token)) return vocabulary;
  return { ...vocabulary, special: [...vocabulary.special, token] };
}

/** The id of BOS, EOS or UNK; undefined where the vocabulary lacks it. */
export function specialId(vocabulary: Vocabulary, token: SpecialToken): number | undefined {
  const at = vocabulary.special.indexOf(token);
  return at < 0 ? undefined : vocabulary.tokens.length + at;
}

/** The id of a token, of UNK where the token is not known, undefined where there is no UNK either. */
export function tokenId(vocabulary: Vocabulary, token: string): number | undefined {
  return vocabulary.index.get(token) ?? specialId(vocabulary, "UNK");
}

/** The text of an id; special tokens read `<EOS>`. */
export function tokenText(vocabulary: Vocabulary, id: number): string {
  const special = vocabulary.special[id - vocabulary.tokens.length];
  return vocabulary.tokens[id] ?? (special === undefined ? `<${id}?>` : `<${special}>`);
}

/** Splits text into the vocabulary's tokens, as the readers did. A label is one token. */
export function splitText(unit: Unit, text: string): readonly string[] {
  if (unit === "character") return [...text];
  return unit === "word" ? splitWords(text) : unit === "number" ? text.split(/\s+/).filter(Boolean) : [text];
}

/** Ids of a text, and its tokens that the vocabulary does not have (they get no id). */
export function encode(
  vocabulary: Vocabulary,
  text: string,
): { readonly ids: readonly number[]; readonly unknown: readonly string[] } {
  const ids: number[] = [];
  const unknown = new Set<string>();
  for (const token of splitText(vocabulary.unit, text)) {
    const id = tokenId(vocabulary, token);
    if (id === undefined) unknown.add(token);
    else ids.push(id);
  }
  return { ids, unknown: [...unknown] };
}

/** The text of a sequence of ids: up to the first EOS, without BOS. */
export function decode(vocabulary: Vocabulary, ids: ArrayLike<number>): string {
  const end = specialId(vocabulary, "EOS");
  const begin = specialId(vocabulary, "BOS");
  const texts: string[] = [];
  for (const id of Array.from(ids)) {
    if (id === end) break;
    if (id !== begin) texts.push(tokenText(vocabulary, id));
  }
  return texts.join(vocabulary.unit === "character" ? "" : " ");
}

/** Every token of both, in the order of their unit; special tokens of both. Labels and characters by code point, words keep the first's order. */
export function mergeVocabularies(a: Vocabulary, b: Vocabulary): Vocabulary {
  const added = b.tokens.filter((token) => !a.index.has(token));
  const special = [...a.special, ...b.special.filter((token) => !a.special.includes(token))];
  if (added.length === 0 && special.length === a.special.length) return a;
  const tokens = [...a.tokens, ...added];
  if (a.unit === "number") tokens.sort((left, right) => Number(left) - Number(right));
  else if (a.unit !== "word") tokens.sort(compareCodePoints);
  return createVocabulary(a.unit, tokens, special);
}

/**
 * Words of a text: runs of letters, digits and marks with inner apostrophes (`don't`); every other visible character is a word of
 * its own; white space separates.
 */
export function splitWords(text: string): readonly string[] {
  return text.match(/[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{N}\p{M}]+)*|[^\s\p{L}\p{N}\p{M}]/gu) ?? [];
}

/** Order by code point; JavaScript's own compares UTF-16 units, which puts U+E000 ... U+FFFF behind the rest. */
export function compareCodePoints(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; ) {
    const left = a.codePointAt(at)!;
    const right = b.codePointAt(at)!;
    if (left !== right) return left - right;
    at += left > 0xffff ? 2 : 1;
  }
  return a.length - b.length;
}
