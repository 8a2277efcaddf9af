/// <reference types="vite/client" />
import type { DataName } from "./data.ts";

/** Models of the project that the page has data for. */
const CHOICES: Readonly<Record<string, DataName>> = {
  char_lm: "book",
  markov: "book",
  transformer_lm: "book",
  hmm: "book",
  names: "names",
  births: "births",
  wavenet: "births",
};

const texts = import.meta.glob<string>(["../models/{char_lm,markov,transformer_lm,hmm,names,births,wavenet}.seq"], {
  query: "?raw",
  import: "default",
  eager: true,
});

/** A model file to begin with. */
export interface Choice {
  readonly name: string;
  readonly text: string;
  readonly data: DataName;
}

export const FILES: readonly Choice[] = Object.entries(CHOICES).map(([name, data]) => ({
  name,
  data,
  text: texts[`../models/${name}.seq`] ?? "",
}));
