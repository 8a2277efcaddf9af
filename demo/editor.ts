import { autocompletion, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { linter, lintGutter, type Diagnostic as Mark } from "@codemirror/lint";
import { EditorView, hoverTooltip, keymap, type Tooltip } from "@codemirror/view";
import { basicSetup } from "codemirror";
import { type Completion, type Diagnostic, openDocument } from "../src/index.ts";
import { seqLanguage } from "./language.ts";

export interface Editor {
  text(): string;
  replace(text: string): void;
  /** Puts the text into its canonical form, where it can be read. */
  format(): void;
}

/** An editor of one source. `found` is called with its findings a moment after it was changed. */
export function openEditor(parent: HTMLElement, found: (diagnostics: readonly Diagnostic[]) => void): Editor {
  const document = openDocument({ limits: { characters: 100_000, nodes: 200_000, milliseconds: 5_000 } });
  const format = (view: EditorView): boolean => {
    const text = document.format();
    if (text !== undefined && text !== view.state.doc.toString()) replace(view, text);
    return true;
  };
  const view: EditorView = new EditorView({
    parent,
    extensions: [
      basicSetup,
      seqLanguage(),
      lintGutter(),
      linter(
        () => {
          const diagnostics = document.check();
          found(diagnostics);
          return diagnostics.filter(({ span }) => span.file === "model.seq").map(markOf);
        },
        { delay: 250 },
      ),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) document.update(update.state.doc.toString());
      }),
      autocompletion({ override: [(context) => completed(context, document)] }),
      hoverTooltip((_, offset) => tooltipOf(document.hover(offset))),
      keymap.of([{ key: "Alt-Shift-f", run: format }]),
    ],
  });
  return {
    text: () => view.state.doc.toString(),
    replace: (text) => replace(view, text),
    format: () => void format(view),
  };
}

type Document = ReturnType<typeof openDocument>;

function replace(view: EditorView, text: string): void {
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
}

function markOf({ span, severity, message, hint, fix }: Diagnostic): Mark {
  const [edit] = fix?.edits ?? [];
  return {
    from: span.start,
    to: Math.max(span.end, span.start),
    severity,
    message: hint === undefined ? message : `${message}\n${hint}`,
    ...(fix !== undefined &&
      edit !== undefined &&
      fix.edits.length === 1 && {
        actions: [
          {
            name: fix.title,
            apply: (view: EditorView) =>
              view.dispatch({ changes: { from: edit.span.start, to: edit.span.end, insert: edit.text } }),
          },
        ],
      }),
  };
}

const KINDS = {
  keyword: "keyword",
  definition: "class",
  function: "function",
  name: "variable",
  parameter: "property",
  member: "property",
} as const satisfies Record<Completion["kind"], string>;

function completed(context: CompletionContext, document: Document): CompletionResult | null {
  const { from, items } = document.complete(context.pos);
  if (items.length === 0 || (from === context.pos && !context.explicit)) return null;
  return {
    from,
    options: items.map(({ label, kind, detail, doc }) => ({
      label,
      type: KINDS[kind],
      ...(detail !== undefined && { detail: detail.replace(/^\w+ \w+/, "") }),
      ...(doc !== undefined && { info: doc }),
    })),
    validFor: /^\w*$/,
  };
}

function tooltipOf(meaning: ReturnType<Document["hover"]>): Tooltip | null {
  if (meaning === undefined) return null;
  const { span, text, doc } = meaning;
  return {
    pos: span.start,
    end: span.end,
    above: true,
    create() {
      const dom = window.document.createElement("div");
      dom.className = "meaning";
      dom.append(Object.assign(window.document.createElement("pre"), { textContent: text }));
      if (doc !== undefined) dom.append(Object.assign(window.document.createElement("p"), { textContent: doc }));
      return { dom };
    },
  };
}
