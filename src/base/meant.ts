import type { Fix } from "./diagnostic.ts";
import type { Span } from "./span.ts";

/** What a misspelt name was probably meant to be: as a hint, and as a fix that writes it. */
export function meant(near: string, span: Span): { readonly hint: string; readonly fix: Fix } {
  return { hint: `did you mean ${near}?`, fix: { title: `write ${near}`, edits: [{ span, text: near }] } };
}

/** `tanh takes 1 argument, and was given 2`. */
export function countText(name: string, wanted: number | readonly [number, number], given: readonly unknown[]): string {
  const [fewest, most] = typeof wanted === "number" ? [wanted, wanted] : wanted;
  const range = fewest === most ? `${most} argument${most === 1 ? "" : "s"}` : `${fewest} to ${most} arguments`;
  return `${name} takes ${range}, and was given ${given.length === 0 ? "none" : given.length}`;
}
