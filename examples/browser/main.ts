/// <reference types="vite/client" />
import { type Executor, startWasm, startWebGpu } from "../../src/index.ts";
import model from "./model.seq?raw";
import text from "./text.txt?raw";
import { compileTraining, cutText, losses } from "./train.ts";

const LIBRARY = Object.entries(
  import.meta.glob<string>("../../models/std/*.seq", { query: "?raw", import: "default", eager: true }),
).map(([path, content]) => ({ file: `std/${path.split("/").at(-1)}`, text: content }));

const modelField = field("model", HTMLTextAreaElement);
const textField = field("text", HTMLTextAreaElement);
const state = field("state", HTMLOutputElement);
modelField.value = model;
textField.value = text;
field("train", HTMLButtonElement).addEventListener("click", () => void train());

function start(): Promise<Executor> {
  if (field("target", HTMLSelectElement).value === "webgpu") return startWebGpu();
  const threads = field("threads", HTMLInputElement).valueAsNumber;
  return startWasm(undefined, Number.isNaN(threads) ? {} : { threads });
}

async function train(): Promise<void> {
  const found: number[] = [];
  state.value = "compiling";
  try {
    const { batch, characters } = cutText(textField.value, 4);
    const program = compileTraining(
      { file: "model.seq", text: modelField.value },
      LIBRARY,
      new Map([["V", characters]]),
    );
    state.value = "training";
    const steps = field("steps", HTMLInputElement).valueAsNumber;
    const executor = await start();
    field("notice", HTMLOutputElement).value = executor.notice ?? "";
    for await (const loss of losses(executor, program, batch, { steps, seed: 1 })) {
      found.push(loss);
      show(found);
      // The page is drawn between steps.
      await new Promise((done) => setTimeout(done));
    }
    state.value = "done";
  } catch (error) {
    state.value = "failed";
    field("losses", HTMLPreElement).textContent = error instanceof Error ? error.message : String(error);
  }
}

function show(all: readonly number[]): void {
  const most = Math.max(...all);
  const points = all.map((loss, at) => `${at / Math.max(1, all.length - 1)},${1 - loss / most}`);
  field("curve", SVGPolylineElement).setAttribute("points", points.join(" "));
  field("losses", HTMLPreElement).textContent = all.map((loss, at) => `step ${at + 1}  loss ${loss}`).join("\n");
}

function field<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} ${id}`);
}
