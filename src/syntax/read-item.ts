import type { CstNode } from "chevrotain";
import { node, nodeSpan, nodes, onlyNode, optionalNode, optionalToken, token, tokens } from "./cst.ts";
import { readArithmetic, readExpression, readName, readNames, readPostfix } from "./read-expression.ts";
import { readMapping } from "./read-mapping.ts";
import type { Reading } from "./reading.ts";
import type {
  AxisExpression,
  Drawn,
  Equation,
  Index,
  Item,
  Name,
  ParamDeclarator,
  Target,
  Typed,
  TypeExpression,
  Use,
} from "./tree.ts";

/** What every `///` above a line says; see `documentation`. */
export type Documentation = (start: number) => string | undefined;

/** One item between a definition's braces. */
export function readItem(reading: Reading, cst: CstNode, documentation: Documentation): Item {
  const chosen = onlyNode(cst);
  const reader = READERS[chosen.name];
  if (reader === undefined) throw new Error(`internal: no reader for an item ${chosen.name}`);
  return reader(reading, chosen, documentation);
}

type ItemReader = (reading: Reading, cst: CstNode, documentation: Documentation) => Item;

const READERS: Readonly<Record<string, ItemReader>> = {
  time: (reading, cst) => ({
    kind: "time",
    span: nodeSpan(reading, cst),
    names: readNames(reading, node(cst, "names")),
  }),
  in: (reading, cst) => ({
    kind: "in",
    span: nodeSpan(reading, cst),
    names: nodes(cst, "inDeclarator").map((declarator) => {
      const value = optionalNode(declarator, "default");
      const typed = readTyped(reading, node(declarator, "typed"));
      return { ...typed, span: nodeSpan(reading, declarator), default: value && readExpression(reading, value) };
    }),
  }),
  of: (reading, cst) => ({ kind: "of", span: nodeSpan(reading, cst), names: readTypedList(reading, cst) }),
  state: (reading, cst) => ({
    kind: "state",
    span: nodeSpan(reading, cst),
    names: nodes(cst, "stateDeclarator").map((declarator) => {
      const start = optionalNode(declarator, "start");
      const typed = readTyped(reading, node(declarator, "typed"));
      return { ...typed, span: nodeSpan(reading, declarator), start: start && readExpression(reading, start) };
    }),
  }),
  param: (reading, cst) => ({
    kind: "param",
    span: nodeSpan(reading, cst),
    declarators: nodes(cst, "paramDeclarator").map((declarator) => readParam(reading, declarator)),
  }),
  noise: (reading, cst) => ({
    kind: "noise",
    span: nodeSpan(reading, cst),
    names: nodes(cst, "drawn").map((drawn) => withoutPrior(reading, readDrawn(reading, drawn))),
  }),
  latent: (reading, cst) => ({
    kind: "latent",
    span: nodeSpan(reading, cst),
    names: nodes(cst, "drawn").map((drawn) => readDrawn(reading, drawn)),
  }),
  use: (reading, cst) => ({
    kind: "use",
    span: nodeSpan(reading, cst),
    uses: nodes(cst, "useDeclarator").map((declarator) => readUse(reading, declarator)),
  }),
  tie: (reading, cst) => ({
    kind: "tie",
    span: nodeSpan(reading, cst),
    left: readPostfix(reading, node(cst, "left")),
    right: readExpression(reading, node(cst, "right")),
  }),
  equation: readEquation,
  emit: (reading, cst) => {
    const [type, until] = [optionalNode(cst, "type"), optionalNode(cst, "until")];
    return {
      kind: "emit",
      span: nodeSpan(reading, cst),
      name: readName(reading, token(cst, "name")),
      indices: readIndices(reading, optionalNode(cst, "indices")),
      type: type && readType(reading, type),
      dist: readExpression(reading, node(cst, "dist")),
      until: until && readExpression(reading, until),
    };
  },
  out: (reading, cst) => ({
    kind: "out",
    span: nodeSpan(reading, cst),
    values: nodes(cst, "value").map((value) => readExpression(reading, value)),
  }),
  mapping: readMapping,
};

function readTypedList(reading: Reading, cst: CstNode): readonly Typed[] {
  return nodes(cst, "typed").map((typed) => readTyped(reading, typed));
}

function readTyped(reading: Reading, cst: CstNode): Typed {
  return {
    span: nodeSpan(reading, cst),
    name: readName(reading, token(cst, "name")),
    type: readType(reading, node(cst, "type")),
  };
}

