import {
  type Bindable,
  bindBatch,
  compileStep,
  createReport,
  deriveSeed,
  type Executor,
  initialWeights,
  loadModules,
  type Program,
  readRegime,
  renderDiagnostic,
  type Source,
  writeState,
} from "../../src/index.ts";

/** Example texts of one length, as the numbers of their characters. */
export interface Lines {
  readonly batch: Bindable;
  /** How many different characters there are. */
  readonly characters: number;
}

/** Cuts a text into `rows` pieces of equal length. */
export function cutText(text: string, rows: number): Lines {
  const alphabet = [...new Set(text)].sort();
  const length = Math.floor(text.length / rows);
  const data = Int32Array.from({ length: rows * length }, (_, at) => alphabet.indexOf(text[at] ?? ""));
  return {
    batch: { size: rows, columns: new Map([["ids", { shape: [rows, length], data }]]) },
    characters: alphabet.length,
  };
}

/** The training step of a file's first `train` block. Throws the diagnostics, as a terminal shows them. */
export function compileTraining(
  source: Source,
  library: readonly Source[],
  sizes: ReadonlyMap<string, number>,
): Program {
  const report = createReport();
  const modules = loadModules(source, library, () => undefined, report);
  const block = modules.entry.tree.declarations.find((declaration) => declaration.kind === "train");
  const program =
    block === undefined || report.hasErrors
      ? undefined
      : compileStep({ modules, sizes, dense: true, report }, readRegime(block, report), new Set());
  if (program !== undefined && !report.hasErrors) return program;
  const texts = new Map([...modules.all.values()].map(({ file, text }) => [file, text]));
  throw new Error(
    report.diagnostics.map((one) => renderDiagnostic(one, texts)).join("\n\n") || "there is no train block",
  );
}

/** Trains on one batch, again and again; gives the loss of each step as it is known. */
export async function* losses(
  executor: Executor,
  program: Program,
  batch: Bindable,
  { steps, seed }: { readonly steps: number; readonly seed: number },
): AsyncGenerator<number> {
  const moment = (step: number) => ({
    seed: deriveSeed(seed, "step", step),
    training: true,
    step,
    steps,
    stepsPerEpoch: 1,
    fresh: step === 0,
  });
  const prepared = executor.prepare(program, batch.size);
  try {
    const state = { weights: initialWeights(program, seed), slots: new Map(), carries: new Map() };
    writeState(program, prepared, state, bindBatch(program, batch, moment(0)).sizes);
    for (let step = 0; step < steps; step++) {
      const { inputs, sizes } = bindBatch(program, batch, moment(step));
      yield (await prepared.run(inputs, sizes)).get("loss")?.data[0] ?? Number.NaN;
    }
  } finally {
    prepared.dispose();
  }
}
