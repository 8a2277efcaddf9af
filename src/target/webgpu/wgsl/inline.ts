import type { Expression, Statement } from "./syntax.ts";
import { mapExpression, mapStatement, visitDeep, visitExpression, visitStatement } from "./walk.ts";

/**
 * Statements in which numbers whose names are `open` and that are used once stand where they are used. What is read is not moved past what
 * writes it, nothing moves into a loop, and names of names and of literals are left out altogether. `intoThreads` are loops in which the
 * threads of a group take turns, which are few: sums of two names may move into them.
 */
export function inlined(
  statements: readonly Statement[],
  isOpen: (name: string) => boolean,
  { intoThreads = false }: { readonly intoThreads?: boolean } = {},
): readonly Statement[] {
  const uses = new Map<string, number>();
  for (const statement of statements)
    visitDeep(statement, (part) => {
      if (part.kind === "word") uses.set(part.text, (uses.get(part.text) ?? 0) + 1);
    });
  const scope: Scope = {
    isOpen,
    intoThreads,
    usesOf: (name) => uses.get(name) ?? 0,
    changing: new Set(variablesOf(statements)),
    wordsOf: remembered(wordsOf),
  };
  return blockOf(scope, statements, new Map());
}

interface Scope {
  readonly intoThreads: boolean;
  readonly isOpen: (name: string) => boolean;
  readonly usesOf: (name: string) => number;
  /** Variables; those of `for` change between turns only. */
  readonly changing: ReadonlySet<string>;
  /** All words of a statement and its body. */
  readonly wordsOf: (statement: Statement) => ReadonlySet<string>;
}

function wordsOf(statement: Statement): ReadonlySet<string> {
  const found = new Set<string>();
  visitDeep(statement, (part) => {
    if (part.kind === "word") found.add(part.text);
  });
  return found;
}

function remembered<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const value = known.get(key) ?? make(key);
    known.set(key, value);
    return value;
  };
}

function variablesOf(statements: readonly Statement[]): readonly string[] {
  return statements.flatMap((statement) => [
    ...(statement.kind === "var" ? [statement.name] : []),
    ...("body" in statement ? variablesOf(statement.body) : []),
  ]);
}

function blockOf(
  scope: Scope,
  statements: readonly Statement[],
  outer: ReadonlyMap<string, Expression>,
): readonly Statement[] {
  const known = new Map(outer);
  const resolved = (expression: Expression): Expression =>
    mapExpression(expression, (part) => (part.kind === "word" ? (known.get(part.text) ?? part) : part));
  return statements.flatMap((original, at): readonly Statement[] => {
    const statement = known.size === 0 ? original : mapStatement(original, resolved);
    if ("body" in statement) return [{ ...statement, body: blockOf(scope, statement.body, known) }];
    if (statement.kind !== "let" || !scope.isOpen(statement.name)) return [statement];
    const { name, value } = statement;
    const uses = scope.usesOf(name);
    if (uses === 0) return [];
    if (!isName(scope, value) && (uses > 1 || !canMove(scope, value, name, statements.slice(at + 1))))
      return [statement];
    known.set(name, value);
    return [];
  });
}

function isName({ changing }: Scope, value: Expression): boolean {
  return value.kind === "word" && !changing.has(value.text);
}

/** What is deeper keeps its name: compilers of shaders have a limit, and so have readers. */
const DEEPEST = 16;

function canMove(scope: Scope, value: Expression, name: string, rest: readonly Statement[]): boolean {
  const reads = readsOf(scope, value);
  if (reads === undefined || depthOf(value) > DEEPEST) return false;
  return isReached(scope, name, { reads, isSum: isSum(value) }, rest);
}

/** Of two names. */
function isSum(value: Expression): boolean {
  return value.kind === "binary" && value.operator === "+" && value.left.kind === "word" && value.right.kind === "word";
}

/** `for (var item = thread; ...` */
function isOfThreads({ intoThreads }: Scope, statement: Statement): boolean {
  if (!intoThreads || statement.kind !== "for" || statement.start.kind !== "var") return false;
  const { value } = statement.start;
  return value?.kind === "word" && value.text === "thread";
}

interface Moved {
  readonly reads: ReadonlySet<string>;
  readonly isSum: boolean;
}

/** Whether a value that is computed before some statements is the same, and computed as often, where they use it. */
function isReached(scope: Scope, name: string, moved: Moved, rest: readonly Statement[]): boolean {
  for (const statement of rest) {
    if (!scope.wordsOf(statement).has(name)) {
      if (isWritten(moved.reads, statement)) return false;
      continue;
    }
    const isLoop = statement.kind === "for" || statement.kind === "while";
    if (isLoop && !(moved.isSum && isOfThreads(scope, statement))) return false;
    return "body" in statement && !isInHead(statement, name) ? isReached(scope, name, moved, statement.body) : true;
  }
  return false;
}

function isInHead(statement: Statement, name: string): boolean {
  let found = false;
  visitStatement(statement, (part) => {
    found ||= part.kind === "word" && part.text === name;
  });
  return found;
}

/** Stands for all memory. */
const MEMORY = "";
/** What no shader writes. */
const CONSTANT: ReadonlySet<string> = new Set(["table", "steps"]);

/** What of that which changes an expression reads; undefined where it must stay, as it hands numbers to other threads. */
function readsOf({ changing }: Scope, value: Expression): ReadonlySet<string> | undefined {
  const found = new Set<string>();
  let isFixed = false;
  visitExpression(value, (part) => {
    if (part.kind === "call" && /^(subgroup|quad)/.test(part.called)) isFixed = true;
    const root = part.kind === "index" ? rootOf(part) : part.kind === "word" ? part.text : "";
    if (changing.has(root)) found.add(root);
    else if (part.kind === "index" && !CONSTANT.has(root)) found.add(MEMORY);
  });
  return isFixed ? undefined : found;
}

function isWritten(reads: ReadonlySet<string>, statement: Statement): boolean {
  if (reads.size === 0) return false;
  if (statement.kind === "call") return true;
  if (statement.kind === "set") {
    const root = rootOf(statement.target);
    return reads.has(root) || (statement.target.kind === "index" && reads.has(MEMORY));
  }
  return "body" in statement && statement.body.some((inner) => isWritten(reads, inner));
}

function rootOf(expression: Expression): string {
  if (expression.kind === "index" || expression.kind === "member") return rootOf(expression.of);
  return expression.kind === "word" ? expression.text : "";
}

function depthOf(expression: Expression): number {
  let most = 0;
  const visit = (part: Expression, depth: number): void => {
    most = Math.max(most, depth);
    if (part.kind === "call") for (const argument of part.args) visit(argument, depth + 1);
    else if (part.kind === "binary") for (const side of [part.left, part.right]) visit(side, depth + 1);
    else if (part.kind !== "word") visit(part.of, depth + 1);
    if (part.kind === "index") visit(part.at, depth + 1);
  };
  visit(expression, 1);
  return most;
}
