import type { CstNode, IToken } from "chevrotain";
import { node, nodeSpan, nodes, onlyNode, optionalNode, optionalToken, token } from "./cst.ts";
import { spanOf } from "./lex.ts";
import { readChosen, readExpression, readName, readPostfix, readString } from "./read-expression.ts";
import { type Documentation, readItem } from "./read-item.ts";
import { readTrainClause } from "./read-train.ts";
import type { Reading } from "./reading.ts";
import type {
  Declaration,
  DefinitionKind,
  Expect,
  GenerateClause,
  Import,
  Item,
  Parameter,
  TrainClause,
} from "./tree.ts";

/** `declaration`: one of the things that a file consists of. */
export function readDeclaration(reading: Reading, cst: CstNode, documentation: Documentation): Declaration {
  const chosen = onlyNode(cst);
  const reader = READERS[chosen.name];
  if (reader === undefined) throw new Error(`internal: no reader for a declaration ${chosen.name}`);
  return reader(reading, chosen, documentation);
}

type DeclarationReader = (reading: Reading, cst: CstNode, documentation: Documentation) => Declaration;

const READERS: Readonly<Record<string, DeclarationReader>> = {
  import: readImport,
  definition: (reading, cst, documentation) => {
    const span = nodeSpan(reading, cst);
    const parameters = optionalNode(cst, "parameters");
    return {
      kind: "definition",
      span,
      definitionKind: definitionKind(token(cst, "keyword").image),
      name: readName(reading, token(cst, "name")),
      parameters: parameters === undefined ? [] : readParameters(reading, parameters),
      items: readItems(reading, node(cst, "items"), documentation),
      doc: documentation(span.start),
    };
  },
  train: (reading, cst, documentation) => {
    const span = nodeSpan(reading, cst);
    return {
      kind: "train",
      span,
      name: readName(reading, token(cst, "name")),
      model: readPostfix(reading, node(cst, "model")),
      clauses: readTrainClauses(reading, node(cst, "trainClauses")),
      doc: documentation(span.start),
    };
  },
  generate: (reading, cst, documentation) => {
    const span = nodeSpan(reading, cst);
    return {
      kind: "generate",
      span,
      name: readName(reading, token(cst, "name")),
      model: readPostfix(reading, node(cst, "model")),
      clauses: readGenerateClauses(reading, node(cst, "generateClauses")),
      doc: documentation(span.start),
    };
  },
  expect: (reading, cst, documentation) => {
    const span = nodeSpan(reading, cst);
    return {
      kind: "expect",
      span,
      value: readChosen(reading, node(cst, "value")),
      unit: readUnit(reading, optionalToken(cst, "unit")),
      doc: documentation(span.start),
    };
  },
};

function readUnit(reading: Reading, found: IToken | undefined): Expect["unit"] {
  if (found === undefined) return undefined;
  const name = found.image;
  if (name !== "kB" && name !== "MB" && name !== "GB") throw new Error(`internal: ${name} is no unit`);
  return { span: spanOf(reading, found), name };
}

function definitionKind(text: string): DefinitionKind {
  if (text === "cell" || text === "layer" || text === "dist" || text === "model" || text === "layout") return text;
  throw new Error(`internal: ${text} begins no definition`);
}

function readImport(reading: Reading, cst: CstNode): Import {
  return {
    kind: "import",
    span: nodeSpan(reading, cst),
    names: nodes(cst, "imported").map((imported) => {
      const alias = optionalToken(imported, "alias");
      const name = readName(reading, token(imported, "name"));
      return { span: nodeSpan(reading, imported), name, as: alias && readName(reading, alias) };
    }),
    from: readString(reading, token(cst, "String")),
  };
}

function readParameters(reading: Reading, cst: CstNode): readonly Parameter[] {
  return nodes(cst, "parameter").map((parameter) => {
    const value = optionalNode(parameter, "default");
    const name = readName(reading, token(parameter, "name"));
    return { span: nodeSpan(reading, parameter), name, default: value && readExpression(reading, value) };
  });
}

export function readItems(reading: Reading, cst: CstNode, documentation: Documentation): readonly Item[] {
  return nodes(cst, "item").map((item) => readItem(reading, item, documentation));
}

export function readTrainClauses(reading: Reading, cst: CstNode): readonly TrainClause[] {
  return nodes(cst, "trainClause").map((clause) => readTrainClause(reading, clause));
}

export function readGenerateClauses(reading: Reading, cst: CstNode): readonly GenerateClause[] {
  return nodes(cst, "generateClause").map((clause) => readGenerateClause(reading, onlyNode(clause)));
}

function readGenerateClause(reading: Reading, cst: CstNode): GenerateClause {
  const span = nodeSpan(reading, cst);
  const name = optionalToken(cst, "name");
  if (name === undefined) {
    const value = readExpression(reading, node(cst, "expression"));
    return { kind: "option", span, option: generateOption(token(cst, "option").image), value };
  }
  if (cst.name === "set")
    return {
      kind: "set",
      span,
      name: readName(reading, name),
      value: readExpression(reading, node(cst, "expression")),
    };
  const method = optionalNode(cst, "method");
  return {
    kind: "show",
    span,
    name: { span: spanOf(reading, name), text: name.image },
    method: method && readExpression(reading, method),
  };
}

function generateOption(text: string): "prompt" | "max" | "count" | "seed" {
  if (text === "prompt" || text === "max" || text === "count" || text === "seed") return text;
  throw new Error(`internal: ${text} is no option of generate`);
}
