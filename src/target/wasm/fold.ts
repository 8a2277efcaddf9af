import { type Code, leaving } from "./encode-code.ts";
import { isList, visitCode } from "./walk-code.ts";

/**
 * Statements in which a value that is needed once stands where it is needed, not in a variable before; what is needed several times stays
 * in a variable where it is first needed. Values have no effects but on variables: moving one over others keeps what it is as long as nothing
 * between writes to memory or to what it reads.
 * @param fixed variables with a value from outside
 */
export function fold(body: readonly Code[], fixed: ReadonlySet<number>): readonly Code[] {
  const counts = new Map<number, { reads: number; writes: number }>();
  for (const code of body)
    visitCode(code, (each) => {
      const { local: use } = each;
      if (use === undefined) return;
      const count = counts.get(use.index) ?? { reads: 0, writes: 0 };
      counts.set(use.index, count);
      if (use.kind === "get") count.reads++;
      else count.writes++;
    });
  const timesRead = (index: number): number => (fixed.has(index) ? MANY : (counts.get(index)?.reads ?? 0));
  const timesSet = (index: number): number => counts.get(index)?.writes ?? 0;
  return foldList(body, { timesRead, timesSet });
}

/** How often variables are used. */
interface Counts {
  timesRead(index: number): number;
  timesSet(index: number): number;
}

/** Callers' variables are not this code's alone. */
const MANY = 2;

function foldList(body: readonly Code[], counts: Counts): readonly Code[] {
  const out: Code[] = [];
  for (const code of body.flatMap(flattened)) {
    let next = foldInside(code, counts);
    const { local: own } = next;
    if (own?.kind === "set" && counts.timesRead(own.index) === 0 && usesOf(next.args).written.size === 0) continue;
    for (let at = isList(next) ? -1 : out.length - 1; at >= 0; at--) {
      const before = out[at];
      const use = before?.local;
      if (before === undefined || use?.kind !== "set") break;
      if (!readsItself(next, use.index)) continue;
      const once = counts.timesRead(use.index) === 1 && counts.timesSet(use.index) === 1;
      const moved = movedInto(next, before, use.index, out.slice(at + 1), once);
      if (moved === undefined) continue;
      next = moved;
      out.splice(at, 1);
    }
    out.push(next);
  }
  return out;
}

/** Sequences are no code of their own. */
function flattened(code: Code): readonly Code[] {
  return code.op.length === 0 && code.head === undefined ? code.args.flatMap(flattened) : [code];
}

function foldInside(code: Code, counts: Counts): Code {
  if (isList(code)) return { ...code, args: foldList(code.args, counts) };
  const hasLists = code.args.some(isList);
  return hasLists ? { ...code, args: code.args.map((arg) => (isList(arg) ? foldInside(arg, counts) : arg)) } : code;
}

/** Whether a statement reads a variable, the statements inside of it aside. */
function readsItself(code: Code, index: number): boolean {
  const { local: use } = code;
  if (use?.kind === "get" && use.index === index) return true;
  return code.args.some((arg) => !isList(arg) && readsItself(arg, index));
}

/** The statement with a variable's value in place of the variable; undefined where that would not be the same. */
function movedInto(
  statement: Code,
  set: Code,
  index: number,
  between: readonly Code[],
  once: boolean,
): Code | undefined {
  const [value] = set.args;
  const operands = statement.args.filter((arg) => !isList(arg));
  const [there, passed] = [usesOf(operands), usesOf(between)];
  if (value === undefined || !there.read.has(index) || there.written.has(index)) return undefined;
  if (passed.read.has(index) || passed.written.has(index)) return undefined;
  const own = usesOf([value]);
  const others = usesOf([...between, ...beforeRead(operands, index)]);
  for (const read of own.read) if (others.written.has(read)) return undefined;
  for (const written of own.written) if (others.read.has(written) || others.written.has(written)) return undefined;
  // Inside of it the variable may be read as well, once it is written.
  const replacement = once ? value : leaving(set, value.type);
  let done = false;
  const replaced = (code: Code): Code => {
    if (done) return code;
    const { local: use } = code;
    if (use?.kind === "get" && use.index === index) {
      done = true;
      return replacement;
    }
    const args = code.args.map((arg) => (isList(arg) ? arg : replaced(arg)));
    return done ? { ...code, args } : code;
  };
  return replaced(statement);
}

/** What of operands is computed before a variable is read. */
function beforeRead(operands: readonly Code[], index: number): readonly Code[] {
  const before: Code[] = [];
  let found = false;
  const visit = (code: Code): void => {
    const inside = before.length;
    for (const arg of code.args) if (!found) visit(arg);
    const { local: use } = code;
    if (!found && use?.kind === "get" && use.index === index) found = true;
    // What is computed as a whole stands for its parts.
    if (!found) before.splice(inside, before.length, code);
  };
  for (const operand of operands) if (!found) visit(operand);
  return before;
}

function usesOf(codes: readonly Code[]): { readonly read: ReadonlySet<number>; readonly written: ReadonlySet<number> } {
  const read = new Set<number>();
  const written = new Set<number>();
  for (const code of codes)
    visitCode(code, (each) => {
      const { local: use } = each;
      if (use?.kind === "get") read.add(use.index);
      else if (use !== undefined) written.add(use.index);
    });
  return { read, written };
}
