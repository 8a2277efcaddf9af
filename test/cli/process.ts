import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { BUILT } from "../support/built.ts";
import { openResident, type Run } from "./resident.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves once stderr shows the text. */
  readonly says: (text: string) => Promise<void>;
  readonly ended: Promise<Ended>;
}

/** Starts `seqc` in a folder, in a process of its own. */
export function start(folder: string, ...args: readonly string[]): Running {
  return startWith({}, folder, ...args);
}

/** Starts `seqc` in a folder with these environment variables beside the usual ones. */
export function startWith(
  variables: Readonly<Record<string, string>>,
  folder: string,
  ...args: readonly string[]
): Running {
  const env = { ...process.env, ...variables };
  const child = spawn(process.execPath, [BUILT, ...args], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk.toString()));
  const ended = new Promise<Ended>((done, failed) => {
    child.on("error", failed);
    child.on("close", (code) => done({ code, stdout: out.join(""), stderr: err.join("") }));
  });
  const says = (text: string): Promise<void> =>
    new Promise((done, failed) => {
      const look = (): void => {
        if (err.join("").includes(text)) done();
      };
      look();
      child.stderr.on("data", look);
      child.on("close", () => failed(new Error(`it ended without saying ${text}:\n${err.join("")}`)));
    });
  return { child, says, ended };
}

/** Runs `seqc` in a folder to its end: in a process that has run others before, which takes a fraction of the time of a new one. */
export const seqc: Run = openResident();

/** A folder with these files, which is removed after the test. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "seqc-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFiles(folder, files);
  return folder;
}

export function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}

/** The one JSON object that a command prints. */
export function json(text: string): Readonly<Record<string, unknown>> {
  return JSON.parse(text);
}
