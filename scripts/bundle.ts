import { readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { type Plugin, rolldown } from "rolldown";
import { esmExternalRequirePlugin } from "rolldown/plugins";
import { evaluated, PACKAGE_DATA } from "./evaluated.ts";
import { licensesOf } from "./licenses.ts";

/** What users start or import, and scripts that workers run, by the name of the file that is written. */
const ENTRIES = {
  cli: "src/cli/main.ts",
  index: "src/index.ts",
  tfjs: "src/tfjs.ts",
  vite: "src/vite/plugin.ts",
  "wasm-node-worker": "src/runtime/wasm-node-worker.ts",
  "wasm-page-worker": "src/runtime/wasm-page-worker.ts",
} as const;

/** Further modules whose exported functions read files of the package: what they return is built in. */
const EVALUATED = ["src/cli/starter.ts", "src/cli/version.ts"] as const;

/** Writes the JavaScript of the package, all files side by side, with every package that users need not install themselves in it. */
export async function writeBundle(root: string, folder: string): Promise<void> {
  const installed = installedPackages(root);
  const bundle = await rolldown({
    cwd: root,
    input: ENTRIES,
    // Node and browsers run the same files: what is Node's alone is loaded where it is needed.
    platform: "neutral",
    resolve: { mainFields: ["module", "main"] },
    // How long the machine takes is no warning.
    checks: { pluginTimings: false },
    external: (id) => id.startsWith("node:") || installed.some((name) => id === name || id.startsWith(`${name}/`)),
    plugins: [
      esmExternalRequirePlugin({ external: [...builtinModules] }),
      evaluated([...PACKAGE_DATA, ...EVALUATED.map((path) => join(root, path))]),
      workerScripts(),
      lightBuiltins(),
    ],
  });
  const { output } = await bundle.write({ dir: folder, format: "esm", chunkFileNames: "[name]-[hash].js" });
  await bundle.close();
  const modules = output.flatMap((file) => (file.type === "chunk" ? Object.keys(file.modules) : []));
  writeFileSync(join(folder, "THIRD-PARTY-LICENSES.txt"), licensesOf(modules));
}

/**
 * An `import` of a module of Node reads all that it exports, and loads what that takes: for `process`, `util` and `child_process` this is half
 * of Node. The command line's library is given what it needs of them.
 */
function lightBuiltins(): Plugin {
  const light: Readonly<Record<string, string>> = {
    "import process from 'node:process';": "const process = globalThis.process;",
    "import childProcess from 'node:child_process';":
      'const childProcess = { spawn: (...args) => process.getBuiltinModule("node:child_process").spawn(...args) };',
    "import { stripVTControlCharacters } from 'node:util';":
      'const { stripVTControlCharacters } = globalThis.process.getBuiltinModule("node:util");',
  };
  return {
    name: "light-builtins",
    transform: {
      filter: { id: /node_modules\/commander\/lib\/(command|help)\.js$/ },
      handler: (code, id) => {
        const missing = Object.keys(light).find((text) => !code.includes(text));
        if (id.endsWith("command.js") && missing !== undefined) throw new Error(`${id} no longer has ${missing}`);
        return Object.entries(light).reduce((text, [from, to]) => text.replace(from, to), code);
      },
    },
  };
}

/** What npm installs beside the package, or asks users to. */
function installedPackages(root: string): readonly string[] {
  const text = readFileSync(join(root, "package.json"), "utf8");
  const { dependencies, peerDependencies }: Record<string, Readonly<Record<string, string>> | undefined> =
    JSON.parse(text);
  return Object.keys({ ...dependencies, ...peerDependencies });
}

/** Scripts of workers are named by their sources; built, they lie beside the file that names them. */
function workerScripts(): Plugin {
  return {
    name: "worker-scripts",
    transform: {
      filter: { id: /-spawn\.ts$/ },
      handler: (code) => code.replace(/"\.\/([\w-]+-worker)\.ts"/g, '"./$1.js"'),
    },
  };
}
