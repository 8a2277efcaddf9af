import { type Expression, PRECEDENCE, type SimpleStatement, type Statement } from "./syntax.ts";

/** The statements of a function's body. Throws where there is more of WGSL in it than `Statement` knows. */
export function readStatements(text: string): readonly Statement[] {
  const tokens = createTokens(text);
  const found = statementsUpTo(tokens, undefined);
  tokens.expect(undefined);
  return found;
}

interface Tokens {
  /** The next token, which stays. */
  next(): string | undefined;
  take(): string;
  /** Takes the next token if it is this one. */
  skip(token: string): boolean;
  expect(token: string | undefined): void;
}

const TOKEN =
  /\/\/.*|[A-Za-z_]\w*|0x[\da-f]+u?|\d[\w.]*(?:(?<=e)[-+]\d+f?)?|<<|>>|[-+*/%&|^]=|\+\+|&&|\|\||[<>=!]=|\S/g;

function createTokens(text: string): Tokens {
  const all = text.match(TOKEN) ?? [];
  let at = 0;
  const fail = (): never => {
    throw new Error(`internal: no shader is read with ${all.slice(Math.max(0, at - 5), at + 3).join(" ")}`);
  };
  return {
    next: () => all[at],
    take: () => all[at++] ?? fail(),
    skip(token) {
      const isNext = all[at] === token;
      if (isNext) at++;
      return isNext;
    },
    expect: (token) => (all[at] === token ? at++ : fail()),
  };
}

function statementsUpTo(tokens: Tokens, end: string | undefined): readonly Statement[] {
  const found: Statement[] = [];
  while (tokens.next() !== end) found.push(readStatement(tokens));
  return found;
}

function readBody(tokens: Tokens): readonly Statement[] {
  tokens.expect("{");
  const body = statementsUpTo(tokens, "}");
  tokens.expect("}");
  return body;
}

function readStatement(tokens: Tokens): Statement {
  const first = tokens.next() ?? "";
  if (first === "{") return { kind: "block", body: readBody(tokens) };
  if (first.startsWith("//")) return { kind: "comment", text: tokens.take() };
  if (first === "for") return readFor(tokens);
  if (first === "if" || first === "while") {
    tokens.take();
    return { kind: first, condition: readExpression(tokens), body: readBody(tokens) };
  }
  const found = readSimple(tokens);
  tokens.expect(";");
  return found;
}

function readFor(tokens: Tokens): Statement {
  tokens.expect("for");
  tokens.expect("(");
  const start = readSimple(tokens);
  tokens.expect(";");
  const condition = readExpression(tokens);
  tokens.expect(";");
  const next = readSimple(tokens);
  tokens.expect(")");
  return { kind: "for", start, condition, next, body: readBody(tokens) };
}

function readSimple(tokens: Tokens): SimpleStatement {
  if (tokens.skip("return")) return { kind: "return", value: readExpression(tokens) };
  if (tokens.skip("let")) {
    const name = tokens.take();
    tokens.expect("=");
    return { kind: "let", name, value: readExpression(tokens) };
  }
  if (tokens.skip("var")) {
    const name = tokens.take();
    const type = tokens.skip(":") ? readType(tokens) : undefined;
    return { kind: "var", name, type, ...(tokens.skip("=") && { value: readExpression(tokens) }) };
  }
  const target = readOperand(tokens);
  const operator = tokens.next() ?? "";
  if (tokens.skip("++")) return { kind: "set", target, operator };
  if (!/^[-+*/%&|^]?=$/.test(operator)) return { kind: "call", call: target };
  tokens.take();
  return { kind: "set", target, operator, value: readExpression(tokens) };
}

/** `f32`, `array<f32, 4>`. */
function readType(tokens: Tokens): string {
  const name = tokens.take();
  if (!tokens.skip("<")) return name;
  const inner = [readType(tokens)];
  while (tokens.skip(",")) inner.push(readType(tokens));
  tokens.expect(">");
  return `${name}<${inner.join(", ")}>`;
}

function readExpression(tokens: Tokens, least = 1): Expression {
  let left = readOperand(tokens);
  for (;;) {
    const operator = tokens.next() ?? "";
    const own = PRECEDENCE[operator] ?? 0;
    if (own < least) return left;
    tokens.take();
    left = { kind: "binary", operator, left, right: readExpression(tokens, own + 1) };
  }
}

function readOperand(tokens: Tokens): Expression {
  const operator = tokens.next() ?? "";
  if (["-", "!", "~"].includes(operator)) {
    tokens.take();
    return { kind: "unary", operator, of: readOperand(tokens) };
  }
  let found = readWord(tokens);
  for (;;) {
    if (tokens.skip("[")) {
      found = { kind: "index", of: found, at: readExpression(tokens) };
      tokens.expect("]");
    } else if (tokens.skip(".")) found = { kind: "member", of: found, name: tokens.take() };
    else return found;
  }
}

/** What takes types where it is called. */
const WITH_TYPES: ReadonlySet<string | undefined> = new Set(["bitcast", "array"]);

function readWord(tokens: Tokens): Expression {
  if (tokens.skip("(")) {
    const inner = readExpression(tokens);
    tokens.expect(")");
    return inner;
  }
  if (!/^\w/.test(tokens.next() ?? "")) tokens.expect("an operand");
  const text = WITH_TYPES.has(tokens.next()) ? readType(tokens) : tokens.take();
  if (!tokens.skip("(")) return { kind: "word", text };
  const args: Expression[] = [];
  while (!tokens.skip(")")) {
    if (args.length > 0) tokens.expect(",");
    args.push(readExpression(tokens));
  }
  return { kind: "call", called: text, args };
}
