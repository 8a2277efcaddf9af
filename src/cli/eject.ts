import { Command } from "commander";
import { nearest } from "../base/nearest.ts";
import { DataError } from "../runtime/data/error.ts";
import { modulesOf } from "../runtime/source.ts";
import { action, type Context, EXIT } from "./action.ts";
import { print } from "./terminal.ts";

export function ejectCommand(): Command {
  return new Command()
    .argument("<name>", "a definition of the library: LSTM, adam, categorical ...")
    .action(action(eject));
}

async function eject({ report }: Context, name: string): Promise<number> {
  const { library, all } = modulesOf({ file: "eject", text: "expect true" }, report);
  const found = library.get(name);
  if (found === undefined) {
    const near = nearest(name, library.keys());
    throw new DataError(`the library has no ${name}`, {
      hint: near === undefined ? `it has ${[...library.keys()].join(", ")}` : `did you mean ${near}?`,
    });
  }
  const { text } = all.get(found.file) ?? { text: "" };
  const { start, end } = found.definition.span;
  print(text.slice(documentedStart(text, start), end));
  return EXIT.fine;
}

/** Where the `///` lines directly above a definition begin. */
function documentedStart(text: string, start: number): number {
  const lines = text.slice(0, start).split("\n");
  let from = start - (lines.pop() ?? "").length;
  for (let line = lines.pop(); line?.startsWith("///"); line = lines.pop()) from -= line.length + 1;
  return from;
}
