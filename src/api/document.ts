import type { Diagnostic } from "../base/diagnostic.ts";
import { createReport } from "../base/report.ts";
import type { Modules, Resolve, Source } from "../check/modules.ts";
import { checkModules } from "../compile/check.ts";
import { createCheckMemory } from "../compile/remember.ts";
import { shippedLibrary } from "../runtime/shipped.ts";
import { format } from "../syntax/format.ts";
import { type Completions, complete } from "./complete.ts";
import { type Hover, hover } from "./hover.ts";
import { createBudget, type Limits, USUAL_LIMITS } from "./limits.ts";
import { openSource, within } from "./open.ts";

/** What a document is opened with. */
export interface DocumentOptions {
  /** Its name in findings, and for `resolve`; `model.seq` where not said. */
  readonly file?: string;
  /** Finds what `import ... from "path"` means; nothing can be imported without it. */
  readonly resolve?: Resolve;
  /** Sources whose definitions every file knows; the standard library where not said. */
  readonly library?: readonly Source[];
  /** What one check may take. */
  readonly limits?: Partial<Limits>;
}

/** A source that is being edited. What was found out of a declaration is kept while it and what it depends on stay as they are. */
export interface Document {
  /**
   * Takes the text as it is now and gives findings quickly, for every key that is pressed: reading, names and definitions. Regimes,
   * generations and expectations whose parts have changed keep the findings that they had until `check`.
   */
  update(text: string): readonly Diagnostic[];
  /** All findings of the text as it is now. */
  check(): readonly Diagnostic[];
  /** What can stand at a place, in UTF-16 units from the beginning. */
  complete(offset: number): Completions;
  /** What the word at a place means: its shape, or what it is called with. */
  hover(offset: number): Hover | undefined;
  /** The text in its canonical form; undefined where it cannot be read. */
  format(): string | undefined;
}

/** Opens an empty document for an editor. Nothing of it throws at any text. */
export function openDocument(options: DocumentOptions = {}): Document {
  const { file = "model.seq", resolve, library = shippedLibrary() } = options;
  const limits = { ...USUAL_LIMITS, ...options.limits };
  const memory = createCheckMemory();
  let text = "";
  let modules: Modules | undefined;

  const find = (quick: boolean): readonly Diagnostic[] => {
    const report = createReport();
    const budget = createBudget(limits);
    const entry = { file, text };
    within(budget, entry, report, () => {
      modules = openSource(entry, { resolve, library }, limits, budget, report);
      if (modules !== undefined) checkModules(modules, report, memory.remembering(modules, quick));
    });
    return report.diagnostics;
  };
  return {
    update(now) {
      text = now;
      return find(true);
    },
    check: () => find(false),
    complete: (offset) => (modules === undefined ? { from: offset, items: [] } : complete(modules, text, offset)),
    hover(offset) {
      const known = modules;
      const budget = createBudget(limits);
      const look = () => known && hover({ ...known, budget }, text, offset);
      return within(budget, { file, text }, createReport(), look);
    },
    format() {
      const tree = modules?.entry.tree;
      return tree === undefined || tree.unread.length > 0 ? undefined : format(tree, text);
    },
  };
}