function readType(reading: Reading, cst: CstNode): TypeExpression {
  const vocabulary = optionalNode(cst, "vocabulary");
  const axes = optionalNode(cst, "axes");
  return {
    span: nodeSpan(reading, cst),
    base: vocabulary !== undefined ? "tok" : optionalToken(cst, "Bool") !== undefined ? "bool" : "float",
    vocabulary: vocabulary && readExpression(reading, vocabulary),
    axes: axes && nodes(axes, "axis").map((axis) => readAxis(reading, axis)),
  };
}

function readAxis(reading: Reading, cst: CstNode): AxisExpression {
  const label = optionalToken(cst, "label");
  return {
    span: nodeSpan(reading, cst),
    label: label && readName(reading, label),
    size: readExpression(reading, node(cst, "size")),
  };
}

function readParam(reading: Reading, cst: CstNode): ParamDeclarator {
  const [family, member, init] = [optionalNode(cst, "family"), optionalToken(cst, "member"), optionalNode(cst, "init")];
  return {
    span: nodeSpan(reading, cst),
    name: readName(reading, token(cst, "name")),
    members: family !== undefined ? readNames(reading, family) : member && [readName(reading, member)],
    type: readType(reading, node(cst, "type")),
    init: init && readArithmetic(reading, init),
  };
}

function readDrawn(reading: Reading, cst: CstNode): Drawn {
  const prior = optionalNode(cst, "prior");
  return {
    span: nodeSpan(reading, cst),
    name: readName(reading, token(cst, "name")),
    indices: readIndices(reading, optionalNode(cst, "indices")),
    type: readType(reading, node(cst, "type")),
    dist: readExpression(reading, node(cst, "dist")),
    prior: prior && readExpression(reading, prior),
  };
}

function withoutPrior(reading: Reading, drawn: Drawn): Drawn {
  if (drawn.prior === undefined) return drawn;
  reading.fault("misplaced-part", drawn.prior.span, "noise has no prior: it is drawn from what stands behind `~`", {
    hint: "write `latent` for a value that is inferred",
  });
  return { ...drawn, prior: undefined };
}

function readIndices(reading: Reading, cst: CstNode | undefined): readonly Index[] {
  return cst === undefined ? [] : nodes(cst, "index").map((index) => readIndex(reading, index));
}

function readIndex(reading: Reading, cst: CstNode): Index {
  const [range, offset] = [optionalNode(cst, "range"), optionalToken(cst, "offset")];
  const read = offset === undefined ? 0 : Number(offset.image.replaceAll("_", ""));
  const span = nodeSpan(reading, cst);
  if (!Number.isSafeInteger(read))
    reading.fault("bad-number", span, "an index moves by whole steps", { hint: "write `t+1`" });
  const size = Number.isSafeInteger(read) ? read : 0;
  return {
    span,
    name: readName(reading, token(cst, "name")),
    range: range && readExpression(reading, range),
    offset: size === 0 || optionalToken(cst, "Minus") === undefined ? size : -size,
  };
}

function readUse(reading: Reading, cst: CstNode): Use {
  const repeat = optionalNode(cst, "repeat");
  return {
    span: nodeSpan(reading, cst),
    name: readName(reading, token(cst, "name")),
    repeat: repeat && readRepeat(reading, repeat),
    of: readExpression(reading, node(cst, "of")),
  };
}

function readRepeat(reading: Reading, cst: CstNode): Use["repeat"] {
  const index = optionalToken(cst, "index");
  return {
    span: nodeSpan(reading, cst),
    share: token(cst, "keyword").image === "share",
    index: index && readName(reading, index),
    count: readArithmetic(reading, node(cst, "count")),
  };
}

function readEquation(reading: Reading, cst: CstNode, documentation: Documentation): Equation {
  const span = nodeSpan(reading, cst);
  return {
    kind: "equation",
    span,
    targets: nodes(cst, "target").map((target) => readTarget(reading, target)),
    value: readExpression(reading, node(cst, "value")),
    doc: documentation(span.start),
  };
}

function readTarget(reading: Reading, cst: CstNode): Target {
  const name: Name = readName(reading, token(cst, "name"));
  return {
    span: nodeSpan(reading, cst),
    name,
    primed: tokens(cst, "Prime").length > 0,
    indices: readIndices(reading, optionalNode(cst, "indices")),
  };
}
