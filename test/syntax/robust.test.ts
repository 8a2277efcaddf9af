import { expect, test } from "vitest";
import { renderDiagnostic } from "../../src/base/render.ts";
import { format } from "../../src/syntax/format.ts";
import { read } from "./read.ts";

const size = 50_000;

/** Texts that a careless reader would recurse over, or go through again and again. */
const hostile: Readonly<Record<string, string>> = {
  "open brackets": "[".repeat(size),
  "open parentheses in an item": `cell A { x = ${"(".repeat(size)}`,
  "all kinds of open brackets": "([{".repeat(size),
  "closed brackets": ")".repeat(size),
  "open braces": "{".repeat(size),
  signs: `cell A { x = ${"-".repeat(size)}1 }`,
  nots: `cell A { x = ${"not ".repeat(size)}1 }`,
  sums: `cell A { x = 1${"+1".repeat(size)} }`,
  powers: `cell A { x = 1${"**1".repeat(size)} }`,
  elses: `cell A { x = a${" else a".repeat(size)} }`,
  members: `cell A { x = a${".b".repeat(size)} }`,
  indices: `cell A { x = a${"[1]".repeat(size)} }`,
  scans: `cell A { x = ${"scan a over ".repeat(size)}b }`,
  "a long string": `cell A { x = "${"a".repeat(size)}`,
  quotes: '"'.repeat(size),
  backslashes: `"${"\\".repeat(size)}`,
  "a long comment of another language": `/*${"*".repeat(size)}`,
  "comments of another language": "/* x ".repeat(size),
  "names in one line": "a ".repeat(size),
  "names in lines": "a\n".repeat(size),
  "open brackets in lines": `cell A {\n${"a[\n".repeat(size)}`,
  "broken equations": `cell A {\n${"a = = b\n".repeat(size)}`,
  "unclosed cells": "cell A {\n".repeat(size),
  "targets without end": `cell A { x${",x".repeat(size)} }`,
  primes: "'".repeat(size),
  semicolons: ";\n".repeat(size),
  pictures: "😀".repeat(size),
  "not text": "\uFFFD".repeat(size),
  "halves of characters": "\uD800".repeat(size),
  zeros: "\0".repeat(size),
  control: "\u0001\u001b".repeat(size),
};

test.for(Object.entries(hostile))("%s: named, and without an overflow", ([, text]) => {
  const { tree, diagnostics } = read(text);
  expect(diagnostics.length).toBeGreaterThan(0);
  expect(diagnostics.length).toBeLessThanOrEqual(101);
  expect(tree.unread.length).toBeGreaterThan(0);
  for (const each of diagnostics.slice(0, 5))
    expect(renderDiagnostic(each, new Map([["a.seq", text]])).length).toBeLessThan(3000);
});

/** As deep as is allowed: read and printed without an overflow. */
const deep: Readonly<Record<string, string>> = {
  parentheses: `cell A { x = ${"f(".repeat(60)}1${")".repeat(60)} }`,
  lists: `cell A { x = ${"[".repeat(60)}1${"]".repeat(60)} }`,
  "signs and parentheses": `cell A { x = ${"-(a + ".repeat(60)}1${")".repeat(60)} }`,
  sums: `cell A { x = 1${" + 1".repeat(450)} }`,
  powers: `cell A { x = 1${"**1".repeat(450)} }`,
  signs: `cell A { x = ${"-".repeat(450)}1 }`,
  elses: `cell A { x = a${" else a".repeat(450)} }`,
  members: `cell A { x = a${".b".repeat(450)} }`,
  scans: `cell A { x = ${"scan a over ".repeat(40)}b }`,
  "a long list": `cell A { x = [${"1, ".repeat(5000)}] }`,
  "many equations": `cell A {\n${"x = a + b\n".repeat(5000)}}`,
};

test.for(Object.entries(deep))("%s: read", ([, text]) => {
  const { tree, diagnostics } = read(text);
  expect(diagnostics).toEqual([]);
  expect(read(format(tree, text)).diagnostics).toEqual([]);
});

test("a byte order mark and line ends of all kinds are blanks", () => {
  expect(read("\uFEFFcell A {\r\n  x = 1\r  out x\n}").diagnostics).toEqual([]);
});
