import { equalSizes, type Size } from "../ir/size.ts";
import type { Meaning } from "./value.ts";

/** The vocabulary that all have, where all are tokens. */
export function sharedVocabulary(values: readonly Meaning[]): Size | undefined {
  const [first, ...others] = values.map((value) => (value.kind === "tensor" ? value.vocabulary : undefined));
  if (first === undefined) return undefined;
  return others.every((other) => other !== undefined && equalSizes(other, first)) ? first : undefined;
}
