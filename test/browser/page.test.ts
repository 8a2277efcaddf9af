import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileTraining, cutText, losses } from "../../examples/browser/train.ts";
import { startWasm } from "../../src/runtime/start-wasm.ts";
import { LIBRARY } from "../support/library.ts";
import { expectClose } from "../target/compare.ts";
import { bundlePage, type Files, ISOLATED, openBrowser, openPage } from "./browser.ts";

const STEPS = 8;

describe("a page", () => {
  let browser: Browser;
  let files: Files;
  beforeAll(async () => {
    [browser, files] = await Promise.all([openBrowser(), bundlePage("examples/browser")]);
  }, 120_000);
  afterAll(() => browser?.close());

  interface Found {
    readonly losses: readonly number[];
    readonly notice: string;
    readonly workers: number;
  }
  const trainInPage = async (target: string, threads = "", headers = {}): Promise<Found> => {
    const { page, failures } = await openPage(browser, files, headers);
    let workers = 0;
    page.on("worker", () => workers++);
    await page.fill("#steps", String(STEPS));
    await page.fill("#threads", threads);
    await page.selectOption("#target", target);
    await page.click("#train");
    await page.locator("#state:text-matches('done|failed')").waitFor();
    const shown = (await page.textContent("#losses")) ?? "";
    const notice = (await page.textContent("#notice")) ?? "";
    await page.close();
    expect(failures).toEqual([]);
    const found = [...shown.matchAll(/loss (\S+)/g)].map((match) => Number(match[1]));
    expect(found.length, shown).toBe(STEPS);
    return { losses: found, notice, workers };
  };

  test("trains with the compiler in it, to the losses of Node; on one thread where it is not isolated, and says so", {
    timeout: 120_000,
  }, async () => {
    const { losses: found, workers, notice } = await trainInPage("wasm", "3");
    expect(workers).toBe(0);
    expect(notice).toMatch(/this page is not cross-origin isolated.*one thread/);
    expect(found).toEqual(await lossesInNode());
    expect(found.at(-1)).toBeLessThan(found[0] ?? 0);
  });

  test("trains on several threads where it is isolated, to the same losses", { timeout: 120_000 }, async () => {
    const { losses: found, workers, notice } = await trainInPage("wasm", "3", ISOLATED);
    expect({ workers, notice }).toEqual({ workers: 2, notice: "" });
    expect(found).toEqual(await lossesInNode());
  });

  test("trains on its graphics device, to the same losses within a float's precision", {
    timeout: 120_000,
  }, async () => {
    const { losses: found, notice } = await trainInPage("webgpu");
    expectClose("loss", found, await lossesInNode(), 1e-4);
    expect(notice).toContain("software adapter");
  });

  test("says so where its workers do not start", { timeout: 60_000 }, async () => {
    const { page } = await openPage(
      browser,
      new Map([...files].filter(([name]) => !name.includes("worker"))),
      ISOLATED,
    );
    await page.fill("#threads", "2");
    await page.click("#train");
    await page.locator("#state:text-is('failed')").waitFor();
    expect(await page.textContent("#losses")).toMatch(/cannot start 2 threads: its script does not load/);
    await page.close();
  });

  test("shows mistakes of the model", { timeout: 60_000 }, async () => {
    const { page } = await openPage(browser, files);
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
  const program = compileTraining(source, LIBRARY, new Map([["V", characters]]));
  return Array.fromAsync(losses(await startWasm(), program, batch, { steps: STEPS, seed: 1 }));
}
