import type { Expression, Statement } from "./syntax.ts";
import { mapExpression, mapStatement } from "./walk.ts";

/**
 * Statements with names by where things are: the first of a block is `a`, the next `b`, what a loop counts is `i`, all with how deep
 * the block lies behind them. So what is done alike has the same text. `given` are names that something else has already.
 */
export function renamed(statements: readonly Statement[], given: ReadonlyMap<string, string>): readonly Statement[] {
  return blockOf(statements, given, 0, given.size);
}

function blockOf(
  statements: readonly Statement[],
  outer: ReadonlyMap<string, string>,
  depth: number,
  taken: number,
): readonly Statement[] {
  const names = new Map(outer);
  let count = taken;
  return statements.map((statement) => {
    if (statement.kind === "for" && "name" in statement.start) {
      const inner = new Map([...names, [statement.start.name, `i${depth + 1}`]]);
      const { start, ...head } = withNames(statement, inner);
      return {
        ...head,
        start: { ...start, name: `i${depth + 1}` },
        body: blockOf(statement.body, inner, depth + 1, 0),
      };
    }
    const own = withNames(statement, names);
    if ("body" in own) return { ...own, body: blockOf(own.body, names, depth + 1, 0) };
    if (own.kind !== "let" && own.kind !== "var") return own;
    const name = `${nameOf(count++)}${depth || ""}`;
    names.set(own.name, name);
    return { ...own, name };
  });
}

function withNames<S extends Statement>(statement: S, names: ReadonlyMap<string, string>): S {
  const change = (part: Expression): Expression =>
    part.kind === "word" ? { ...part, text: names.get(part.text) ?? part.text } : part;
  return mapStatement(statement, (expression) => mapExpression(expression, change));
}

/** `a`, `b`, ..., and `a_`, `b_`, ... where these are not enough; none is a word of WGSL. `i` belongs to loops. */
export function nameOf(count: number): string {
  const letters = "abcdefghjklmnopqrstuvwxyz";
  return `${letters[count % letters.length]}${"_".repeat(Math.floor(count / letters.length))}`;
}
