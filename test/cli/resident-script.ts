import { pathToFileURL } from "node:url";
import { BUILT } from "../support/built.ts";

/*
 * Runs `seqc` again and again in one process, as its parent asks: its start, and the machine code that the first runs warm up, are
 * paid once. Each run has its own folder, arguments, outputs and exit code.
 */

export interface Request {
  readonly folder: string;
  readonly args: readonly string[];
}

/** What a run wrote, and how it ended. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const leave = process.exit.bind(process);
let runs = 0;

async function run({ folder, args }: Request): Promise<Ended> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const exit = Promise.withResolvers<void>();
  let exited: number | undefined;
  const into = (texts: string[]) => (chunk: string | Uint8Array) => {
    if (exited === undefined) texts.push(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
    return true;
  };
  process.stdout.write = into(stdout);
  process.stderr.write = into(stderr);
  process.exitCode = 0;
  process.exit = (code) => {
    exited ??= Number(code ?? process.exitCode);
    exit.resolve();
    throw new Error("the process has ended");
  };
  process.chdir(folder);
  process.argv = [process.execPath, BUILT, ...args];
  await Promise.race([import(`${pathToFileURL(BUILT).href}?${runs++}`), exit.promise]);
  process.stdout.removeAllListeners("error");
  return { code: exited ?? Number(process.exitCode), stdout: stdout.join(""), stderr: stderr.join("") };
}

process.on("message", async (request: Request) => process.send?.(await run(request)));
process.on("disconnect", () => leave());
