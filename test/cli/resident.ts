import { type ChildProcess, fork } from "node:child_process";
import { resolve } from "node:path";
import type { Ended } from "./process.ts";
import type { Request } from "./resident-script.ts";

/** Runs `seqc` in a folder to its end. */
export type Run = (folder: string, ...args: readonly string[]) => Promise<Ended>;

/**
 * A process that runs `seqc` whenever it is asked to, one run after the other; it is started at the first call, and ends with this
 * process.
 */
export function openResident(): Run {
  let child: ChildProcess | undefined;
  let before: Promise<unknown> = Promise.resolve();
  return (folder, ...args) => {
    const ended = before.then(() => {
      if (child === undefined || !child.connected) child = started();
      return answered(child, { folder: resolve(folder), args });
    });
    before = ended.catch(() => {});
    return ended;
  };
}

function started(): ChildProcess {
  const child = fork(resolve(import.meta.dirname, "resident-script.ts"), { execArgv: [] });
  child.unref();
  child.channel?.unref();
  return child;
}

function answered(child: ChildProcess, request: Request): Promise<Ended> {
  return new Promise((done, failed) => {
    const died = (code: number | null): void => failed(new Error(`seqc ${request.args.join(" ")} ended with ${code}`));
    child.once("exit", died);
    child.once("message", (ended) => {
      child.off("exit", died);
      done(ended as Ended);
    });
    child.send(request);
  });
}
