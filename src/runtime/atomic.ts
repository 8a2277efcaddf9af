import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DataError } from "./data/error.ts";

/**
 * Writes a file whole or not at all: into `<file>.partial` beside it, which replaces it once it is safely on disk. A run that is killed
 * leaves the file as it was; a partial file that it leaves is overwritten by the next.
 */
export async function writeAtomically(file: string, pieces: readonly Uint8Array[]): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await withFile(partial, "w", async (handle) => {
      for (const piece of pieces) await writeAll(handle, piece);
      await handle.sync();
    });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => {});
    throw new DataError(`it cannot be written: ${error instanceof Error ? error.message : String(error)}`, {
      place: { file },
    });
  }
  await syncFolder(dirname(file));
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length; ) {
    const { bytesWritten } = await handle.write(piece, at, Math.min(piece.length - at, 1 << 30));
    at += bytesWritten;
  }
}

/** Makes the new name last through a power cut. Not every system lets a folder be opened; there the rename must do. */
async function syncFolder(folder: string): Promise<void> {
  await withFile(folder, "r", (handle) => handle.sync()).catch(() => {});
}

async function withFile(path: string, flags: string, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path, flags);
  try {
    await work(handle);
  } finally {
    await handle.close();
  }
}
