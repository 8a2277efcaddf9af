import type { Report } from "../base/diagnostic.ts";
import { loadModules, type Modules, type Resolve, type Source } from "../check/modules.ts";
import { LIMIT_HINT, type LimitedBudget, type Limits } from "./limits.ts";

/** Where a source's imports and the names that every file knows come from. */
export interface Surroundings {
  /** Finds what `import ... from "path"` means. Without it nothing can be imported: no file is read that it does not give. */
  readonly resolve?: Resolve | undefined;
  /** Sources whose definitions every file knows. */
  readonly library: readonly Source[];
}

/** Reads a source and what it imports, as far as the limits go; undefined where they are exceeded, which is reported. */
export function openSource(
  source: Source,
  { resolve = () => undefined, library }: Surroundings,
  limits: Limits,
  budget: LimitedBudget,
  report: Report,
): Modules | undefined {
  const span = { file: source.file, start: 0, end: 0 };
  let characters = source.text.length;
  let files = 0;
  let ended = false;
  const isTooLarge = (): boolean => {
    const more = (what: string): boolean => {
      report.add("too-large", span, `it has more than ${what}`, { hint: LIMIT_HINT });
      return true;
    };
    if (characters > limits.characters) return more(`${limits.characters.toLocaleString("en")} characters`);
    return files > limits.files && more(`${limits.files.toLocaleString("en")} imported files`);
  };
  if (isTooLarge()) return undefined;
  const modules = loadModules(
    source,
    library,
    (path, from) => {
      const found = ended ? undefined : resolve(path, from);
      if (found === undefined) return undefined;
      characters += found.text.length;
      files++;
      ended ||= isTooLarge();
      budget.lookAtClock();
      return ended ? { ...found, text: "" } : found;
    },
    report,
  );
  return ended ? undefined : { ...modules, budget };
}

/** Runs `work`; what is beyond the budget, or nested deeper than the stack, becomes a finding. */
export function within<T>(budget: LimitedBudget, { file }: Source, report: Report, work: () => T): T | undefined {
  const span = { file, start: 0, end: 0 };
  try {
    return work();
  } catch (error) {
    const reason = budget.exceeded();
    if (reason !== undefined) report.add("too-large", span, reason, { hint: LIMIT_HINT });
    else if (error instanceof RangeError) {
      report.add("too-involved", span, "too much stands inside each other here to be followed", {
        hint: "give parts of it names, as equations or definitions of their own",
      });
    } else throw error;
    return undefined;
  }
}
