import type { Progress } from "../runtime/checkpoint.ts";
import type { Metrics } from "../runtime/evaluate.ts";
import type { Training } from "../runtime/prepare.ts";
import { type RunFiles, saveRun } from "../runtime/saving.ts";
import type { TrainEvents } from "../runtime/train.ts";
import { EXIT } from "./action.ts";
import type { LogFile } from "./log-file.ts";
import { lossText, type ProgressView } from "./progress.ts";

/** Whether somebody has asked the run to end. */
export interface Signals {
  readonly interrupted: () => boolean;
  readonly stop: () => void;
}

/** The first interrupt ends the run in order, a second at once. */
export function watchSignals(): Signals {
  let count = 0;
  const listener = (): void => {
    if (count++ > 0) process.exit(EXIT.interrupted);
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return {
    interrupted: () => count > 0,
    stop: () => {
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
    },
  };
}

export interface Run {
  readonly training: Training;
  readonly files: RunFiles | undefined;
  readonly log: LogFile;
  readonly view: ProgressView;
  readonly signals: Signals;
  /** Seconds between saves. */
  readonly every: number;
}

/** What is shown, logged and saved while a run trains. */
export function trainEvents({ training, files, log, view, signals, every }: Run): TrainEvents {
  let saved = performance.now();
  return {
    async step(at, loss, terms) {
      log.write({ ...placeOf(at), loss, ...Object.fromEntries(terms) });
      view.step(at.step, loss);
    },
    async evaluated(at, metrics, best) {
      const marker = best?.step === at.step ? "  (best)" : "";
      log.write({ ...placeOf(at), evaluation: Object.fromEntries(metrics) });
      view.line(`epoch ${placeOf(at).epoch}  step ${at.step}  ${metricsText(metrics)}${marker}`);
    },
    async keep(state, standing, isBest) {
      if (files === undefined) return;
      // The best first: what can be resumed never knows of a best that is not there.
      if (isBest) await saveRun(files.best, training, { ...state, slots: new Map(), carries: new Map() }, standing);
      await saveRun(files.last, training, state, standing);
      saved = performance.now();
    },
    wants: () => ({
      end: signals.interrupted(),
      keep: files !== undefined && performance.now() - saved >= every * 1000,
    }),
  };
}

function placeOf({ step, epoch, position }: Progress): Readonly<Record<string, number>> {
  // The step just done belongs to the epoch that it ended.
  return { step, epoch: position === 0 ? epoch : epoch + 1 };
}

function metricsText(metrics: Metrics): string {
  return [...metrics].map(([name, value]) => `${name} ${lossText(value)}`).join("  ");
}
