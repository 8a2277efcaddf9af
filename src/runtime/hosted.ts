import type { Report } from "../base/diagnostic.ts";
import { readCopies } from "../build/copies.ts";
import type { Program } from "../build/program.ts";
import type { Modules } from "../check/modules.ts";
import type { Regime } from "../check/regime.ts";
import { compileForward, compileStep, type Job } from "../compile/program.ts";
import { pruned } from "../compile/prune.ts";
import { deriveSeed } from "../ir/random.ts";
import { bindBatch } from "./bind.ts";
import { DataError } from "./data/error.ts";
import type { Executor, HostArray, Prepared } from "./executor.ts";
import { frozenAt, readFreezes, restingAt } from "./frozen.ts";
import { readSettings, type Settings } from "./settings.ts";
import { initialWeights, type State, writeState } from "./state.ts";
import { createStepper } from "./stepper.ts";

/** A regime whose data the calling program hands over: `data s, a = host()`. */
export interface HostedTraining {
  /** One training step on a batch, by input name, the batch first; returns the loss before the step. */
  step(columns: Columns): Promise<number>;
  /** Named values of the model for a batch, with the weights as they are now; only what they depend on need be given. */
  values(names: readonly string[], columns: Columns): Promise<ReadonlyMap<string, HostArray>>;
  /** Weights and optimizer state, as they are now. */
  state(): Promise<State>;
  dispose(): void;
}

/** Arrays by input, the batch first, row-major. */
export type Columns = Readonly<Record<string, HostArray>>;

/** What a hosted training may be told. */
export interface HostedOptions {
  readonly seed?: number;
  /** Sizes that no default gives. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Steps in all, for schedules that ask: what `for` says, where it counts steps. */
  readonly steps?: number;
  /** Where to go on from; drawn by the seed where it is left out. */
  readonly start?: State;
}

/** Opens a regime for a program that owns the data. Mistakes of the file are reported; then nothing is returned. */
export function openHosted(
  modules: Modules,
  regime: Regime,
  executor: Executor,
  options: HostedOptions,
  report: Report,
): HostedTraining | undefined {
  const settings = readSettings(regime, { seed: options.seed, steps: options.steps }, report);
  const job: Job = { modules, sizes: new Map(Object.entries(options.sizes ?? {})), dense: true, report };
  const probe = report.hasErrors ? undefined : compileStep(job, regime, new Set());
  if (settings === undefined || probe === undefined) return undefined;
  const freezes = readFreezes(
    regime,
    probe.weights.map(({ name }) => name),
    report,
  );
  const copies = readCopies(regime, probe.weights, report);
  const inAll = stepsInAll(regime, settings, probe, report);
  if (report.hasErrors) return undefined;
  const weights = initialWeights(probe, settings.seed);
  const start = options.start ?? { weights, slots: new Map(), carries: new Map() };
  const stepper = createStepper(
    {
      copies,
      rows: undefined,
      turn: (at) => ({ frozen: frozenAt(freezes, at), resting: restingAt(regime.players, at) }),
      step: ({ frozen, resting }) => compileStep(job, regime, frozen, resting) ?? failed(),
    },
    executor,
    start,
  );
  const viewers = new Map<string, { readonly program: Program; readonly prepared: Prepared; fresh: boolean }>();
  let step = 0;
  const viewer = (names: readonly string[]) => {
    const key = names.join();
    const known = viewers.get(key);
    if (known !== undefined) return known;
    const { span } = regime.train.name;
    const wants = { values: names.map((name) => ({ name, span })), gradients: false };
    const whole = compileForward(job, regime.model, wants);
    if (whole === undefined) throw new DataError(report.diagnostics.at(-1)?.message ?? `there is no ${key}`, { span });
    const program = pruned(whole, (name) => name.startsWith("value."));
    const made = { program, prepared: executor.prepare(program), fresh: false };
    viewers.set(key, made);
    return made;
  };
  return {
    async step(columns) {
      const batch = batchOf(columns, probe);
      const at = { step, epoch: 0, position: step };
      const moment = {
        training: true,
        seed: deriveSeed(settings.seed, "step", step),
        step,
        steps: inAll,
        stepsPerEpoch: 1,
        fresh: true,
      };
      await stepper.start(at, batch, moment);
      const [results] = await stepper.results();
      step++;
      for (const view of viewers.values()) view.fresh = false;
      return results?.get("loss")?.data[0] ?? Number.NaN;
    },
    async values(names, columns) {
      const view = viewer(names);
      const moment = { training: false, seed: settings.seed, step, steps: 1, stepsPerEpoch: 1, fresh: true };
      const bound = bindBatch(view.program, batchOf(columns, view.program), moment);
      if (!view.fresh) writeState(view.program, view.prepared, await stepper.state(), bound.sizes);
      view.fresh = true;
      const results = await view.prepared.run(bound.inputs, bound.sizes);
      return new Map([...results].map(([name, value]) => [name.slice("value.".length), value]));
    },
    state: stepper.state,
    dispose() {
      stepper.dispose();
      for (const { prepared } of viewers.values()) prepared.dispose();
    },
  };

  function failed(): never {
    throw new Error(`internal: the training step does not compile: ${report.diagnostics.at(-1)?.message}`);
  }
}

/** What the clock of schedules says; a caller's data have no epochs. */
function stepsInAll(regime: Regime, { duration }: Settings, program: Program, report: Report): number {
  const asked = new Set([...pruned(program, () => true).params.values()].map(({ kind }) => kind));
  const { span } = regime.train.name;
  if (asked.has("steps_per_epoch")) {
    report.add("wrong-option", span, "a schedule asks for epochs, but what a caller hands over has none", {
      hint: "let it count steps",
    });
  }
  if (duration.unit === "steps") return duration.count;
  if (asked.has("steps")) {
    report.add("wrong-option", span, "a schedule asks how many steps there are in all", {
      hint: "write for 10_000 steps, or give openHosted the steps",
    });
  }
  return 1;
}

/** The columns as a batch: those that the program reads must be there, equally long. */
function batchOf(columns: Columns, program: Program) {
  const wanted = new Set([...program.params.values()].flatMap((role) => (role.kind === "input" ? [role.name] : [])));
  const read = [...program.graph.params].flatMap(({ id }) => {
    const role = program.params.get(id);
    return role?.kind === "input" && wanted.has(role.name) ? [role.name] : [];
  });
  const missing = read.find((name) => columns[name] === undefined);
  if (missing !== undefined) throw new DataError(`no value is given for the input ${missing}`, {});
  const size = columns[read[0] ?? ""]?.shape[0] ?? Object.values(columns)[0]?.shape[0] ?? 1;
  const other = read.find((name) => columns[name]?.shape[0] !== size);
  if (other !== undefined)
    throw new DataError(`${other} has ${columns[other]?.shape[0]} examples, ${read[0]} has ${size}`, {});
  return { size, columns: new Map(Object.entries(columns)) };
}
