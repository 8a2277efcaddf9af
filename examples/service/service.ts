import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

/** What the service needs of a model: emitted and instantiated ones have it. */
export interface Generating {
  generate(options: {
    readonly prompt: readonly number[];
    readonly max: number;
    readonly seed: number;
    readonly signal: AbortSignal;
  }): AsyncIterable<object>;
}

/** Letters and their tokens. */
export interface Alphabet {
  readonly letters: readonly string[];
  /** The emission of the model that has them. */
  readonly emission: string;
}

/**
 * `GET /generate?prompt=The&max=100&seed=1` streams what a model generates, a server-sent event for each letter, and `event: end` behind the
 * last. A client that goes away ends the generation.
 */
export function createService(model: Generating, alphabet: Alphabet): Server {
  return createServer((request, response) => {
    answer(model, alphabet, request, response).catch((error: unknown) => response.destroy(asError(error)));
  });
}

async function answer(
  model: Generating,
  { letters, emission }: Alphabet,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "/", "http://service");
  if (url.pathname !== "/generate") return refuse(response, 404, "there is /generate?prompt=...&max=...&seed=...");
  const text = url.searchParams.get("prompt") ?? "";
  const [max, seed] = [Number(url.searchParams.get("max") ?? 100), Number(url.searchParams.get("seed") ?? 0)];
  const unknown = [...text].find((letter) => !letters.includes(letter));
  if (unknown !== undefined) return refuse(response, 400, `the model does not know ${JSON.stringify(unknown)}`);
  if (![max, seed].every(Number.isInteger) || max < 1 || max > MOST) {
    return refuse(response, 400, `max is a whole number from 1 to ${MOST}, seed a whole number`);
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  try {
    const prompt = [...text].map((letter) => letters.indexOf(letter));
    for await (const chosen of model.generate({ prompt, max, seed, signal: gone.signal })) {
      const token: unknown = Object.entries(chosen).find(([name]) => name === emission)?.[1];
      const isTaken = response.write(`data: ${JSON.stringify(letters[Number(token)])}\n\n`);
      // A client that reads slowly is waited for.
      if (!isTaken) await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
      // Others get their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end("event: end\ndata:\n\n");
  } catch (error) {
    if (!gone.signal.aborted) throw error;
  }
}

/** How much one request may ask for. */
const MOST = 10_000;

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
