import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { DataError } from "./error.ts";

/** The bytes of a file, a `.gz` file unpacked. */
export async function* readBytes(file: string): AsyncGenerator<Buffer> {
  // Before the file is opened, whose faults need somebody who listens.
  const unpacked = file.endsWith(".gz") ? (await import("node:zlib")).createGunzip() : undefined;
  const raw = createReadStream(file, { highWaterMark: 1 << 18 });
  const stream = unpacked === undefined ? raw : raw.pipe(unpacked);
  // A fault of the file itself does not pass through the pipe.
  if (stream !== raw) raw.on("error", (error) => stream.destroy(error));
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    throw new DataError(error instanceof Error ? `it cannot be read: ${error.message}` : "it cannot be read", {
      place: { file },
    });
  }
}

/** The text of a file, piece by piece; a byte order mark is dropped. Fails on an empty file, and on bytes that are not UTF-8. */
export async function* readText(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 1;
  let empty = true;
  for await (const chunk of readBytes(file)) {
    const text = decoded(decoder, chunk, true);
    if (text === undefined) throw notUtf8(file, line, chunk);
    if (text !== "") yield text;
    empty &&= text === "";
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) line++;
  }
  if (decoded(decoder, new Uint8Array(0), false) === undefined) throw notUtf8(file, line, Buffer.alloc(0));
  if (empty) throw new DataError("the file is empty", { place: { file } });
}

/** The lines of a file without their line breaks, with their numbers from 1. */
export async function* readLines(file: string): AsyncGenerator<{ readonly text: string; readonly line: number }> {
  let line = 1;
  let open = "";
  for await (const text of readText(file)) {
    const parts = (open + text).split("\n");
    open = parts.pop()!;
    for (const part of parts) yield { text: part.endsWith("\r") ? part.slice(0, -1) : part, line: line++ };
  }
  if (open !== "") yield { text: open, line };
}

function decoded(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): string | undefined {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    return undefined;
  }
}

/** `chunk` begins in line `first`, possibly inside a character. */
function notUtf8(file: string, first: number, chunk: Buffer): DataError {
  let from = 0;
  while (from < 3 && (chunk[from] ?? 0) >> 6 === 0b10) from++;
  let line = first;
  for (let to = chunk.indexOf(10, from); to >= 0 && isUtf8(chunk.subarray(from, to)); to = chunk.indexOf(10, from)) {
    from = to + 1;
    line++;
  }
  return new DataError("the text is not UTF-8", {
    place: { file, line: isUtf8(chunk.subarray(from)) ? first : line },
    hint: `convert it, as with: iconv -f latin1 -t utf-8 ${file.split("/").at(-1)}`,
  });
}
