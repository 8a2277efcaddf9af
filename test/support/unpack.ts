import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";

const PACKAGE = "@sparticuz/chromium";

/**
 * The folder with the unpacked content of an archive of the browser's package (`swiftshader.tar.br`), or with its unpacked program
 * (`chromium.br`). Unpacked once for each version; processes that do it at the same time do not disturb each other.
 */
export async function unpacked(archive: `${string}.br`): Promise<string> {
  const source = join(dirname(fileURLToPath(import.meta.resolve(PACKAGE))), "../bin", archive);
  const { version }: { readonly version: string } = JSON.parse(
    await readFile(join(source, "../../package.json"), "utf8"),
  );
  const name = archive.replace(/(\.tar)?\.br$/, "");
  const cache = await cacheFolder();
  const target = join(cache, `${name}-${version}`);
  if (existsSync(target)) return target;
  const unfinished = await mkdtemp(join(cache, `.${name}-`));
  try {
    await unpack(source, archive.endsWith(".tar.br") ? undefined : name, unfinished);
    // One that was faster leaves a folder with content, which is then as good.
    await rename(unfinished, target).catch((cause: unknown) => {
      if (!existsSync(target)) throw cause;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return target;
}

/** Unpacks an archive of many files, or one file of that name that can be run. */
async function unpack(source: string, file: string | undefined, folder: string): Promise<void> {
  const content = createReadStream(source);
  if (file === undefined) {
    await pipeline(content, createBrotliDecompress(), extract(folder));
    return;
  }
  await pipeline(content, createBrotliDecompress(), createWriteStream(join(folder, file)));
  await chmod(join(folder, file), 0o755);
}

/** Below node_modules, where one can write there. */
async function cacheFolder(): Promise<string> {
  const wanted = [resolve(import.meta.dirname, "../../node_modules/.cache/seqc"), join(tmpdir(), "seqc-cache")];
  for (const folder of wanted) {
    if (
      await mkdir(folder, { recursive: true }).then(
        () => true,
        () => false,
      )
    )
      return folder;
  }
  throw new Error(`no folder to unpack ${PACKAGE} in: tried ${wanted.join(" and ")}`);
}
