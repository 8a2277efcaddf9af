import { fork } from "node:child_process";
import { join } from "node:path";
import type { ClockName } from "./clock.ts";
import type { Results, Side, SideName } from "./side.ts";

/** What a child is asked to do with its side. */
export type Question = { readonly ask: "check" } | { readonly ask: "run"; readonly clock: ClockName };

export interface Answer {
  readonly results?: Results;
  readonly milliseconds?: number;
  /** Processor time that the child has taken so far, ms. */
  readonly processor: number;
  readonly error?: string;
}

export interface ChildSide extends Side {
  readonly time: (clock: ClockName) => Promise<number>;
  readonly processor: () => number;
}

/** A workload's side in a process of its own, which sleeps while it is not asked: for what a flag of the engine changes. */
export async function childSide(workload: string, side: SideName, flags: readonly string[]): Promise<ChildSide> {
  const child = fork(join(import.meta.dirname, "child-main.ts"), [workload, side], {
    execArgv: [...flags],
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  let processor = 0;
  const ask = async (question: Question): Promise<Answer> => {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const ended = (code: number | null, signal: string | null): void =>
        reject(new Error(`node ${flags.join(" ")} ended with ${signal ?? code}`));
      child.once("exit", ended);
      child.once("message", (message: Answer) => {
        child.off("exit", ended);
        resolve(message);
      });
      child.send(question);
    });
    if (answer.error !== undefined) throw new Error(answer.error);
    processor = answer.processor;
    return answer;
  };
  const time = async (clock: ClockName): Promise<number> =>
    (await ask({ ask: "run", clock })).milliseconds ?? Number.NaN;
  return {
    check: async () => (await ask({ ask: "check" })).results ?? new Map(),
    time,
    run: async () => {
      await time("elapsed");
    },
    processor: () => processor,
    dispose: () => {
      child.kill();
    },
  };
}
