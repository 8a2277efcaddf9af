import { inlined } from "../../target/webgpu/wgsl/inline.ts";
import { readStatements } from "../../target/webgpu/wgsl/read.ts";
import { nameOf, renamed } from "../../target/webgpu/wgsl/rename.ts";
import type { Expression, Statement } from "../../target/webgpu/wgsl/syntax.ts";
import { mapDeep, visitDeep } from "../../target/webgpu/wgsl/walk.ts";
import { writeStatements } from "../../target/webgpu/wgsl/write.ts";

/** A stage's body as short as it can still be read: what is computed alike has the same text. */
export interface StageText {
  readonly code: string;
  /** The cells of the table that it reads: `N0`, `N1`, ... in the code. */
  readonly cells: readonly number[];
}

export function stageText(code: string): StageText {
  const statements = readStatements(code).map((statement) => mapDeep(statement, cellAsWord));
  const short = renamed(
    inlined(withoutComments(statements), () => true, { intoThreads: true }),
    new Map(),
  );
  const words = cellsOf(short);
  const numbered = short.map((statement) =>
    mapDeep(statement, (part) =>
      part.kind === "word" && CELL.test(part.text) ? { kind: "word", text: `N${words.indexOf(part.text)}` } : part,
    ),
  );
  return { code: written(numbered), cells: words.map((word) => Number(CELL.exec(word)?.[1])) };
}

function cellsOf(statements: readonly Statement[]): readonly string[] {
  const found = new Set<string>();
  for (const statement of statements)
    visitDeep(statement, (part) => {
      if (part.kind === "word" && CELL.test(part.text)) found.add(part.text);
    });
  return [...found];
}

const CELL = /^table_(\d+)$/;

/** `table[1].y` as `table_5`. */
function cellAsWord(part: Expression): Expression {
  if (part.kind !== "member" || part.of.kind !== "index") return part;
  const { of, at } = part.of;
  if (of.kind !== "word" || of.text !== "table" || at.kind !== "word") return part;
  return { kind: "word", text: `table_${4 * Number(at.text) + "xyzw".indexOf(part.name)}` };
}

/** Functions of the library, their parameters and what they compute renamed. */
export function functionText(text: string): string {
  return text.replace(FUNCTION, (_, name: string, parameters: string, type: string, body: string) => {
    const given = parameters === "" ? [] : parameters.split(", ").map((one) => one.split(": "));
    const names = new Map(given.map(([own = ""], at) => [own, nameOf(at)]));
    const list = given.map(([, of], at) => `${nameOf(at)}: ${of}`).join(", ");
    const statements = renamed(
      inlined(withoutComments(readStatements(body)), () => true, { intoThreads: true }),
      names,
    );
    return `fn ${name}(${list}) -> ${type} {\n${written(statements)}\n}`;
  });
}

const FUNCTION = /^fn (\w+)\((.*)\) -> (\w+) \{\n([\s\S]*?)\n\}$/gm;

function written(statements: readonly Statement[]): string {
  return writeStatements(statements, { step: " ", space: "" });
}

function withoutComments(statements: readonly Statement[]): readonly Statement[] {
  return statements.flatMap((statement) => {
    if (statement.kind === "comment") return [];
    return ["body" in statement ? { ...statement, body: withoutComments(statement.body) } : statement];
  });
}
