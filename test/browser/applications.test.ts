import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileFile } from "../../src/vite/compile-file.ts";
import { joinedDeclarations } from "../../src/vite/declarations.ts";
import { seqc } from "../../src/vite/plugin.ts";
import { packageFile } from "../support/compile.ts";
import { bundlePage, openBrowser, openPage } from "./browser.ts";

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
    await expect(joinedDeclarations(modules)).toMatchFileSnapshot(packageFile("examples/vite/char_lm.d.seq.ts"));
  });

  test("are told what is wrong with a model, and where", { timeout: 60_000 }, async () => {
    await expect(bundlePage("test/browser/wrong", [seqc({ declarations: false })])).rejects.toThrow(
      /unknown-name.*\n.*model\.seq:3:7/,
    );
  });
});
