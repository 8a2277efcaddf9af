import type { CstNode, IToken } from "chevrotain";
import { cover } from "../base/span.ts";
import { node, nodeSpan, nodes, onlyNode, optionalNode, optionalToken, tokens } from "./cst.ts";
import { spanOf } from "./lex.ts";
import { groupOperators, type Operand, withPrefixes } from "./read-operators.ts";
import type { Reading } from "./reading.ts";
import type { Argument, Expression, IndexExpression, Name, NumberLiteral, StringLiteral, Subscript } from "./tree.ts";

/** `expression`: operands between logic operators and comparisons. */
export function readExpression(reading: Reading, cst: CstNode): Expression {
  return readFlat(reading, cst, (operand) => ({
    prefixes: tokens(operand, "Not"),
    value: readArithmetic(reading, node(operand, "arithmetic")),
  }));
}

/** `arithmetic`, or `amount`, which has fewer operators. */
export function readArithmetic(reading: Reading, cst: CstNode): Expression {
  return readFlat(reading, cst, (operand) => ({
    prefixes: tokens(operand, "Minus"),
    value: readFallback(reading, operand),
  }));
}

/** Most lists have one operand and nothing to group. */
function readFlat(reading: Reading, cst: CstNode, read: (operand: CstNode) => Operand): Expression {
  const operands = nodes(cst, "operand");
  if (operands.length > 1) return groupOperators(reading, operands.map(read), tokens(cst, "operator"));
  const { prefixes, value } = read(operands[0]!);
  return withPrefixes(reading, prefixes, value);
}

/** `chosen`: an expression, with `by` where a value is chosen. */
export function readChosen(reading: Reading, cst: CstNode): Expression {
  const value = readExpression(reading, node(cst, "value"));
  const method = optionalNode(cst, "method");
  if (method === undefined) return value;
  return { kind: "by", span: nodeSpan(reading, cst), value, method: readExpression(reading, method) };
}

/** `unary` without its signs: a value and what stands in for it outside. */
function readFallback(reading: Reading, cst: CstNode): Expression {
  let value = readPostfix(reading, node(cst, "postfix"));
  for (const each of nodes(cst, "otherwise")) {
    const otherwise = withPrefixes(reading, tokens(each, "Minus"), readPostfix(reading, node(each, "postfix")));
    value = { kind: "else", span: cover(value.span, otherwise.span), value, otherwise };
  }
  return value;
}

export function readPostfix(reading: Reading, cst: CstNode): Expression {
  const suffixes = nodes(cst, "suffix");
  let value = readPrimary(reading, node(cst, "primary"));
  // `f[S](x)` is a call with axes; `(f[S])(x)` calls what the index gives.
  let bare: IndexExpression | undefined;
  for (const suffix of suffixes) {
    const span = cover(value.span, nodeSpan(reading, suffix));
    const args = optionalNode(suffix, "arguments");
    const subscripts = optionalNode(suffix, "subscripts");
    if (args !== undefined) {
      const axes = bare === undefined ? [] : readAxes(reading, bare);
      value = { kind: "call", span, callee: bare?.object ?? value, axes, args: readArguments(reading, args) };
      bare = undefined;
    } else if (subscripts !== undefined) {
      bare = { kind: "index", span, object: value, subscripts: readSubscripts(reading, subscripts) };
      value = bare;
    } else {
      value = { kind: "member", span, object: value, names: readMembers(reading, suffix) };
      bare = undefined;
    }
  }
  return value;
}

function readAxes(reading: Reading, index: IndexExpression): readonly Expression[] {
  return index.subscripts.flatMap((subscript) => {
    if (subscript.kind === "at") return [subscript.value];
    reading.fault("misplaced-part", subscript.span, "a slice is not an axis", {
      hint: "to call what an indexed value gives, put it in parentheses: `(f[a:b])(x)`",
    });
    return [];
  });
}

function readMembers(reading: Reading, suffix: CstNode): readonly Name[] {
  const family = optionalNode(suffix, "family");
  return readNames(reading, family ?? suffix);
}

