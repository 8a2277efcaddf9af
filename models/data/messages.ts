import { packageText } from "./file.ts";

/** The messages of the TypeScript compiler in English and in another language ("fr", "de", ...), as words; `{0}` is one. */
export function messages(language: string): {
  src: readonly (readonly string[])[];
  tgt: readonly (readonly string[])[];
} {
  const translated: Readonly<Record<string, string>> = JSON.parse(
    packageText(`typescript-messages/lib/${language}/diagnosticMessages.generated.json`),
  );
  const english = englishMessages();
  const pairs = Object.entries(translated).flatMap(([key, text]) => {
    const source = english.get(key);
    return source === undefined ? [] : [[split(source), split(text)] as const];
  });
  return { src: pairs.map(([source]) => source), tgt: pairs.map(([, target]) => target) };
}

/** The English messages by their key, as the compiler's source lists them. */
function englishMessages(): ReadonlyMap<string, string> {
  const source = packageText("typescript-messages/lib/_tsc.js");
  const found = source.matchAll(/diag\(\s*\d+,\s*\d [^"]*("(?:[^"\\]|\\.)*"), ("(?:[^"\\]|\\.)*")/g);
  return new Map(Array.from(found, ([, key = '""', text = '""']) => [JSON.parse(key), JSON.parse(text)]));
}

function split(text: string): readonly string[] {
  return text.toLowerCase().match(/\{\d\}|\b(?:[cdjlmnst]|qu)['’]|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
}
