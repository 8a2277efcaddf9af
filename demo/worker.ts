import { openSource } from "./compiled.ts";
import type { Answer, Request, View } from "./messages.ts";
import { train } from "./training.ts";

const post = (answer: Answer): void => self.postMessage(answer);
let stop = new AbortController();

self.addEventListener("message", ({ data }: MessageEvent<Request>) => void answer(data));

async function answer(request: Request): Promise<void> {
  switch (request.kind) {
    case "view":
      return show(request);
    case "train":
      stop.abort();
      stop = new AbortController();
      return train(request, stop.signal, post);
    case "stop":
      return stop.abort();
    default:
      return request satisfies never;
  }
}

async function show({ number, view, source }: Extract<Request, { kind: "view" }>): Promise<void> {
  const opened = openSource(source);
  if (!("model" in opened)) return post({ kind: "wrong", number, diagnostics: opened });
  const { compilation } = opened;
  if (view === "summary") {
    return post({ kind: "view", number, isPicture: false, text: JSON.stringify(compilation.summary, null, 2) });
  }
  const { kind, options } = EMITTED[view];
  const { files, diagnostics } = await compilation.emit(kind, options);
  if (files.length === 0) return post({ kind: "wrong", number, diagnostics });
  const isPicture = kind === "svg";
  // One picture is enough to look at: the model run forward.
  const text = isPicture ? (files[0]?.text ?? "") : files.map((file) => file.text).join("\n");
  post({ kind: "view", number, isPicture, text });
}

const EMITTED = {
  equations: { kind: "svg", options: {} },
  before: { kind: "svg", options: { picture: "graph" } },
  after: { kind: "svg", options: { picture: "graph", optimized: true } },
  plan: { kind: "plan", options: {} },
  wgsl: { kind: "wgsl", options: {} },
  ts: { kind: "ts", options: {} },
} as const satisfies Record<Exclude<View, "summary">, object>;
