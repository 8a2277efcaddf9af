import type { CstNode } from "chevrotain";
import { node, nodeSpan, nodes, onlyNode, optionalNode, optionalToken, token } from "./cst.ts";
import {
  readArithmetic,
  readChosen,
  readExpression,
  readName,
  readNames,
  readPostfix,
  readString,
} from "./read-expression.ts";
import { readMapping } from "./read-mapping.ts";
import type { Reading } from "./reading.ts";
import type { DataClause, Expression, LoadClause, SplitClause, TrainClause } from "./tree.ts";

/** One clause between the braces of a `train`. */
export function readTrainClause(reading: Reading, cst: CstNode): TrainClause {
  const chosen = onlyNode(cst);
  const reader = READERS[chosen.name];
  if (reader === undefined) throw new Error(`internal: no reader for a clause ${chosen.name}`);
  return reader(reading, chosen);
}

const READERS: Readonly<Record<string, (reading: Reading, cst: CstNode) => TrainClause>> = {
  data: (reading, cst) => ({ ...readSource(reading, node(cst, "source")), span: nodeSpan(reading, cst) }),
  split: readSplit,
  objective: (reading, cst) => {
    const every = optionalNode(cst, "every");
    return {
      kind: "objective",
      span: nodeSpan(reading, cst),
      direction: token(cst, "direction").image === "minimize" ? "minimize" : "maximize",
      value: readExpression(reading, node(cst, "value")),
      on: readParts(reading, optionalNode(cst, "parts")),
      every: every && readArithmetic(reading, every),
    };
  },
  bptt: (reading, cst) => ({ kind: "bptt", span: nodeSpan(reading, cst), length: readNumberPart(reading, cst) }),
  optim: (reading, cst) => ({
    kind: "optim",
    span: nodeSpan(reading, cst),
    optimizer: readExpression(reading, node(cst, "expression")),
    on: readParts(reading, optionalNode(cst, "parts")),
  }),
  clip: (reading, cst) => ({
    kind: "clip",
    span: nodeSpan(reading, cst),
    rule: readExpression(reading, node(cst, "expression")),
  }),
  batch: (reading, cst) => ({
    kind: "batch",
    span: nodeSpan(reading, cst),
    size: readNumberPart(reading, cst),
    unit: optionalToken(cst, "Tokens") === undefined ? "examples" : "tokens",
  }),
  for: (reading, cst) => ({
    kind: "for",
    span: nodeSpan(reading, cst),
    count: readNumberPart(reading, cst),
    unit: readUnit(cst),
  }),
  report: (reading, cst) => ({
    kind: "report",
    span: nodeSpan(reading, cst),
    metrics: nodes(cst, "metric").map((metric) => {
      const name = optionalToken(metric, "name");
      const value = readChosen(reading, node(metric, "value"));
      return { span: nodeSpan(reading, metric), name: name && readName(reading, name), value };
    }),
  }),
  stop: (reading, cst) => ({
    kind: "stop",
    span: nodeSpan(reading, cst),
    metric: readPostfix(reading, node(cst, "metric")),
    patience: readArithmetic(reading, node(cst, "patience")),
    unit: readUnit(cst),
  }),
  save: (reading, cst) => {
    const best = optionalNode(cst, "best");
    return {
      kind: "save",
      span: nodeSpan(reading, cst),
      best: best && readPostfix(reading, best),
      to: readString(reading, token(cst, "String")),
    };
  },
  seed: (reading, cst) => ({ kind: "seed", span: nodeSpan(reading, cst), value: readNumberPart(reading, cst) }),
  load: readLoad,
  freeze: (reading, cst) => {
    const count = optionalNode(cst, "count");
    const unit = optionalToken(cst, "unit")?.image === "step" ? "step" : "epoch";
    return {
      kind: "freeze",
      span: nodeSpan(reading, cst),
      parts: readParts(reading, node(cst, "parts")),
      until: count && { count: readArithmetic(reading, count), unit },
    };
  },
  teacherForcing: (reading, cst) => ({
    kind: "teacher_forcing",
    span: nodeSpan(reading, cst),
    name: readName(reading, token(cst, "name")),
    schedule: readExpression(reading, node(cst, "schedule")),
  }),
  copy: (reading, cst) => ({
    kind: "copy",
    span: nodeSpan(reading, cst),
    from: readPostfix(reading, node(cst, "from")),
    to: readPostfix(reading, node(cst, "to")),
    every: readArithmetic(reading, node(cst, "every")),
    unit: readUnit(cst),
  }),
};

function readNumberPart(reading: Reading, cst: CstNode): Expression {
  return readArithmetic(reading, node(cst, "arithmetic"));
}

function readUnit(cst: CstNode): "epochs" | "steps" {
  return token(node(cst, "unit"), "unit").image.startsWith("epoch") ? "epochs" : "steps";
}

function readParts(reading: Reading, cst: CstNode | undefined): readonly Expression[] {
  return cst === undefined ? [] : nodes(cst, "part").map((part) => readPostfix(reading, part));
}

function readSource(reading: Reading, cst: CstNode): DataClause {
  const where = optionalNode(cst, "where");
  return {
    kind: "data",
    span: nodeSpan(reading, cst),
    names: readNames(reading, node(cst, "names")),
    reader: readExpression(reading, node(cst, "reader")),
    where: where && readExpression(reading, where),
  };
}

function readSplit(reading: Reading, cst: CstNode): SplitClause {
  const role = token(cst, "role").image === "val" ? "val" : "test";
  const span = nodeSpan(reading, cst);
  const source = optionalNode(cst, "source");
  if (source !== undefined)
    return { kind: "split", span, role, rule: { kind: "own", data: readSource(reading, source) } };
  return {
    kind: "split",
    span,
    role,
    rule: {
      kind: "share",
      from: token(cst, "from").image === "last" ? "last" : "random",
      amount: readArithmetic(reading, node(cst, "amount")),
      unit: token(cst, "unit").image === "%" ? "percent" : "rows",
    },
  };
}

function readLoad(reading: Reading, cst: CstNode): LoadClause {
  const [part, layout, mappings] = [
    optionalNode(cst, "part"),
    optionalNode(cst, "layout"),
    optionalNode(cst, "mappings"),
  ];
  const text = optionalToken(cst, "String");
  return {
    kind: "load",
    span: nodeSpan(reading, cst),
    part: part && readPostfix(reading, part),
    from: text === undefined ? readName(reading, token(cst, "name")) : readString(reading, text),
    layout: layout && readPostfix(reading, layout),
    mapping: mappings === undefined ? [] : nodes(mappings, "mapping").map((mapping) => readMapping(reading, mapping)),
  };
}
