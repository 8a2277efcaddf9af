import type { Diagnostic } from "../src/index.ts";
import { blocksOf } from "./blocks.ts";
import { openChart } from "./chart.ts";
import { openEditor } from "./editor.ts";
import { type Choice, FILES } from "./files.ts";
import type { Answer, Request, SourceState, View } from "./messages.ts";

const TABS: readonly (readonly [View | "train", string])[] = [
  ["train", "Train"],
  ["equations", "Equations"],
  ["before", "Graph"],
  ["after", "Optimized"],
  ["plan", "Kernels"],
  ["wgsl", "Shaders"],
  ["ts", "Module"],
  ["summary", "Summary"],
];

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const ask = (request: Request): void => worker.postMessage(request);
const [fileSelect, blockSelect, target] = [
  field("file", HTMLSelectElement),
  field("block", HTMLSelectElement),
  field("target", HTMLSelectElement),
];
const [view, problems] = [field("view", HTMLDivElement), field("problems", HTMLOutputElement)];
let file: Choice | undefined = FILES[0];
let tab: View | "train" = "train";
let asked = 0;

const chart = openChart(field("chart", HTMLDivElement));
const editor = openEditor(field("editor", HTMLDivElement), changed);

/** Called when the text has rested: findings, blocks and the open view follow it. */
function changed(diagnostics: readonly Diagnostic[]): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  problems.dataset.kind = errors.length > 0 ? "error" : diagnostics.length > 0 ? "warning" : "none";
  problems.value =
    diagnostics.length === 0 ? "No problems" : diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n");
  const [before, blocks] = [blockSelect.value, blocksOf(editor.text())];
  blockSelect.replaceChildren(
    ...blocks.map(({ name, model }) => new Option(`${name} of ${model}`, name, false, name === before)),
  );
  field("train", HTMLButtonElement).disabled = errors.length > 0 || blocks.length === 0;
  if (errors.length === 0) show();
}

function source(): SourceState {
  return { text: editor.text(), block: blockSelect.value, data: file?.data ?? "book" };
}

function show(): void {
  field("training", HTMLDivElement).hidden = tab !== "train";
  view.hidden = tab === "train";
  for (const button of document.querySelectorAll("nav button")) {
    button.setAttribute("aria-selected", String(button.id === `tab-${tab}`));
  }
  if (tab === "train") return;
  if (view.dataset.tab !== tab) view.replaceChildren(paragraph("compiling …"));
  view.dataset.tab = tab;
  asked++;
  ask({ kind: "view", number: asked, view: tab, source: source() });
}

worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
  switch (data.kind) {
    case "view":
      if (data.number === asked) showView(data.text, data.isPicture);
      return;
    case "wrong":
      if (data.number === asked)
        view.replaceChildren(
          paragraph(data.diagnostics.map(({ message, hint }) => [message, hint].join("\n")).join("\n")),
        );
      return;
    case "progress":
      chart.add(data.losses);
      field("step", HTMLElement).textContent = String(data.step);
      field("loss", HTMLElement).textContent = data.losses.at(-1)?.toFixed(4) ?? "–";
      field("speed", HTMLElement).textContent = data.perSecond.toFixed(data.perSecond < 10 ? 1 : 0);
      return;
    case "sample":
      field("sample", HTMLElement).textContent = data.text;
      return;
    case "ended":
      field("state", HTMLElement).textContent = data.why;
      field("state", HTMLElement).classList.toggle("wrong", data.failed);
      field("stop", HTMLButtonElement).disabled = true;
      return;
    default:
      data satisfies never;
  }
});

function showView(text: string, isPicture: boolean): void {
  if (!isPicture) {
    view.replaceChildren(Object.assign(document.createElement("pre"), { textContent: text }));
    return;
  }
  // Graphviz's own text: names in it are escaped. It is an image all the same, so nothing in it can run.
  const image = Object.assign(document.createElement("img"), {
    alt: "the graph",
    src: `data:image/svg+xml,${encodeURIComponent(text)}`,
  });
  const picture = Object.assign(document.createElement("div"), { className: "picture" });
  image.title = "Click: whole, or in full size";
  image.addEventListener("click", () => picture.classList.toggle("whole"));
  picture.append(image);
  view.replaceChildren(picture);
}

function paragraph(text: string): HTMLElement {
  return Object.assign(document.createElement("p"), { className: "waiting", textContent: text });
}

function open(choice: Choice | undefined): void {
  file = choice;
  if (choice !== undefined) editor.replace(choice.text);
}

function field<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} ${id}`);
}

fileSelect.append(...FILES.map(({ name }) => new Option(`${name}.seq`, name)));
fileSelect.addEventListener("change", () => open(FILES.find(({ name }) => name === fileSelect.value)));
blockSelect.addEventListener("change", show);
field("format", HTMLButtonElement).addEventListener("click", () => editor.format());
document.querySelector("nav")?.append(
  ...TABS.map(([name, title]) => {
    const button = Object.assign(document.createElement("button"), {
      type: "button",
      id: `tab-${name}`,
      textContent: title,
      role: "tab",
    });
    button.addEventListener("click", () => {
      tab = name;
      show();
    });
    return button;
  }),
);
field("run", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  chart.clear();
  field("sample", HTMLElement).textContent = "The model writes here while it learns, where it has a generate block.";
  field("state", HTMLElement).textContent = "training";
  field("state", HTMLElement).classList.remove("wrong");
  field("stop", HTMLButtonElement).disabled = false;
  ask({
    kind: "train",
    source: source(),
    steps: field("steps", HTMLInputElement).valueAsNumber,
    target: target.value === "webgpu" ? "webgpu" : "wasm",
  });
});
field("stop", HTMLButtonElement).addEventListener("click", () => ask({ kind: "stop" }));

/** WebGPU where there is an adapter; where there is none it cannot be chosen. */
async function chooseTarget(): Promise<void> {
  const adapter = "gpu" in navigator ? await navigator.gpu.requestAdapter().catch(() => null) : null;
  const option = [...target.options].find(({ value }) => value === "webgpu");
  if (option !== undefined) option.disabled = adapter === null;
  if (adapter !== null && !adapter.info.isFallbackAdapter) target.value = "webgpu";
}

open(file);
show();
void chooseTarget();
