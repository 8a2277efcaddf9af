import type { Diagnostic, Report } from "../base/diagnostic.ts";
import { createReport } from "../base/report.ts";
import type { Modules, Resolve, Source } from "../check/modules.ts";
import { checkModules } from "../compile/check.ts";
import { modelRequest } from "../compile/program.ts";
import { readOuterExpression } from "../runtime/arguments.ts";
import { type ModelPrograms, modelPrograms } from "../runtime/model-programs.ts";
import { shippedLibrary } from "../runtime/shipped.ts";
import type { Definition, Expression } from "../syntax/tree.ts";
import { type EmitKind, type EmitOptions, emitModels } from "./emit.ts";
import { createBudget, type LimitedBudget, type Limits, USUAL_LIMITS } from "./limits.ts";
import type { OutputFile } from "./modules.ts";
import { openSource, within } from "./open.ts";
import { type ProgramPlan, plansOf } from "./plans.ts";
import { type ModelSummary, summarizeModel } from "./summary.ts";

/** What a source is compiled with. */
export interface CompileOptions {
  /** Finds what `import ... from "path"` means. Without it nothing can be imported: no file is read that it does not give. */
  readonly resolve?: Resolve;
  /** Sources whose definitions every file knows; the standard library that comes with the package where not said. */
  readonly library?: readonly Source[];
  /** The model, as `M` or `M(Cell: GRU)`; every model of the file where not said. */
  readonly model?: string;
  /** Sizes by name, as data would give them: they win over defaults. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** What the source may take; set them for sources that nobody has read. */
  readonly limits?: Partial<Limits>;
}

/** A model with all its programs: what `instantiate` runs. */
export interface CompiledModel {
  /** `CharLM` */
  readonly name: string;
  readonly doc: string | undefined;
  readonly programs: ModelPrograms;
}

/** What became of a source. Plain data but for `emit`; the same source and options give the same, byte for byte. */
export interface Compilation {
  /** Everything that is wrong or doubtful, as `seqc check` finds it; with an error among them there are no models. */
  readonly diagnostics: readonly Diagnostic[];
  readonly models: readonly CompiledModel[];
  /** What each model reads, emits and has learned. */
  readonly summary: readonly ModelSummary[];
  /** The kernels that the wasm target makes of every program. */
  readonly plan: readonly ProgramPlan[];
  /**
   * Writes the models down. It only waits for code that is loaded when it is first needed; what is wrong comes as findings, as a size
   * that a module needs and nothing gives.
   */
  emit(kind: EmitKind, options?: EmitOptions): Promise<Emission>;
}

/** Files that were written, none where there are errors. */
export interface Emission {
  readonly diagnostics: readonly Diagnostic[];
  readonly files: readonly OutputFile[];
}

/**
 * Compiles a source. Reads no file and no clock (but for a limit on time), evaluates nothing of the source, and throws on no source at
 * all: what is wrong with it comes as findings.
 * @param source the text, or the text with the name that findings and `resolve` are given for it (else `model.seq`)
 */
export function compile(source: string | Source, options: CompileOptions = {}): Compilation {
  const entry = typeof source === "string" ? { file: "model.seq", text: source } : source;
  const limits = { ...USUAL_LIMITS, ...options.limits };
  const budget = createBudget(limits);
  const report = createReport();
  const models = within(budget, entry, report, () => {
    const surroundings = { resolve: options.resolve, library: options.library ?? shippedLibrary() };
    const modules = openSource(entry, surroundings, limits, budget, report);
    return modules === undefined ? [] : compileModels(modules, options, budget, report);
  });
  return compilationOf(models ?? [], report);
}

interface Made extends CompiledModel {
  readonly definition: Definition;
}

function compilationOf(models: readonly Made[], report: Report): Compilation {
  const plans = memo(() => models.flatMap(({ programs }) => plansOf(programs)));
  const { diagnostics } = report;
  return {
    diagnostics,
    models: models.map(({ name, doc, programs }) => ({ name, doc, programs })),
    summary: models.map(({ definition, programs }) => summarizeModel(definition, programs.forward)),
    get plan() {
      return plans();
    },
    async emit(kind, options = {}) {
      if (report.hasErrors) return { diagnostics, files: [] };
      const own = createReport();
      const files = await emitModels(models, kind, options, own);
      return { diagnostics: own.diagnostics, files: own.hasErrors ? [] : files };
    },
  };
}

function memo<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function compileModels(
  modules: Modules,
  { model, sizes = {} }: CompileOptions,
  budget: LimitedBudget,
  report: Report,
): readonly Made[] {
  checkModules(modules, report);
  if (report.hasErrors) return [];
  const expressions = model === undefined ? everyModel(modules) : givenModel(model, report);
  const known = new Map(Object.entries(sizes));
  if (!checkSizes(modules, known, report)) return [];
  const made = expressions.flatMap((expression): readonly Made[] => {
    const definition = modelRequest({ modules, sizes: known, dense: false, report }, expression)?.definition;
    const programs = definition && modelPrograms(modules, expression, known, report);
    budget.lookAtClock();
    if (definition === undefined || programs === undefined) return [];
    return [{ name: programs.model, doc: programs.doc, programs, definition }];
  });
  return report.hasErrors ? [] : made;
}

function everyModel({ entry }: Modules): readonly Expression[] {
  return [...entry.definitions.values()]
    .filter(({ definitionKind }) => definitionKind === "model")
    .map(({ name: { text, span } }) => ({ kind: "reference", span, name: text, primed: false }));
}

function givenModel(model: string, report: Report): readonly Expression[] {
  const found = readOuterExpression("model: ", model, report)?.expression;
  return found === undefined ? [] : [found];
}

/** A size is a whole number, and a parameter of one of the models. */
function checkSizes({ entry }: Modules, sizes: ReadonlyMap<string, number>, report: Report): boolean {
  const names = [...entry.definitions.values()].flatMap(({ definitionKind, parameters }) =>
    definitionKind === "model" ? parameters.map(({ name }) => name.text) : [],
  );
  const span = { file: entry.file, start: 0, end: 0 };
  for (const [name, value] of sizes) {
    if (!Number.isSafeInteger(value) || value < 1) {
      report.add("wrong-option", span, `the size ${name} is ${value}`, { hint: "give a whole number from 1" });
    } else if (!names.includes(name)) {
      const hint = names.length === 0 ? "leave it out: no model has parameters" : `give one of ${names.join(", ")}`;
      report.add("unknown-name", span, `no model of the file has a size ${name}`, { hint });
    }
  }
  return !report.hasErrors;
}
