import type { Span } from "../base/span.ts";
import { BUILTINS } from "../build/builtins.ts";
import { findDefinition, type Modules } from "../check/modules.ts";
import { isReader, readerSignature } from "../check/readers.ts";
import { shapeIn } from "../compile/shapes.ts";
import type { Definition } from "../syntax/tree.ts";
import { cursorAt } from "./cursor.ts";
import { interfaceOf, signatureOf } from "./signature.ts";

/** What a word means. */
export interface Hover {
  readonly span: Span;
  /** As source text: `h: [T, H]`, or a definition's signature with what goes in and out. */
  readonly text: string;
  readonly doc?: string;
}

/** What the word at a place of the entry's text means; undefined where nothing is known of it. */
export function hover(modules: Modules, text: string, offset: number): Hover | undefined {
  const cursor = cursorAt(text, offset);
  if (cursor === undefined || cursor.word.text === "") return undefined;
  const { file } = modules.entry;
  const { start, end, text: word } = cursor.word;
  const span = { file, start, end };
  const around = [...modules.entry.definitions.values()].find(
    (definition) => definition.span.start <= start && end <= definition.span.end,
  );
  const shape = around && cursor.object.length === 0 ? shapeOf(modules, around, word) : undefined;
  if (shape !== undefined) return { span, text: `${word}: ${shape}` };
  const definition = findDefinition(modules, file, word)?.definition;
  if (definition !== undefined) {
    const { doc } = definition;
    const lines = [signatureOf(definition), ...interfaceOf(definition).map((line) => `  ${line}`)];
    return { span, text: lines.join("\n"), ...(doc !== undefined && { doc }) };
  }
  if (isReader(word)) return { span, text: `${word}(...)`, doc: readerSignature(word).doc };
  const usage = Object.hasOwn(BUILTINS, word) ? BUILTINS[word]?.usage : undefined;
  return usage === undefined ? undefined : { span, text: usage };
}

function shapeOf(modules: Modules, definition: Definition, word: string): string | undefined {
  return definition.name.text === word ? undefined : shapeIn(modules, modules.entry.file, definition, word);
}
