import { readFileSync } from "node:fs";
import {
  Alternation,
  Alternative,
  type IProduction,
  NonTerminal,
  Option,
  Repetition,
  type Rule,
  Terminal,
} from "chevrotain";
import { expect, test } from "vitest";
import { SeqParser } from "../../grammar/parser.ts";
import { CONTEXTUAL, createLexer, RESERVED } from "../../grammar/tokens.ts";
import { binaryOperator, LEVEL } from "../../src/syntax/precedence.ts";
import { DECLARATION_WORDS, GENERATE_WORDS, ITEM_WORDS, TRAIN_WORDS } from "../../src/syntax/words.ts";

const ebnf = readFileSync(new URL("../../grammar/seq.ebnf", import.meta.url), "utf8");
const parser = new SeqParser({ maxLookahead: 1, skipValidations: false });

/** The rules of the grammar for people, with single blanks. */
function written(): Map<string, string> {
  const rules = ebnf
    .replace(/\(\*[\s\S]*?\*\)/g, "")
    .split(/ ;\s*(?:\n|$)/)
    .map((rule) => rule.trim().replace(/\s+/g, " "))
    .filter((rule) => rule !== "")
    .map((rule) => /^(\w+) = (.*)$/.exec(rule)!)
    .map(([, name, body]) => [name!, body!] as const);
  expect(new Set(rules.map(([name]) => name)).size, "a rule is written twice").toBe(rules.length);
  return new Map(rules);
}

/** A rule of the parser, written the same way. */
function print(production: IProduction): string {
  if (production instanceof NonTerminal) return production.nonTerminalName;
  if (production instanceof Terminal) {
    const { name, LABEL } = production.terminalType;
    return ["Identifier", "Number", "String", "Prime"].includes(name) ? name.toUpperCase() : `"${LABEL}"`;
  }
  if (production instanceof Option) return `[ ${sequence(production.definition)} ]`;
  if (production instanceof Repetition) return `{ ${sequence(production.definition)} }`;
  if (production instanceof Alternation) return `( ${alternatives(production)} )`;
  throw new Error(`the test does not know ${production.constructor.name}`);
}

function alternatives(production: Alternation): string {
  return production.definition
    .map((each) => (each instanceof Alternative ? sequence(each.definition) : print(each)))
    .join(" | ");
}

function sequence(definition: readonly IProduction[]): string {
  return definition.map(print).join(" ");
}

function body({ definition }: Rule): string {
  const [only, ...more] = definition;
  return only instanceof Alternation && more.length === 0 ? alternatives(only) : sequence(definition);
}

test("seq.ebnf and the parser are one grammar", () => {
  const rules = Object.entries(parser.getGAstProductions()).map(([name, rule]) => [name, body(rule)] as const);
  expect(Object.fromEntries(written())).toEqual(Object.fromEntries(rules));
});

test("seq.ebnf names every reserved word", () => {
  for (const word of RESERVED) expect(ebnf).toMatch(new RegExp(`Never a name:[^.]*\\b${word}\\b`));
});

test("the lexer's vocabulary is sound", () => {
  expect(createLexer({ validate: true }).lexerDefinitionErrors).toEqual([]);
});

test("every word that begins something is a word of the grammar, and the other way round", () => {
  const known = new Set<string>(CONTEXTUAL);
  for (const word of [...DECLARATION_WORDS, ...ITEM_WORDS, ...TRAIN_WORDS, ...GENERATE_WORDS])
    expect(known).toContain(word);
  const rules = parser.getGAstProductions();
  const first = (name: string): string[] =>
    [...body(rules[name]!).matchAll(/\w+/g)].flatMap(
      ([rule]) => /^\(? ?"(\w+)"(?: \| "(\w+)")*/.exec(body(rules[rule]!))?.[0].match(/\w+/g) ?? [],
    );
  expect(first("item").sort()).toEqual([...ITEM_WORDS].sort());
  expect(first("trainClause").sort()).toEqual([...TRAIN_WORDS].sort());
  expect(first("declaration").sort()).toEqual([...DECLARATION_WORDS].sort());
});

test("every operator of the flat lists has a level", () => {
  for (const rule of ["expression", "arithmetic", "amount"]) {
    const operators = [...body(parser.getGAstProductions()[rule]!).matchAll(/"([^"]+)"/g)].map(([, text]) => text!);
    for (const text of operators) expect(LEVEL[binaryOperator(text)]).toBeGreaterThan(0);
  }
});
