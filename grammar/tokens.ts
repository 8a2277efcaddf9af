import { createToken, Lexer, type TokenType } from "chevrotain";

/** The words that are never a name. */
export const RESERVED = ["scan", "from", "reverse", "else", "init", "until"] as const;

/** The words that are keywords only where the grammar expects one, and names everywhere else. */
export const CONTEXTUAL = [
  // declarations
  ..."import as cell layer dist model layout train generate expect".split(" "),
  // items of a definition
  ..."time in of state param noise latent prior use stack share tie emit out bool tok".split(" "),
  // expressions
  ..."over by and or not".split(" "),
  // clauses of `train`
  ..."data where val test last random row rows minimize maximize on every bptt optim clip batch tokens for".split(" "),
  ..."epoch epochs step steps report stop when stalls save best to seed load freeze teacher_forcing copy".split(" "),
  // clauses of `generate`
  ..."prompt max count".split(" "),
  // units of `expect`
  ..."kB MB GB".split(" "),
] as const;

export const Identifier = createToken({ name: "Identifier", pattern: /[A-Za-z_][A-Za-z0-9_]*/ });
const BadNumber = createToken({
  name: "BadNumber",
  pattern: /\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?[A-Za-z_]\w*/,
});
export const NumberToken = createToken({
  name: "Number",
  pattern: /\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:[eE][+-]?\d+)?/,
  longer_alt: BadNumber,
});
export const StringToken = createToken({ name: "String", pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*"/ });

export const Comment = createToken({ name: "Comment", pattern: /\/\/[^\n\r]*/, group: "comments" });
const Space = createToken({ name: "Space", pattern: /[\s\uFEFF]+/, group: Lexer.SKIPPED, line_breaks: true });

/** `'` directly behind a name; anywhere else it begins a string of another language. */
export const Prime = createToken({
  name: "Prime",
  label: "'",
  pattern: (text: string, offset: number): [string] | null =>
    text[offset] === "'" && isNameCharacter(text.charCodeAt(offset - 1)) ? ["'"] : null,
  start_chars_hint: ["'"],
  line_breaks: false,
});

function isNameCharacter(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122);
}

function symbol(name: string, text: string): TokenType {
  return createToken({ name, pattern: text, label: text });
}

export const Symbols = {
  power: symbol("Power", "**"),
  times: symbol("Times", "*"),
  divide: symbol("Divide", "/"),
  remainder: symbol("Remainder", "%"),
  contract: symbol("Contract", "@"),
  plus: symbol("Plus", "+"),
  arrow: symbol("Arrow", "->"),
  minus: symbol("Minus", "-"),
  equal: symbol("Equal", "=="),
  unequal: symbol("Unequal", "!="),
  lessEqual: symbol("LessEqual", "<="),
  greaterEqual: symbol("GreaterEqual", ">="),
  less: symbol("Less", "<"),
  greater: symbol("Greater", ">"),
  define: symbol("Define", "="),
  tilde: symbol("Tilde", "~"),
  colon: symbol("Colon", ":"),
  comma: symbol("Comma", ","),
  dot: symbol("Dot", "."),
  openParen: symbol("OpenParen", "("),
  closeParen: symbol("CloseParen", ")"),
  openBracket: symbol("OpenBracket", "["),
  closeBracket: symbol("CloseBracket", "]"),
  openBrace: symbol("OpenBrace", "{"),
  closeBrace: symbol("CloseBrace", "}"),
} as const satisfies Record<string, TokenType>;

function keyword(text: string, contextual: boolean): readonly [string, TokenType] {
  const name = text[0]!.toUpperCase() + text.slice(1);
  const categories = contextual ? [Identifier] : [];
  return [text, createToken({ name, pattern: text, label: text, longer_alt: Identifier, categories })];
}

/** Longer words first, so that `epochs` is not read as `epoch`. */
const words: ReadonlyMap<string, TokenType> = new Map(
  [...RESERVED.map((text) => keyword(text, false)), ...CONTEXTUAL.map((text) => keyword(text, true))].sort(
    ([a], [b]) => b.length - a.length,
  ),
);

/** The token type of a keyword. */
export function word(text: string): TokenType {
  const type = words.get(text);
  if (type === undefined) throw new Error(`internal: \`${text}\` is not a keyword of the grammar`);
  return type;
}

/*
 * Mistakes that are better named than met: the reader reports each and goes on with what was meant.
 */
export const Mistakes = {
  unclosedString: createToken({
    name: "UnclosedString",
    pattern: /"(?:[^"\\\n\r]|\\[^\n\r])*\\?/,
  }),
  singleQuoted: createToken({ name: "SingleQuoted", pattern: /'[^'\n\r]*'?/ }),
  badNumber: BadNumber,
  /** Letters and signs beyond ASCII: a name, or something that the reader drops. */
  foreign: createToken({
    name: "Foreign",
    pattern: /[\u00AA-\uFFFF][A-Za-z0-9_\u00AA-\uFFFF]*/,
  }),
  and: createToken({ name: "AndSign", pattern: "&&" }),
  or: createToken({ name: "OrSign", pattern: "||" }),
  not: createToken({ name: "NotSign", pattern: "!" }),
  caret: createToken({ name: "Caret", pattern: "^" }),
  semicolon: createToken({ name: "Semicolon", pattern: ";", group: "mistakes" }),
  blockComment: createToken({
    name: "BlockComment",
    pattern: /\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?/,
    group: "mistakes",
    line_breaks: true,
  }),
  hashComment: createToken({ name: "HashComment", pattern: /#[^\n\r]*/, group: "mistakes" }),
} as const satisfies Record<string, TokenType>;

/** Every token type, in the order in which the lexer tries them. */
export const vocabulary: readonly TokenType[] = [
  Space,
  Comment,
  Mistakes.blockComment,
  Mistakes.hashComment,
  ...words.values(),
  Identifier,
  NumberToken,
  Mistakes.badNumber,
  StringToken,
  Mistakes.unclosedString,
  Prime,
  Mistakes.singleQuoted,
  Mistakes.and,
  Mistakes.or,
  ...Object.values(Symbols),
  Mistakes.not,
  Mistakes.caret,
  Mistakes.semicolon,
  Mistakes.foreign,
];

/** The lexer; `validate` checks the vocabulary, which the tests do and a start need not. */
export function createLexer(options: { readonly validate: boolean }): Lexer {
  return new Lexer([...vocabulary], {
    positionTracking: "full",
    ensureOptimizations: true,
    skipValidations: !options.validate,
  });
}
