import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { DataError } from "../runtime/data/error.ts";

/** A file of JSON lines. */
export interface LogFile {
  readonly write: (record: Readonly<Record<string, unknown>>) => void;
  readonly close: () => void;
}

/** Opens a log. A run that goes on after `step` keeps the lines up to there; without a path nothing is logged. */
export function openLog(path: string | undefined, step: number): LogFile {
  if (path === undefined) return { write: () => {}, close: () => {} };
  const kept = step > 0 && existsSync(path) ? linesUpTo(readFileSync(path, "utf8"), step) : [];
  const file = opened(path);
  for (const line of kept) writeSync(file, `${line}\n`);
  return {
    // Each line is written at once: a killed run leaves whole lines.
    write: (record) => writeSync(file, `${JSON.stringify(record)}\n`),
    close: () => closeSync(file),
  };
}

/** A killed run has logged steps that its last checkpoint does not know: they come again. */
function linesUpTo(text: string, step: number): readonly string[] {
  return text.split("\n").filter((line) => {
    const [, logged] = /^\{"step":(\d+),/.exec(line) ?? [];
    return logged !== undefined && Number(logged) <= step;
  });
}

function opened(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "w");
  } catch (error) {
    throw new DataError(`it cannot be written: ${error instanceof Error ? error.message : String(error)}`, {
      place: { file: path },
    });
  }
}