/** The names of a list, a family or an index. */
export function readNames(reading: Reading, cst: CstNode): readonly Name[] {
  return tokens(cst, "name").map((name) => readName(reading, name));
}

export function readName(reading: Reading, name: IToken): Name {
  return { span: spanOf(reading, name), text: name.image };
}

function readArguments(reading: Reading, cst: CstNode): readonly Argument[] {
  return nodes(cst, "argument").map((argument) => {
    const name = optionalToken(argument, "name");
    return {
      span: nodeSpan(reading, argument),
      name: name === undefined ? undefined : readName(reading, name),
      value: readChosen(reading, node(argument, "chosen")),
    };
  });
}

function readSubscripts(reading: Reading, cst: CstNode): readonly Subscript[] {
  return nodes(cst, "subscript").map((subscript): Subscript => {
    const span = nodeSpan(reading, subscript);
    const [from, to] = [optionalNode(subscript, "from"), optionalNode(subscript, "to")];
    if (optionalToken(subscript, "Colon") === undefined)
      return { kind: "at", span, value: readExpression(reading, node(subscript, "from")) };
    return {
      kind: "slice",
      span,
      from: from && readExpression(reading, from),
      to: to && readExpression(reading, to),
    };
  });
}

function readPrimary(reading: Reading, cst: CstNode): Expression {
  const name = optionalToken(cst, "name");
  if (name !== undefined) {
    const primed = optionalToken(cst, "Prime") !== undefined;
    return { kind: "reference", span: nodeSpan(reading, cst), name: name.image, primed };
  }
  const number = optionalToken(cst, "Number");
  if (number !== undefined) return readNumber(reading, number);
  const text = optionalToken(cst, "String");
  return text === undefined ? readCompound(reading, onlyNode(cst)) : readString(reading, text);
}

function readCompound(reading: Reading, cst: CstNode): Expression {
  const span = nodeSpan(reading, cst);
  const items = () => nodes(cst, "item").map((item) => readExpression(reading, item));
  if (cst.name === "list") return { kind: "list", span, items: items() };
  if (cst.name === "scan") return readScan(reading, cst);
  const [first, ...rest] = items();
  // Parentheses belong to the place of what they hold, so that carets under a sum cover them.
  if (first !== undefined && rest.length === 0 && tokens(cst, "Comma").length === 0) return { ...first, span };
  return { kind: "tuple", span, items: items() };
}

function readScan(reading: Reading, cst: CstNode): Expression {
  const from = optionalNode(cst, "from");
  return {
    kind: "scan",
    span: nodeSpan(reading, cst),
    cell: readPostfix(reading, node(cst, "cell")),
    over: readArithmetic(reading, node(cst, "over")),
    from: from && readArithmetic(reading, from),
    reverse: optionalToken(cst, "Reverse") !== undefined,
  };
}

export function readNumber(reading: Reading, number: IToken): NumberLiteral {
  const span = spanOf(reading, number);
  const read = Number.parseFloat(number.image.replaceAll("_", ""));
  if (!Number.isFinite(read))
    reading.fault("bad-number", span, `\`${number.image}\` is too large for a number`, {
      hint: "infinity is written `inf`",
    });
  return { kind: "number", span, value: Number.isFinite(read) ? read : Number.MAX_VALUE, text: number.image };
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', "\\": "\\", n: "\n", t: "\t" };

export function readString(reading: Reading, text: IToken): StringLiteral {
  const span = spanOf(reading, text);
  const body = text.image.slice(1).replace(/["']$/, "");
  const value = body.replace(/\\(.?)/gs, (written, character: string, at: number) => {
    const meant = ESCAPES[character];
    if (meant !== undefined) return meant;
    const place = reading.span(span.start + 1 + at, span.start + 1 + at + written.length);
    reading.fault("bad-escape", place, `\`${written}\` is not an escape`, {
      hint: 'a string knows `\\"`, `\\\\`, `\\n` and `\\t`',
      fix: { title: "write the backslash twice", edits: [{ span: place, text: `\\${written}` }] },
    });
    return written;
  });
  return { kind: "string", span, value };
}
