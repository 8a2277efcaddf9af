import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";

const PACKAGE = "@sparticuz/chromium";

/** What the browser's package has: archives of many files, and one program. */
export type Archive = "swiftshader.tar.br" | "al2023.tar.br" | "fonts.tar.br" | "chromium.br";

/**
 * The folder with what these archives of the browser's package hold. Unpacked once for each version; processes that do it at the same
 * time do not disturb each other.
 */
export async function unpacked(...archives: readonly Archive[]): Promise<string> {
  const name = archives.map((archive) => archive.replace(/(\.tar)?\.br$/, "")).join("+");
  const source = join(dirname(fileURLToPath(import.meta.resolve(PACKAGE))), "../bin");
  const { version }: { readonly version: string } = JSON.parse(await readFile(join(source, "../package.json"), "utf8"));
  const cache = await cacheFolder();
  const target = join(cache, `${name}-${version}`);
  if (existsSync(target)) return target;
  const unfinished = await mkdtemp(join(cache, `.${name}-`));
  try {
    for (const archive of archives) await unpack(join(source, archive), unfinished);
    // One that was faster leaves a folder with content, which is then as good.
    await rename(unfinished, target).catch((cause: unknown) => {
      if (!existsSync(target)) throw cause;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return target;
}

async function unpack(archive: string, folder: string): Promise<void> {
  const content = createReadStream(archive);
  if (archive.endsWith(".tar.br")) {
    await pipeline(content, createBrotliDecompress(), extract(folder));
    return;
  }
  const program = join(folder, basename(archive, ".br"));
  await pipeline(content, createBrotliDecompress(), createWriteStream(program));
  await chmod(program, 0o755);
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
