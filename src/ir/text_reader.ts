/** A place in a text that is read token by token; spaces, newlines and `// comments` separate tokens. */
export interface TextReader {
  /** Offset of the next token. */
  place(): number;
  back(place: number): void;
  is(text: string): boolean;
  accept(text: string): boolean;
  expect(text: string): void;
  isName(): boolean;
  /** A word or a quoted text, which may be any name. */
  name(what: string): string;
  isText(): boolean;
  /** A quoted text. */
  text(): string;
  /** `%id`, without the percent sign. */
  value(): string;
  number(): number;
  isSize(): boolean;
  /** What stands between `<` and `>`. */
  size(): string;
  /** Items between brackets, separated by commas. */
  list<T>(open: string, close: string, item: () => T): readonly T[];
  /** The same after the opening bracket. */
  rest<T>(close: string, item: () => T): readonly T[];
  end(): void;
  /** An error at a place, as `line:column: message`. */
  error(message: string, place?: number): Error;
}

const WORD = /[A-Za-z_][\w.~']*/y;
const TEXT = /"(?:[^"\\\n]|\\.)*"/y;
const VALUE = /%[\w.~']+/y;
const NUMBER = /-?(?:inf\b|nan\b|\d+(?:\.\d+)?(?:e[+-]?\d+)?)/y;
const SIZE = /<[^<>\n]*>/y;
const SPACE = /(?:\s|\/\/[^\n]*)+/y;

export function createTextReader(source: string): TextReader {
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0];
  };
  const skip = (): void => {
    at += match(SPACE)?.length ?? 0;
  };
  const advance = (length: number): void => {
    at += length;
    skip();
  };
  const error = (message: string, place = at): Error => {
    const before = source.slice(0, place).split("\n");
    return new Error(`${before.length}:${(before.at(-1)?.length ?? 0) + 1}: ${message}`);
  };
  const found = (): string => {
    if (at >= source.length) return "the end of the text";
    return JSON.stringify(match(WORD) ?? match(TEXT) ?? match(VALUE) ?? match(NUMBER) ?? source[at]);
  };
  const take = (pattern: RegExp, what: string): string => {
    const token = match(pattern);
    if (token === undefined) throw error(`expected ${what}, found ${found()}`);
    advance(token.length);
    return token;
  };
  const is = (text: string): boolean => (/^\w/.test(text) ? match(WORD) === text : source.startsWith(text, at));
  const accept = (text: string): boolean => {
    const here = is(text);
    if (here) advance(text.length);
    return here;
  };
  const expect = (text: string): void => {
    if (!accept(text)) throw error(`expected ${JSON.stringify(text)}, found ${found()}`);
  };
  const text = (): string => {
    const place = at;
    const value: unknown = parseText(take(TEXT, "a quoted text"));
    if (typeof value !== "string") throw error("a quoted text has a wrong escape", place);
    return value;
  };
  const isText = (): boolean => match(TEXT) !== undefined;
  const rest = <T>(close: string, item: () => T): readonly T[] => {
    const items: T[] = [];
    while (!accept(close)) {
      if (items.length > 0) expect(",");
      items.push(item());
    }
    return items;
  };

  skip();
  return {
    place: () => at,
    back: (place) => {
      at = place;
    },
    is,
    accept,
    expect,
    isName: () => isText() || match(WORD) !== undefined,
    name: (what) => (isText() ? text() : take(WORD, what)),
    isText,
    text,
    value: () => take(VALUE, "a value such as %x").slice(1),
    number: () => numberOf(take(NUMBER, "a number")),
    isSize: () => match(SIZE) !== undefined,
    size: () => take(SIZE, "a size such as <2*H>").slice(1, -1),
    list: (open, close, item) => {
      expect(open);
      return rest(close, item);
    },
    rest,
    end: () => {
      if (at < source.length) throw error(`expected the end of the text, found ${found()}`);
    },
    error,
  };
}

function parseText(token: string): unknown {
  try {
    return JSON.parse(token);
  } catch {
    return undefined;
  }
}

function numberOf(token: string): number {
  if (token.endsWith("nan")) return Number.NaN;
  if (token.endsWith("inf")) return token.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(token);
}
