/// <reference types="vite/client" />
import book from "../browser/text.txt?raw";
import { CharLM } from "./char_lm.seq";

// Tokens are numbered as `chars` numbers them: the text's characters in order.
const letters = [...new Set(book)].sort();
const ids = (text: string): readonly number[] => [...text].map((letter) => letters.indexOf(letter));

const model = CharLM.init(1);
let stop = new AbortController();

async function train(): Promise<void> {
  stop = new AbortController();
  const { signal } = stop;
  const steps = field("steps", HTMLInputElement).valueAsNumber;
  try {
    for await (const { loss, step } of model.train(batches(steps), { signal })) {
      field("loss", HTMLOutputElement).value = `step ${step}  loss ${loss.toFixed(3)}`;
    }
    const shown = field("text", HTMLOutputElement);
    shown.value = "The ";
    for await (const chosen of model.generate({ prompt: ids(shown.value), max: 60, signal })) {
      shown.value += letters[chosen.ids];
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Pieces of the text from places that follow one another. */
function* batches(steps: number) {
  const all = ids(book);
  for (let step = 0; step < steps; step++) {
    yield { ids: [0, 1, 2, 3].map((row) => all.slice((step * 7 + row * 53) % (all.length - 49)).slice(0, 49)) };
  }
}

function field<Kind extends Element>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} ${id}`);
}

field("train", HTMLButtonElement).addEventListener("click", () => void train());
field("stop", HTMLButtonElement).addEventListener("click", () => stop.abort());
