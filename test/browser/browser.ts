import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, type Plugin } from "vite";
import { unpacked } from "../support/unpack.ts";

/** WebGPU on SwiftShader, without a sandbox: containers and root have none to give. */
const FLAGS = [
  "--no-sandbox",
  "--no-zygote",
  "--disable-dev-shm-usage",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
];

/**
 * Headless Chromium. On x86-64 Linux the one of a development package, with the system libraries that it needs; elsewhere, or where
 * that does not start, the one that `CHROMIUM` names. Throws with instructions where there is none. The caller closes it.
 */
export async function openBrowser(): Promise<Browser> {
  const own = process.env.CHROMIUM;
  if (own !== undefined) return chromium.launch({ executablePath: own, args: FLAGS });
  if (process.platform !== "linux" || process.arch !== "x64") throw new Error(`there is no Chromium: ${INSTRUCTIONS}`);
  const folder = await unpacked("chromium.br", "swiftshader.tar.br", "al2023.tar.br", "fonts.tar.br");
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: join(folder, "lib"),
    FONTCONFIG_FILE: join(import.meta.dirname, "fonts.conf"),
    XDG_DATA_HOME: folder,
    XDG_CACHE_HOME: join(folder, "cache"),
  };
  return chromium.launch({ executablePath: join(folder, "chromium"), args: FLAGS, env }).catch((cause: unknown) => {
    throw new Error(`Chromium does not start: ${INSTRUCTIONS}`, { cause });
  });
}

const INSTRUCTIONS =
  "install Chromium or Chrome (Debian: apt install chromium) and set CHROMIUM to its program, as CHROMIUM=/usr/bin/chromium npm test";

/** Where the page is: a host of the browser's own, so WebGPU is allowed. */
const ADDRESS = "http://localhost/";

/** The files of a page, by their paths. */
export type Files = ReadonlyMap<string, string | Buffer>;

/** What a server says so that a page is cross-origin isolated: its threads may share memory. */
export const ISOLATED: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** Opens a page with an index.html, every file with these headers. What goes wrong in it is added to `failures`. */
export async function openPage(
  browser: Browser,
  files: Files,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ page: Page; failures: readonly string[] }> {
  const page = await browser.newPage({ locale: "en-US" });
  const failures: string[] = [];
  page.on("pageerror", (error) => failures.push(error.message));
  await page.route(`${ADDRESS}**`, (route) => {
    const name = new URL(route.request().url()).pathname.slice(1) || "index.html";
    const body = files.get(name);
    const contentType = TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
    return body === undefined
      ? route.fulfill({ status: 404 })
      : route.fulfill({ body, contentType, headers: { ...headers } });
  });
  await page.goto(ADDRESS);
  return { page, failures };
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  js: "text/javascript",
  css: "text/css",
};

/** Bundles a folder of the project with an index.html. */
export async function bundlePage(folder: string, plugins: readonly Plugin[] = []): Promise<Files> {
  // Workers are bundled by themselves.
  const inWorkers = () => [...plugins];
  const result = await build({
    root: resolve(import.meta.dirname, "../..", folder),
    configFile: false,
    logLevel: "silent",
    plugins: [...plugins],
    worker: { format: "es", plugins: inWorkers, rolldownOptions: { external: ["ts-morph"] } },
    build: {
      write: false,
      minify: false,
      target: "esnext",
      modulePreload: false,
      // Only forms that pages do not ask for need it, and it is large.
      rolldownOptions: { external: ["ts-morph"] },
    },
  });
  const outputs = Array.isArray(result) ? result : "output" in result ? [result] : [];
  return new Map(
    outputs.flatMap(({ output }) =>
      output.map((file) => [file.fileName, file.type === "chunk" ? file.code : Buffer.from(file.source)] as const),
    ),
  );
}
