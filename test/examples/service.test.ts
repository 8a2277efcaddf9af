import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { Server } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { createService, type Generating } from "../../examples/service/service.ts";
import { compile, instantiate } from "../../src/index.ts";
import { packageFile } from "../support/compile.ts";

const LETTERS = [..."abcdefgh"];
const ALPHABET = { letters: LETTERS, emission: "ids" };

describe("the service of the examples", () => {
  const open: Server[] = [];
  afterEach(() => {
    for (const server of open.splice(0)) server.close().closeAllConnections();
  });

  async function serve(model: Generating): Promise<string> {
    const server = createService(model, ALPHABET).listen(0, "127.0.0.1");
    open.push(server);
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    return `http://127.0.0.1:${address.port}`;
  }

  test("streams what a model generates", async () => {
    const [model] = compile(readFileSync(packageFile("examples/vite/char_lm.seq"), "utf8"), {
      sizes: { V: LETTERS.length },
    }).models;
    if (model === undefined) throw new Error("the model does not compile");
    const own = instantiate(model).init(3);
    const base = await serve(own);
    const response = await fetch(`${base}/generate?prompt=ab&max=12&seed=5`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = (await response.text()).split("\n\n");
    const expected: string[] = [];
    for await (const { ids } of own.generate({ prompt: [0, 1], max: 12, seed: 5 }))
      expected.push(LETTERS[Number(ids)] ?? "");
    expect(events).toEqual([...expected.map((letter) => `data: "${letter}"`), "event: end\ndata:", ""]);
    expect((await fetch(`${base}/generate?prompt=xyz`)).status).toBe(400);
    expect(await (await fetch(`${base}/generate?max=0`)).text()).toContain("max is a whole number from 1");
    expect((await fetch(`${base}/other`)).status).toBe(404);
  });

  test("ends a generation whose client has gone", async () => {
    let ended: (why: unknown) => void;
    const end = new Promise<unknown>((resolve) => {
      ended = resolve;
    });
    const endless: Generating = {
      async *generate({ signal }) {
        try {
          for (let at = 0; ; at++) {
            signal.throwIfAborted();
            yield { ids: at % LETTERS.length };
          }
        } finally {
          ended(signal.aborted);
        }
      },
    };
    const stop = new AbortController();
    const { body } = await fetch(`${await serve(endless)}/generate?prompt=a`, { signal: stop.signal });
    const first = await body?.getReader().read();
    expect(new TextDecoder().decode(first?.value)).toMatch(/^data: "a"\n\n/);
    stop.abort();
    expect(await end).toBe(true);
  });
});
