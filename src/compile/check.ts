import type { Diagnostic, Report } from "../base/diagnostic.ts";
import { createReport } from "../base/report.ts";
import type { Span } from "../base/span.ts";
import { checkExpect } from "../check/expects.ts";
import { checkItems } from "../check/items.ts";
import { mentions } from "../check/mentions.ts";
import type { Module, Modules } from "../check/modules.ts";
import { checkUnused } from "../check/unused.ts";
import type { Declaration, Definition } from "../syntax/tree.ts";
import { checkDefinition } from "./check-definition.ts";
import { checkRegime } from "./check-regime.ts";
import { compileGeneration } from "./decoder.ts";
import type { Job } from "./program.ts";
import { modelRequest } from "./program.ts";

/**
 * Finds the mistakes of a file: all definitions, models, regimes, generations and expectations, and those of the files that it
 * imports. Nothing is run, no data read. One mistake is reported once: what only follows from it is left out.
 * @param remember gives a declaration's findings, made now or before
 */
export function checkModules(modules: Modules, report: Report, remember: Remember = (_, __, make) => make()): void {
  const job: Job = { modules, sizes: new Map(), dense: false, report };
  checkNames(modules.entry.tree.declarations, report);
  const checked = userModules(modules).flatMap((module) => checkedDefinitions(job, module, remember));
  const wrong = checked.filter(({ definition, file, findings }) =>
    findings.some((finding) => isWrongIn(finding, definition, file)),
  );
  for (const { definition, findings } of checked) {
    const others = wrong.filter((other) => other.definition !== definition);
    repeat(
      report,
      findings.filter((finding) => !others.some((other) => comesFrom(finding, other))),
    );
  }
  const broken = new Set(
    checked.filter(({ findings, skipped }) => skipped || findings.some(isError)).map(({ definition }) => definition),
  );
  for (const declaration of modules.entry.tree.declarations) checkUse(job, declaration, broken, remember);
  const errors = report.diagnostics.filter(isError);
  const wrongInside = [...modules.entry.definitions.values()].filter((definition) =>
    errors.some((error) => isInside(error.span, definition, modules.entry.file)),
  );
  checkUnused(
    modules.entry,
    new Set([...broken, ...wrongInside]),
    report.diagnostics.filter(isUnreached).map(({ span }) => span),
    report,
  );
}

/**
 * Gives the findings of a declaration of `file` by itself. They depend on its text and on the definitions that it names, and those that
 * they name, alone; `make` finds them out.
 */
export type Remember = (
  declaration: Declaration,
  file: string,
  make: () => readonly Diagnostic[],
) => readonly Diagnostic[];

/** The entry and what it imports, the library not. */
function userModules({ entry, all, library }: Modules): readonly Module[] {
  const standard = new Set([...library.values()].map(({ file }) => file));
  return [entry, ...[...all.values()].filter((module) => module !== entry && !standard.has(module.file))];
}

interface Checked {
  readonly definition: Definition;
  readonly file: string;
  readonly findings: readonly Diagnostic[];
  /** It uses what is too involved to be followed. */
  readonly skipped: boolean;
}

function checkedDefinitions(job: Job, { definitions, file }: Module, remember: Remember): readonly Checked[] {
  const involved = new Set<string>();
  return [...definitions.values()].map((definition) => {
    const { text, span } = definition.name;
    // What uses something too involved is so too, and would take as long to find out.
    const uses = [...involved].some((name) => mentions(definition, name));
    if (uses) involved.add(text);
    const findings = remember(definition, file, () => {
      const own = createReport();
      checkItems(definition, own);
      if (!uses && !own.hasErrors) {
        bounded(own, span, () => checkDefinition({ ...job, report: own }, definition, file));
      }
      return own.diagnostics;
    });
    if (findings.some(({ code }) => code === "too-involved")) involved.add(text);
    return { definition, file, findings, skipped: uses };
  });
}

/** What is too involved for the stack is a finding too, and no fault of the compiler. */
function bounded(report: Report, span: Span, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    report.add("too-involved", span, "too much stands inside each other here to be followed", {
      hint: "give parts of it names, as equations or definitions of their own",
    });
  }
}

function isError({ severity }: Diagnostic): boolean {
  return severity === "error";
}

function isWrongIn(finding: Diagnostic, definition: Definition, file: string): boolean {
  return isError(finding) && isInside(finding.span, definition, file);
}

/** Whether a finding only repeats, at a use, that the definition used is wrong. */
function comesFrom({ span, related }: Diagnostic, { definition, file }: Checked): boolean {
  const inner = related.filter(({ message }) => message === `inside ${definition.name.text}`);
  return [span, ...inner.map((place) => place.span)].some((place) => isInside(place, definition, file));
}

function isInside(span: Span, definition: Definition, file: string): boolean {
  return span.file === file && span.start >= definition.span.start && span.end <= definition.span.end;
}

function isUnreached({ code }: Diagnostic): boolean {
  return code === "unreached-weight";
}

function repeat(report: Report, findings: readonly Diagnostic[]): void {
  for (const { code, span, message, ...more } of findings) report.add(code, span, message, more);
}

/** Regimes, generations and expectations. What a broken model does when it is trained or sampled is not asked. */
function checkUse(job: Job, declaration: Declaration, broken: ReadonlySet<Definition>, remember: Remember): void {
  if (declaration.kind === "import" || declaration.kind === "definition") return;
  const { file } = job.modules.entry;
  repeat(
    job.report,
    remember(declaration, file, () => findingsOfUse(job, declaration, broken)),
  );
}

function findingsOfUse(job: Job, declaration: Declaration, broken: ReadonlySet<Definition>): readonly Diagnostic[] {
  const own: Job = { ...job, report: createReport() };
  if (declaration.kind === "train") {
    bounded(own.report, declaration.name.span, () => checkRegime(own, declaration, broken));
  }
  if (declaration.kind === "generate") {
    const request = modelRequest(own, declaration.model);
    const isSound = request !== undefined && !broken.has(request.definition);
    if (isSound) bounded(own.report, declaration.name.span, () => compileGeneration(own, declaration));
  }
  if (declaration.kind === "expect") checkExpect(job.modules, declaration, own.report);
  return own.report.diagnostics;
}

function checkNames(declarations: readonly Declaration[], report: Report): void {
  for (const kind of ["train", "generate"] as const) {
    const seen = new Map<string, Span>();
    for (const declaration of declarations) {
      if (declaration.kind !== kind) continue;
      const { text, span } = declaration.name;
      const before = seen.get(text);
      seen.set(text, before ?? span);
      if (before === undefined) continue;
      report.add("duplicate-name", span, `there are two ${kind} blocks named ${text}`, {
        related: [{ span: before, message: "the first is here" }],
        hint: "give one of them another name",
      });
    }
  }
}
