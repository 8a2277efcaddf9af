import type { Callee, CodeOrigin, Define, Expression, Loop, Statement, TensorProgram } from "./program.ts";
import { variablesOf } from "./program.ts";
import { allExpressions, stepResults } from "./statements.ts";

/** An expression with more calls than this is cut into several statements. */
const MAX_CALLS = 8;

/**
 * The same program with fewer variables: what is read once moves into the expression that reads it, what is never read is left
 * out. Names of the source stay.
 */
export function nested(program: TensorProgram): TensorProgram {
  const ends = program.results.map((result) => result.value);
  const kept = withoutDead(program.statements, ends);
  const counts = new Map<string, number>();
  for (const name of [...kept.flatMap(allExpressions), ...ends].flatMap(variablesOf))
    counts.set(name, (counts.get(name) ?? 0) + 1);
  const block = nestBlock(kept, ends, counts);
  return {
    ...program,
    statements: block.statements,
    results: program.results.map((result, at) => ({ ...result, value: block.ends[at] ?? result.value })),
  };
}

function withoutDead(statements: readonly Statement[], ends: readonly Expression[]): readonly Statement[] {
  const live = new Set(ends.flatMap(variablesOf));
  const kept: Statement[] = [];
  for (const statement of [...statements].reverse()) {
    if (statement.kind === "define" && !live.has(statement.name)) continue;
    const next = statement.kind === "loop" ? liveLoop(statement, live) : statement;
    for (const name of allExpressions(next).flatMap(variablesOf)) live.add(name);
    kept.push(next);
  }
  return kept.reverse();
}

function liveLoop(loop: Loop, live: ReadonlySet<string>): Loop {
  const trimmed = { ...loop, collected: loop.collected.filter((one) => live.has(one.name)) };
  return { ...trimmed, body: withoutDead(loop.body, stepResults(trimmed)) };
}

interface Block {
  readonly statements: readonly Statement[];
  readonly ends: readonly Expression[];
}

/** Nests one block; `ends` are what it gives away. */
function nestBlock(
  statements: readonly Statement[],
  ends: readonly Expression[],
  counts: ReadonlyMap<string, number>,
): Block {
  const waiting = new Map<string, Define>();
  const out: Statement[] = [];
  const put = (expression: Expression, origin: CodeOrigin | undefined, budget: number): Expression =>
    substitute(expression, (name) => {
      const define = waiting.get(name);
      if (define === undefined) return undefined;
      waiting.delete(name);
      if (fits(define, origin) && callCount(define.value) <= budget) return define.value;
      out.push({ ...define });
      return undefined;
    });
  for (const statement of statements) {
    if (statement.kind === "define") {
      const value = put(statement.value, statement.origin, MAX_CALLS - 1);
      if (statement.temporary && counts.get(statement.name) === 1) waiting.set(statement.name, { ...statement, value });
      else out.push({ ...statement, value });
    } else if (statement.kind === "loop") {
      const carries = statement.carries.map((carry) => ({
        ...carry,
        start: put(carry.start, statement.origin, MAX_CALLS),
      }));
      const inside = new Set(
        [...statement.body.flatMap(allExpressions), ...stepResults(statement)].flatMap(variablesOf),
      );
      for (const [name, define] of waiting) {
        if (!inside.has(name)) continue;
        waiting.delete(name);
        out.push(define);
      }
      const results = [...carries.map((carry) => carry.next), ...statement.collected.map((one) => one.value)];
      const body = nestBlock(statement.body, results, counts);
      out.push({
        ...statement,
        carries: carries.map((carry, at) => ({ ...carry, next: body.ends[at] ?? carry.next })),
        collected: statement.collected.map((one, at) => ({
          ...one,
          value: body.ends[carries.length + at] ?? one.value,
        })),
        body: body.statements,
      });
    } else {
      out.push(statement);
    }
  }
  const last = ends.map((end) => put(end, undefined, MAX_CALLS));
  for (const define of waiting.values()) out.push(define);
  return { statements: out, ends: last };
}

const SHAPE_CALLS: ReadonlySet<Callee["name"]> = new Set<Callee["name"]>([
  "reshape",
  "transpose",
  "scalar",
  "cast",
  "toFloat",
  "range",
  "fill",
  "broadcastTo",
  "gather",
]);

/** Other equations' values keep their line; changes of shape belong to whoever asks for them. */
function fits(define: Define, origin: CodeOrigin | undefined): boolean {
  if (define.value.kind !== "call") return true;
  const isShape = SHAPE_CALLS.has(define.value.callee.name);
  return (
    isShape ||
    origin === undefined ||
    define.origin === undefined ||
    (define.origin.name === origin.name && define.origin.gradient === origin.gradient)
  );
}

/** Puts expressions in the place of variables; a copy of a value made on the spot is the value. */
function substitute(expression: Expression, replacement: (name: string) => Expression | undefined): Expression {
  if (expression.kind === "variable") return replacement(expression.name) ?? expression;
  if (expression.kind === "list")
    return { ...expression, items: expression.items.map((item) => substitute(item, replacement)) };
  if (expression.kind !== "call") return expression;
  const args = expression.args.map((arg) => substitute(arg, replacement));
  const [first] = args;
  if (expression.callee.name === "clone" && first?.kind === "call") return first;
  return { ...expression, args };
}

export function callCount(expression: Expression): number {
  if (expression.kind === "call") return 1 + expression.args.reduce((sum, arg) => sum + callCount(arg), 0);
  return expression.kind === "list" ? expression.items.reduce((sum, item) => sum + callCount(item), 0) : 0;
}
