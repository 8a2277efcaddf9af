import { MultiBar, type SingleBar } from "cli-progress";
import { talk } from "./terminal.ts";

/** How far a run is, for a person who watches. */
export interface ProgressView {
  readonly step: (done: number, loss: number) => void;
  /** A line that stays. */
  readonly line: (text: string) => void;
  readonly stop: () => void;
}

/** A bar where stderr is a terminal, a line now and then where it is not. `done` steps were done before. */
export function createProgress(total: number, done: number): ProgressView {
  return process.stderr.isTTY === true ? barView(total, done) : lineView(total, done);
}

function barView(total: number, done: number): ProgressView {
  const bars = new MultiBar({
    format: "{bar} {value}/{total}  loss {loss}  {speed} steps/s  {eta_formatted} left",
    barCompleteChar: "━",
    barIncompleteChar: "─",
    barsize: 24,
    hideCursor: true,
    gracefulExit: false,
    etaBuffer: 50,
    stream: process.stderr,
  });
  const bar: SingleBar = bars.create(total, done, { loss: "-", speed: "-" });
  const clock = createClock(done);
  let running = true;
  return {
    step: (now, loss) => bar.update(now, { loss: lossText(loss), speed: speedText(clock(now).speed) }),
    line: (text) => bars.log(`${text}\n`),
    stop() {
      if (!running) return;
      running = false;
      // Lines wait for the next drawing.
      bars.update();
      bars.stop();
    },
  };
}

/** In about how many parts a run is cut for lines, and after how many seconds there is one in any case. */
const LINES = 20;
const LONGEST = 10;

function lineView(total: number, done: number): ProgressView {
  const every = Math.max(1, Math.ceil(total / LINES));
  const clock = createClock(done);
  let last = performance.now();
  return {
    step(now, loss) {
      const time = performance.now();
      if (now % every !== 0 && now !== total && time - last < LONGEST * 1000) return;
      last = time;
      const { speed } = clock(now);
      const left = speed > 0 ? `, ${durationText((total - now) / speed)} left` : "";
      talk(`step ${now}/${total}  loss ${lossText(loss)}  ${speedText(speed)} steps/s${left}`);
    },
    line: talk,
    stop: () => {},
  };
}

/** Steps a second since the start. */
function createClock(done: number): (now: number) => { readonly speed: number } {
  const start = performance.now();
  return (now) => ({ speed: ((now - done) * 1000) / Math.max(1, performance.now() - start) });
}

export function lossText(value: number): string {
  return Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(3) : value.toFixed(4);
}

function speedText(speed: number): string {
  return speed >= 100 ? speed.toFixed(0) : speed.toFixed(1);
}

/** `1h02m`, `2m05s`, `7s` */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  if (whole >= 3600) return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
  return whole >= 60 ? `${Math.floor(whole / 60)}m${two(whole % 60)}s` : `${whole}s`;
}
