import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { DataError } from "../runtime/data/error.ts";

/** A file of JSON lines. */
export interface LogFile {
  readonly write: (record: Readonly<Record<string, unknown>>) => void;
  readonly close: () => void;
}

/** Opens a log; a run that goes on appends to it. Without a path nothing is logged. */
export function openLog(path: string | undefined, append: boolean): LogFile {
  if (path === undefined) return { write: () => {}, close: () => {} };
  const file = opened(path, append);
  return {
    // Each line is written at once: a killed run leaves whole lines.
    write: (record) => writeSync(file, `${JSON.stringify(record)}\n`),
    close: () => closeSync(file),
  };
}

function opened(path: string, append: boolean): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, append ? "a" : "w");
  } catch (error) {
    throw new DataError(`it cannot be written: ${error instanceof Error ? error.message : String(error)}`, {
      place: { file: path },
    });
  }
}
