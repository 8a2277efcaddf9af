import type { IParserErrorMessageProvider, IToken, TokenType } from "chevrotain";
import { Identifier, NumberToken, StringToken } from "../../grammar/tokens.ts";

/** What the parser says when it fails: the language's words for what its rules expect. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected, actual, previous, ruleName }) =>
    sentence(TOKENS[`${ruleName} ${expected.name}`] ?? inList(ruleName, expected), actual, previous),
  buildNoViableAltMessage: ({ actual, previous, ruleName, customUserDescription }) =>
    sentence(customUserDescription ?? CHOICES[ruleName] ?? "something else", actual[0], previous),
  buildNotAllInputParsedMessage: ({ firstRedundant, ruleName }) =>
    REST[ruleName]?.(firstRedundant) ?? rest(firstRedundant),
  buildEarlyExitMessage: ({ actual, previous, ruleName }) =>
    sentence(CHOICES[ruleName] ?? "something else", actual[0], previous),
};

function sentence(expected: string, actual: IToken | undefined, previous: IToken | undefined): string {
  const after =
    previous === undefined || previous.image === "" || isEnd(previous) ? "" : ` after ${describe(previous)}`;
  const found =
    actual === undefined || isEnd(actual) || onAnotherLine(actual, previous) ? "" : `, found ${describe(actual)}`;
  return `expected ${expected}${after}${found}`;
}

export function isEnd(token: IToken): boolean {
  return token.tokenType.name === "EOF";
}

/** Then what is missing is missing at the end of the line before. */
export function onAnotherLine(actual: IToken, previous: IToken | undefined): boolean {
  return actual.image === "" || (previous?.endLine !== undefined && previous.endLine !== actual.startLine);
}

function rest(token: IToken): string {
  return `${describe(token)} fits nothing here`;
}

export function describe(token: IToken): string {
  if (token.image === "") return `\`${token.tokenType.LABEL}\``;
  if (token.tokenType === StringToken && token.image.length > 30) return "this text";
  return `\`${token.image}\``;
}

const LISTS = new Set("names family axes arguments subscripts group list import parameters indices".split(" "));

function inList(rule: string, expected: TokenType): string {
  const closes = expected.name.startsWith("Close") && LISTS.has(rule);
  return closes ? `\`,\` or ${describeType(expected)}` : describeType(expected);
}

function describeType(type: TokenType): string {
  if (type === Identifier) return "a name";
  if (type === NumberToken) return "a number";
  return type === StringToken ? "text in double quotes" : `\`${type.LABEL}\``;
}

/** What a token means where a rule demands it, by rule and token. */
const TOKENS: Readonly<Record<string, string>> = {
  "typed Identifier": "a name and its type",
  "typed Colon": "`:` and a type",
  "paramDeclarator Identifier": "a weight's name and type",
  "paramDeclarator Colon": "`:` and a type",
  "drawn Identifier": "a name, its type and its distribution",
  "drawn Colon": "`:` and a type",
  "drawn Tilde": "`~` and a distribution",
  "emit Identifier": "the name of what is emitted",
  "emit Tilde": "`~` and a distribution",
  "useDeclarator Identifier": "a name for the instance",
  "useDeclarator Define": "`=` and a definition",
  "repeat Of": "`of` and a definition",
  "tie Define": "`=` and a weight",
  "scan Over": "`over` and a sequence",
  "index Number": "a whole number",
  "train Identifier": "a name for the training",
  "train Of": "`of` and a model",
  "generate Identifier": "a name for what is generated",
  "generate Of": "`of` and a model",
  "import From": "`from` and a path",
  "imported Identifier": "a name to import",
  "source Define": "`=` and a reader",
  "save To": "`to` and a path",
  "load From": "`from` and a training or a file",
  "mapping Arrow": "`->` and the weight that takes it",
  "copy To": "`to` and the part that takes it",
  "copy Every": "`every` and a number of steps",
};

/** How it is written, for rules whose whole form helps more than the one token that is missing. */
export const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  typed: ["in x: [D], ids: tok(V)[T]"],
  paramDeclarator: ["param W: [H, D] init glorot", "param b.{i, f}: [H] init 0"],
  drawn: ["noise e: [Z] ~ normal(0, 1)"],
  emit: ["emit y: tok(K) ~ categorical(logits)"],
  useDeclarator: ["use l1 = LSTM(E, H)"],
  repeat: ["use tower = stack i in 3 of Block(C, 2**i)"],
  tie: ["tie head.W = emb.W"],
  scan: ["scan l1 over xs from s0 reverse"],
  train: ["train lm of CharLM { ... }"],
  generate: ["generate sample of CharLM { ... }"],
  import: ['import { LSTM } from "./cells.seq"'],
  imported: ['import { LSTM, GRU as Gated } from "./cells.seq"'],
  definition: ["cell LSTM(D, H) { ... }"],
  parameter: ["cell LSTM(D, H = 64) { ... }"],
  source: ['data x, y = csv("data.csv") where y < 5'],
  split: ["val last 10%", "test random 600 rows"],
  amount: ["val last 10%", "test random 600 rows"],
  unit: ["for 20 epochs", "for 5000 steps"],
  stop: ["stop when val.loss stalls 3 epochs"],
  save: ['save best val.loss to "runs/model"'],
  load: ["load enc from pretrain", 'load enc from "weights.safetensors" as TorchLSTM(at: "lstm.")'],
  mapping: ['"weight_ih_l0" -> fwd.W.{i, f, g, o}'],
  freeze: ["freeze enc until epoch 3"],
  copy: ["copy q to target every 500 steps"],
  teacherForcing: ["teacher_forcing tgt linear(1.0, 0.7, epochs: 10)"],
  type: ["[D]", "tok(V)[T]", "bool[T]"],
  axis: ["[H, D]", "[next: K, prev: K]"],
};

/** What a rule with alternatives could be. */
const CHOICES: Readonly<Record<string, string>> = {
  file: "a declaration",
  declaration: "a declaration: `import`, `cell`, `layer`, `dist`, `model`, `layout`, `train`, `generate` or `expect`",
  definition: "`cell`, `layer`, `dist`, `model` or `layout`",
  item: "an item: an equation, or one that begins with a keyword such as `in`, `param` or `out`",
  type: "a type",
  primary: "an expression",
  suffix: "a name or `{names}`",
  subscript: "an index or a slice",
  paramDeclarator: "a name or `{names}`",
  index: "`in` and an axis, or a whole number of steps",
  unit: "`epochs` or `steps`",
  split: "`last` or `random` with an amount, or names `=` a reader",
  load: "a training or a file",
  freeze: "`epoch` or `step`",
  trainClause: "a clause of `train`",
  generateClause: "a clause of `generate`",
};

/** What is left over when a list of items ends too early. */
const REST: Readonly<Record<string, (token: IToken) => string>> = {
  trainClauses: (token) => `${describe(token)} begins no clause of \`train\``,
  generateClauses: (token) => `${describe(token)} begins no clause of \`generate\``,
};
