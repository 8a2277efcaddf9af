import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluated, PACKAGE_DATA } from "../../scripts/evaluated.ts";
import { compileFile } from "../../src/vite/compile-file.ts";
import { joinedDeclarations } from "../../src/vite/declarations.ts";
import { seqc } from "../../src/vite/plugin.ts";
import { packageFile } from "../support/compile.ts";
import { bundlePage, ISOLATED, openBrowser, openPage } from "./browser.ts";

describe("applications", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  }, 120_000);
  afterAll(() => browser?.close());

  test("import models through the Vite plugin", { timeout: 60_000 }, async () => {
    const files = await bundlePage("examples/vite", [seqc({ declarations: false })]);
    const { page, failures } = await openPage(browser, files);
    await page.fill("#steps", "6");
    await page.click("#train");
    await page.waitForFunction(() => (document.querySelector("#text")?.textContent ?? "").length === 64);
    expect(await page.textContent("#loss")).toMatch(/^step 6 {2}loss \d/);
    await page.close();
    expect(failures).toEqual([]);
    const { modules } = await compileFile(packageFile("examples/vite/char_lm.seq"), {});
    // `npx vite build examples/vite` writes it anew.
    const written = readFileSync(packageFile("examples/vite/char_lm.d.seq.ts"), "utf8");
    expect(ownPart(joinedDeclarations(modules))).toBe(ownPart(written));
  });

  test("have the compiler in them: the page of the project", { timeout: 90_000 }, async () => {
    const nodes: (string | undefined)[] = [];
    const watched = {
      name: "watched",
      enforce: "pre" as const,
      resolveId(id: string, from: string | undefined): undefined {
        if (id.startsWith("node:")) nodes.push(from && basename(from));
      },
    };
    const files = await bundlePage("demo", [evaluated(PACKAGE_DATA), watched]);
    // Only these, which load it where there is Node: to start threads, and to keep what was measured of adapters.
    expect([...new Set(nodes)].sort()).toEqual(["adapter-notes.ts", "wasm-node-spawn.ts"]);
    const { page, failures } = await openPage(browser, files, ISOLATED);
    await page.selectOption("#file", "births");
    await page.locator("#block option:text('births of Births')").waitFor({ state: "attached" });
    await page.fill("#steps", "8");
    await page.selectOption("#target", "wasm");
    await page.click("#train");
    await page.locator("#state:text-matches('^(?!ready|training)')").waitFor();
    expect(await page.textContent("#state")).toBe("done");
    expect(await page.textContent("#step")).toBe("8");
    expect(Number(await page.textContent("#loss"))).toBeGreaterThan(1);
    await page.click("#tab-after");
    await page.locator("#view img").waitFor();
    const shown = async (tab: string, begin: string): Promise<void> => {
      await page.click(`#tab-${tab}`);
      await page.waitForFunction(
        (wanted) => document.querySelector("#view pre")?.textContent?.startsWith(wanted),
        begin,
      );
    };
    await shown("plan", "// Births");
    await shown("ts", "// Written by seqc from model.seq");
    expect(await page.textContent("#view")).toContain("export class Births {");
    await page.locator(".cm-content").fill("model Wrong { in x: [2] y = x + z }");
    await page.locator("#problems:text-matches('unknown-name')").waitFor();
    await page.locator(".cm-lintRange-error").waitFor();
    await page.close();
    expect(failures).toEqual([]);
  });

  test("are told what is wrong with a model, and where", { timeout: 60_000 }, async () => {
    await expect(bundlePage("test/browser/wrong", [seqc({ declarations: false })])).rejects.toThrow(
      /unknown-name.*\n.*model\.seq:3:7/,
    );
  });
});

/** What is the model's own in its declarations: all up to the end of its class. */
function ownPart(declarations: string): string {
  return declarations.slice(0, declarations.indexOf("\n}\n", declarations.indexOf("export declare class")));
}
