/**
 * A function's code in which numbers that have no name of their own (`t`, `t_2`, ...) and are used once stand where they are used. What reads
 * memory or changes stays where it is, and nothing moves into a loop or out of its block.
 */
export function inlineOnce(code: string): string {
  const lines: (string | undefined)[] = code.split("\n");
  const changing = new Set([...code.matchAll(/(?<!for \()\bvar (\w+)/g)].map(([, name]) => name));
  const places = placesOf(lines);
  lines.forEach((line = "", at) => {
    const [, pad = "", name = "", expression = ""] = DEFINITION.exec(line) ?? [];
    const [first, use, ...more] = places.get(name) ?? [];
    if (first !== at || use === undefined || more.length > 0 || !isSteady(expression, changing)) return;
    if (!isReached(lines, at, use, pad.length)) return;
    lines[use] = withInlined(lines[use] ?? "", name, expression);
    lines[at] = undefined;
    for (const [inner] of expression.matchAll(TEMPORARY)) {
      places.set(inner, places.get(inner)?.map((place) => (place === at ? use : place)) ?? []);
    }
  });
  return lines.filter((line) => line !== undefined).join("\n");
}

const DEFINITION = /^( *)let (t(?:_\d+)?) = (.+);$/;
const TEMPORARY = /\bt(?:_\d+)?\b/g;

/** The lines on which each number without a name stands, as often as it does. */
function placesOf(lines: readonly (string | undefined)[]): Map<string, readonly number[]> {
  const places = new Map<string, number[]>();
  lines.forEach((line = "", at) => {
    if (/^ *\/\//.test(line)) return;
    for (const [name] of line.matchAll(TEMPORARY)) {
      const known = places.get(name);
      if (known === undefined) places.set(name, [at]);
      else known.push(at);
    }
  });
  return places;
}

/** Whether an expression is the same a little later: it reads no array, and no variable that changes. */
function isSteady(expression: string, changing: ReadonlySet<string | undefined>): boolean {
  return !expression.includes("[") && [...expression.matchAll(/[A-Za-z_]\w*/g)].every(([name]) => !changing.has(name));
}

/** Whether a line is in the same block as one before it, and computed as often. */
function isReached(lines: readonly (string | undefined)[], from: number, to: number, depth: number): boolean {
  const target = lines[to] ?? "";
  if (indentOf(target) !== depth || /^ *(for|while|})/.test(target)) return false;
  return lines.slice(from + 1, to).every((line) => line === undefined || indentOf(line) >= depth);
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function withInlined(line: string, name: string, expression: string): string {
  const isSimple = /^[\w.$]+$/.test(expression);
  return line.replace(new RegExp(`\\b${name}\\b`), (_, at: number) => {
    const [before, behind] = [line.slice(0, at), line.slice(at + name.length)];
    const isAlone = (before.endsWith("[") && behind.startsWith("]")) || (before.endsWith(" = ") && behind === ";");
    return isSimple || isAlone ? expression : `(${expression})`;
  });
}
