import { execFile } from "node:child_process";
import { createReadStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGunzip } from "node:zlib";
import { extract } from "tar-fs";

const ROOT = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

/** What npm has packed, installed in an empty folder. */
export interface Installed {
  /** A user's folder, with `node_modules`. */
  readonly folder: string;
  /** The package's own files, by their paths in it. */
  readonly files: readonly string[];
}

/**
 * Packs the project as `npm publish` does and installs it: the package is unpacked, the packages that it requires are links to the
 * project's own, and what is optional is not there. Nothing is fetched.
 */
export async function installPackage(): Promise<Installed> {
  const folder = mkdtempSync(join(tmpdir(), "seqc-package-"));
  await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT });
  const [tarball = ""] = readdirSync(folder);
  const modules = join(folder, "node_modules");
  const own = join(modules, "seqc");
  const files: string[] = [];
  await pipeline(
    createReadStream(join(folder, tarball)),
    createGunzip(),
    extract(own, {
      map: (header) => {
        const name = header.name.replace(/^package\//, "");
        files.push(name);
        return { ...header, name };
      },
    }),
  );
  for (const name of Object.keys(manifest(own).dependencies)) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  }
  return { folder, files: files.sort() };
}

interface Manifest {
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** What a package says of itself. */
export function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/** The required packages and all that they require, as folders of the project's `node_modules`. */
export function requiredFolders(): readonly string[] {
  const lock: { packages: Readonly<Record<string, { dependencies?: Readonly<Record<string, string>> }>> } = JSON.parse(
    readFileSync(join(ROOT, "package-lock.json"), "utf8"),
  );
  const found = new Set([""]);
  for (const path of found) {
    for (const name of Object.keys(lock.packages[path]?.dependencies ?? {})) {
      const inside = `${path}/node_modules/${name}`.replace(/^\//, "");
      found.add(inside in lock.packages ? inside : `node_modules/${name}`);
    }
  }
  found.delete("");
  return [...found].map((path) => join(ROOT, path));
}
