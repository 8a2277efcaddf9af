import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Command } from "commander";
import { writeAtomically } from "../runtime/atomic.ts";
import { DataError } from "../runtime/data/error.ts";
import { action, type Context, EXIT } from "./action.ts";
import { readStarter } from "./starter.ts";
import { print, talk } from "./terminal.ts";

export function newCommand(): Command {
  return new Command()
    .argument("<name>", "what to call it: NAME.seq and NAME.txt, its data, are written")
    .action(action(create));
}

async function create(_: Context, path: string): Promise<number> {
  const stem = path.replace(/\.seq$/, "");
  const name = basename(stem);
  if (!/^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u.test(name)) {
    throw new DataError(`${JSON.stringify(name)} is no name for a file`, { hint: "letters, digits, - and _" });
  }
  const files = Object.entries(readStarter()).map(([end, text]) => [`${stem}${end}`, text] as const);
  const taken = files.map(([target]) => target).find((target) => existsSync(target));
  if (taken !== undefined) throw new DataError("this file is already there", { place: { file: taken } });
  await mkdir(dirname(stem), { recursive: true });
  for (const [target, text] of files) {
    await writeAtomically(target, [new TextEncoder().encode(text.replaceAll("NAME", name))]);
    print(target);
  }
  talk(`now: seqc train ${join(dirname(stem), name)}.seq`);
  return EXIT.fine;
}
