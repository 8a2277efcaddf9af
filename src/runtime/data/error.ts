import type { Span } from "../../base/span.ts";
import { HintedError } from "../hinted-error.ts";

/** Where something stands in a data file. Lines, columns and rows count from 1. */
export interface Place {
  readonly file: string;
  readonly line?: number;
  /** Character of the line. */
  readonly column?: number;
  /** Row of a file without lines of its own, as a JSON array. */
  readonly row?: number;
  /** The table's column. */
  readonly field?: string;
  /** Offset in a binary file. */
  readonly byte?: number;
}

/** Wrong data: says where in the file and, once known, where in the `.seq` file that asked for it. */
export class DataError extends HintedError {
  override readonly name = "DataError";
  readonly place: Place | undefined;
  /** The expression of the `.seq` file that was being read. */
  readonly span: Span | undefined;

  constructor(reason: string, at: { place?: Place | undefined; hint?: string | undefined; span?: Span | undefined }) {
    super(reason, at.hint, at.place === undefined ? "" : `${placeText(at.place)}: `);
    this.place = at.place;
    this.span = at.span;
  }

  get file(): string | undefined {
    return this.place?.file;
  }

  get line(): number | undefined {
    return this.place?.line;
  }

  get column(): number | undefined {
    return this.place?.column;
  }
}

/** `births.csv:17:3, column "births"` */
export function placeText(place: Place): string {
  const line = place.line === undefined ? "" : `:${place.line}`;
  const column = place.line === undefined || place.column === undefined ? "" : `:${place.column}`;
  const row = place.row === undefined ? "" : `, row ${place.row}`;
  const byte = place.byte === undefined ? "" : `, byte ${place.byte}`;
  const field = place.field === undefined ? "" : `, column ${JSON.stringify(place.field)}`;
  return `${place.file}${line}${column}${row}${byte}${field}`;
}

/** Runs `work`; a `DataError` from it that knows no place in the `.seq` file gets `span`. */
export async function withSpan<T>(span: Span, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DataError) || error.span !== undefined) throw error;
    throw new DataError(error.reason, { place: error.place, hint: error.hint, span });
  }
}

/** `"a"`, `"a" and "b"`, `"a", "b" and 3 more` */
export function listed(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).map((name) => JSON.stringify(name));
  if (names.length > most) return `${shown.join(", ")} and ${names.length - most} more`;
  return shown.length < 2 ? shown.join("") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
