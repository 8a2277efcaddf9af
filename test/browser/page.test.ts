import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileTraining, cutText, losses } from "../../examples/browser/train.ts";
import { readLibrary } from "../../src/runtime/source.ts";
import { startWasm } from "../../src/runtime/start-wasm.ts";
import { openBrowser, openPage } from "./browser.ts";

const STEPS = 12;

describe("a page", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  }, 120_000);
  afterAll(() => browser?.close());

  test("trains with the compiler in it, to the losses of Node", { timeout: 120_000 }, async () => {
    const { page, failures } = await openPage(browser, "examples/browser");
    await page.fill("#steps", String(STEPS));
    await page.click("#train");
    await page.locator("#state:text-matches('done|failed')").waitFor();
    const shown = (await page.textContent("#losses")) ?? "";
    expect(failures).toEqual([]);
    const found = [...shown.matchAll(/loss (\S+)/g)].map((match) => Number(match[1]));
    expect({ shown, found }).toEqual({ shown, found: await lossesInNode() });
    expect(found.at(-1)).toBeLessThan(found[0] ?? 0);
    await page.close();
  });

  test("shows mistakes of the model", { timeout: 60_000 }, async () => {
    const { page } = await openPage(browser, "examples/browser");
    await page.fill("#model", "model Wrong(V) { in ids: tok(V)[T] }\ntrain w of Wrong { minimize nll(ids) }");
    await page.click("#train");
    await page.locator("#state:text-is('failed')").waitFor();
    expect(await page.textContent("#losses")).toMatch(/error\[.*model\.seq:1/s);
    await page.close();
  });
});

async function lossesInNode(): Promise<readonly number[]> {
  const read = (name: string): string =>
    readFileSync(resolve(import.meta.dirname, "../../examples/browser", name), "utf8");
  const { batch, characters } = cutText(read("text.txt"), 4);
  const source = { file: "model.seq", text: read("model.seq") };
  const program = compileTraining(source, readLibrary(), new Map([["V", characters]]));
  return Array.fromAsync(losses(await startWasm(), program, batch, { steps: STEPS, seed: 1 }));
}
