import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Command } from "commander";
import { writeAtomically } from "../runtime/atomic.ts";
import { DataError } from "../runtime/data/error.ts";
import { action, type Context, EXIT } from "./action.ts";
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
  const targets = [`${stem}.seq`, `${stem}.txt`];
  const taken = targets.find((target) => existsSync(target));
  if (taken !== undefined) throw new DataError("this file is already there", { place: { file: taken } });
  await mkdir(dirname(stem), { recursive: true });
  for (const target of targets) {
    const text = await readFile(new URL(`starter/starter${target.slice(stem.length)}`, import.meta.url), "utf8");
    const written = target.endsWith(".seq") ? text.replaceAll("NAME", name) : text;
    await writeAtomically(target, [new TextEncoder().encode(written)]);
    print(target);
  }
  talk(`now: seqc train ${join(dirname(stem), name)}.seq`);
  return EXIT.fine;
}
