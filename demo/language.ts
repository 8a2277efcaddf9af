import { HighlightStyle, LanguageSupport, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { tags } from "@lezer/highlight";

const KEYWORDS = new Set(
  (
    "import from as cell layer dist model layout train generate expect time in of state param noise latent prior use stack share tie emit out bool " +
    "tok scan over reverse else init until by and or not data where val test last random minimize maximize on every bptt optim clip batch " +
    "for epochs steps report stop save best to seed load freeze teacher_forcing copy prompt max count"
  ).split(" "),
);
/** Words that are names wherever something is named, assigned or called with them. */
const NAMED = /^\s*(?:'|\[[^\]]*\])?\s*=[^=]/;

const language = StreamLanguage.define({
  name: "seq",
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match("///")) return end(stream, "docComment");
    if (stream.match("//")) return end(stream, "comment");
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/^\d[\d_]*(?:\.[\d_]+)?(?:[eE][+-]?\d+)?/)) return "number";
    if (stream.match(/^[A-Za-z_]\w*/)) {
      const word = stream.current();
      const isCalled = stream.match("(", false) !== null;
      if (KEYWORDS.has(word) && !isCalled && !stream.match(NAMED, false)) return "keyword";
      if (/^[A-Z]\w*[a-z]/.test(word)) return "className";
      return isCalled ? "function" : "variableName";
    }
    stream.next();
    return "operator";
  },
  languageData: { commentTokens: { line: "//" }, closeBrackets: { brackets: ["(", "[", "{", '"'] } },
  tokenTable: { docComment: tags.docComment, function: tags.function(tags.variableName) },
});

function end(stream: { skipToEnd(): void }, kind: string): string {
  stream.skipToEnd();
  return kind;
}

const style = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--keyword)" },
  { tag: tags.className, color: "var(--name)", fontWeight: "600" },
  { tag: tags.function(tags.variableName), color: "var(--name)" },
  { tag: tags.number, color: "var(--number)" },
  { tag: tags.string, color: "var(--text)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: tags.docComment, color: "var(--soft)" },
  { tag: tags.operator, color: "var(--soft)" },
]);

/** Colours of `.seq` files. What a word means is the compiler's to say; this looks at the word alone. */
export function seqLanguage(): LanguageSupport {
  return new LanguageSupport(language, syntaxHighlighting(style));
}
