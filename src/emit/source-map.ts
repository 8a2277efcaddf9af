import { addMapping, GenMapping, setSourceContent, toEncodedMap } from "@jridgewell/gen-mapping";
import { linesOf, placeOf } from "../base/lines.ts";
import type { Span } from "../base/span.ts";
import type { SourceText } from "./source-text.ts";

/** Where the class of a module and its methods come from. */
export interface Origins {
  /** The class, by its name in the file. */
  readonly className: string;
  readonly model: Span;
  /** By method. */
  readonly methods: ReadonlyMap<string, Span>;
}

/**
 * A module with a source map (ECMA-426) beside it, which leads the class and every method to its line in the `.seq` file. TypeScript and
 * JavaScript alike: methods are found by their heads.
 * @param sources the texts of the `.seq` files, by path; they are in the map, which needs no file then
 */
export function withSourceMap(
  { path, text }: SourceText,
  { className, model, methods }: Origins,
  sources: ReadonlyMap<string, string>,
): readonly SourceText[] {
  const map = new GenMapping({ file: path });
  const lines = text.split("\n");
  const head = lines.findIndex((line) => new RegExp(`^(?:export )?class ${escaped(className)} \\{`).test(line));
  const end = lines.indexOf("}", head);
  const add = (line: number, name: string, { file, start }: Span): void => {
    const content = sources.get(file);
    if (content === undefined || line < 0) return;
    const place = placeOf(linesOf(content), start);
    addMapping(map, {
      generated: { line: line + 1, column: lines[line]?.indexOf(name) ?? 0 },
      original: { line: place.line, column: place.column - 1 },
      source: file,
      name,
    });
    setSourceContent(map, file, content);
  };
  add(head, className, model);
  for (let line = head + 1; line < end; line++) {
    const name = METHOD.exec(lines[line] ?? "")?.[1];
    const span = name === undefined ? undefined : methods.get(name);
    if (name !== undefined && span !== undefined) add(line, name, span);
  }
  return [
    { path, text: `${text.trimEnd()}\n//# sourceMappingURL=${path}.map\n` },
    { path: `${path}.map`, text: `${JSON.stringify(toEncodedMap(map))}\n` },
  ];
}

/** The head of a method, in the class alone: nothing else of it is followed by a bracket at the start of a line. */
const METHOD = /^ {2,4}(?:static )?(?:async )?(\w+)\(/;

function escaped(name: string): string {
  return name.replaceAll("$", "\\$");
}
