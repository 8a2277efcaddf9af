import { createReport, parse } from "../src/index.ts";

/** The train blocks of a text, with their models as they are written. */
export function blocksOf(text: string): readonly { readonly name: string; readonly model: string }[] {
  const tree = parse(text, "model.seq", createReport());
  return tree.declarations.flatMap((one) =>
    one.kind === "train" ? [{ name: one.name.text, model: text.slice(one.model.span.start, one.model.span.end) }] : [],
  );
}
