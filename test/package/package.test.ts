import { execFile } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Installed, installPackage, manifest, requiredFolders } from "./installed.ts";

/** What users of the package may have to download at most. */
const MOST_BYTES = 40e6;

describe("the package, installed in an empty folder", () => {
  let installed: Installed;
  beforeAll(async () => {
    installed = await installPackage();
  });
  afterAll(() => rmSync(installed.folder, { recursive: true, force: true }));

  const own = (...path: readonly string[]): string => join(installed.folder, "node_modules/seqc", ...path);
  const node = (...args: readonly string[]): Promise<Ended> => ended(process.execPath, installed.folder, ...args);
  const command = (): string => own(manifest(own()).bin.seqc ?? "");
  const seqc = (...args: readonly string[]): Promise<Ended> => node(command(), ...args);

  test("has what users need, and nothing of the project's making", () => {
    const kinds = installed.files.map((name) => name.replace(/^dist\/types\/.*\.d\.ts$/, "dist/types/*.d.ts"));
    const others = kinds.filter((name) => !/^dist\/[\w-]+\.js$|^models\/std\/\w+\.seq$/.test(name));
    expect([...new Set(others)]).toEqual([
      "LICENSE",
      "README.md",
      "bin/fresh.js",
      "bin/seqc.js",
      "dist/THIRD-PARTY-LICENSES.txt",
      "dist/types/*.d.ts",
      "grammar/seq.ebnf",
      "package.json",
    ]);
    expect(readFileSync(own("dist/THIRD-PARTY-LICENSES.txt"), "utf8")).toMatch(/^chevrotain \d.*Apache License/ms);
  });

  test("tells of every package that it installs, asks for or has built in", () => {
    const docs = readFileSync(join(import.meta.dirname, "../../docs/dependencies.md"), "utf8");
    const { dependencies, peerDependencies, devDependencies } = manifest(own());
    const licenses = readFileSync(own("dist/THIRD-PARTY-LICENSES.txt"), "utf8");
    const builtIn = Object.keys(devDependencies).filter((name) =>
      licenses.includes(`${name} ${devDependencies[name]}\n`),
    );
    expect(builtIn).toContain("chevrotain");
    const names = [...Object.keys({ ...dependencies, ...peerDependencies }), ...builtIn];
    // `@tensorflow/tfjs-backend-cpu`, `-wasm`, `-webgpu` stand in one row.
    const row = (name: string): string => `| \`${name.replace(/-backend-(wasm|webgpu)$/, "-backend-cpu")}\``;
    expect(names.filter((name) => !docs.includes(row(name)))).toEqual([]);
  });

  test("gives pages nothing of Node", () => {
    const loaded = new Set(["index.js"]);
    const foreign: string[] = [];
    for (const file of loaded) {
      const text = readFileSync(own("dist", file), "utf8");
      for (const [, path = ""] of text.matchAll(/^(?:import|export)\b[^;]*?"([^"]+)";$/gm)) {
        if (path.startsWith("./")) loaded.add(path.slice(2));
        else foreign.push(`${file} imports ${path}`);
      }
    }
    expect(loaded.size).toBeGreaterThan(10);
    expect(foreign).toEqual([]);
  });

  test("takes at most 40 MB, with all that it requires", () => {
    expect([own(), ...requiredFolders()].reduce((sum, folder) => sum + bytesOf(folder), 0)).toBeLessThan(MOST_BYTES);
  });

  // `NODE_22=PATH npm test` tries a Node 22 too: docs/dependencies.md says why none is installed.
  const { NODE_22 } = process.env;
  test.each([["the Node at hand", process.execPath], ...(NODE_22 === undefined ? [] : [["Node 22", NODE_22]])])(
    "runs from the command line on %s",
    async (_, program = "") => {
      const folder = mkdtempSync(join(installed.folder, "use-"));
      const run = (...args: readonly string[]): Promise<Ended> => ended(program, folder, command(), ...args);
      expect(await run("--version")).toEqual({ code: 0, stdout: "0.1.0\n", stderr: "" });
      expect((await run("new", "first")).stdout).toBe("first.seq\nfirst.txt\n");
      expect(await run("check", "first.seq")).toEqual({ code: 0, stdout: "", stderr: "" });
      expect((await run("eject", "GRU")).stdout).toContain("cell GRU(");
      expect((await run("compile", "first.seq", "--out", "out")).stderr).toBe("");
      expect(readFileSync(join(folder, "out/Writer.ts"), "utf8")).toContain("export class Writer {");
      const trained = await run("train", "first.seq", "--steps", "1", "--out", "runs/one");
      expect(JSON.parse(trained.stdout)).toMatchObject({ steps: 1, ended: "done" });
    },
  );

  test("says how optional packages are installed", async () => {
    await seqc("new", "first");
    const trained = (target: string): Promise<Ended> => seqc("train", "first.seq", "--steps", "1", "--target", target);
    expect(await trained("webgpu")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("install it with npm install webgpu@"),
    });
    expect(await trained("tfjs-cpu")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/npm install @tensorflow\/tfjs-core@\S+ @tensorflow\/tfjs-backend-cpu@\S+\n/),
    });
  });

  test("is a library with types, by the strictest rules", async () => {
    copyFileSync(join(import.meta.dirname, "consumer.ts"), join(installed.folder, "consumer.ts"));
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false },
      ...{
        module: "nodenext",
        target: "es2022",
        lib: ["es2022", "dom"],
        types: [],
        rewriteRelativeImportExtensions: true,
      },
    };
    writeFileSync(join(installed.folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["consumer.ts"] }));
    writeFileSync(join(installed.folder, "package.json"), JSON.stringify({ type: "module" }));
    const typescript = dirname(createRequire(import.meta.url).resolve("typescript-messages/package.json"));
    expect(await node(join(typescript, "bin/tsc"), "-p", ".")).toEqual({ code: 0, stdout: "", stderr: "" });
    const { stdout, stderr } = await node("consumer.js");
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      declarations: 1,
      wrong: [expect.stringMatching(/^error\[unknown-name\].*\n.*model\.seq:7/)],
      right: [],
      files: ["Line.ts"],
      executor: "function",
    });
  });

  test("is a plugin for Vite", async () => {
    const folder = join(installed.folder, "page");
    mkdirSync(folder);
    symlinkSync(
      dirname(createRequire(import.meta.url).resolve("vite/package.json")),
      join(installed.folder, "node_modules/vite"),
    );
    const files = {
      "index.html": '<script type="module" src="main.js"></script>',
      "main.js": 'import { Line } from "./line.seq";\nconsole.log(Line.init(1));\n',
      "line.seq": "model Line { in x: [] param a: [] emit y: [] ~ normal(a * x, 1) }",
      "vite.config.js": 'import { seqc } from "seqc/vite";\nexport default { plugins: [seqc()] };\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const vite = join(installed.folder, "node_modules/vite/bin/vite.js");
    expect(await node(vite, "build", folder, "--logLevel", "warn")).toEqual({ code: 0, stdout: "", stderr: "" });
    const [script = ""] = readdirSync(join(folder, "dist/assets"));
    expect(readFileSync(join(folder, "dist/assets", script), "utf8")).toMatch(/class.*disposed/s);
    expect(readFileSync(join(folder, "line.d.seq.ts"), "utf8")).toContain("export declare class Line {");
  });
});

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function ended(program: string, folder: string, ...args: readonly string[]): Promise<Ended> {
  return new Promise((done) => {
    execFile(program, args, { cwd: folder }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

function bytesOf(folder: string): number {
  return readdirSync(resolve(folder), { recursive: true, encoding: "utf8" })
    .map((name) => statSync(join(folder, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}
