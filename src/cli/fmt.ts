import { Command } from "commander";
import { createReport } from "../base/report.ts";
import { writeAtomically } from "../runtime/atomic.ts";
import { readSource } from "../runtime/source.ts";
import { format } from "../syntax/format.ts";
import { parse } from "../syntax/parse.ts";
import { action, type Context, EXIT } from "./action.ts";
import { print, talk } from "./terminal.ts";

interface Options {
  readonly check?: boolean;
  readonly stdout?: boolean;
}

export function fmtCommand(): Command {
  return new Command()
    .argument("<file...>", "files to format in place; - formats stdin to stdout")
    .option("--check", "change nothing: print the files that would change, and fail if there are any")
    .option("--stdout", "print the formatted text instead of writing it")
    .action(action(fmt));
}

async function fmt(context: Context, files: readonly string[], options: Options): Promise<number> {
  let unformatted = 0;
  for (const file of files) {
    const source = file === "-" ? { file: "stdin", text: await readStdin() } : readSource(file, context.report);
    if (source === undefined) continue;
    const { text } = source;
    context.sources.set(source.file, text);
    const formatted = formattedText(context, source.file, text);
    if (formatted === undefined) continue;
    if (options.check === true) {
      if (formatted === text) continue;
      unformatted++;
      print(file);
    } else if (options.stdout === true || file === "-") process.stdout.write(formatted);
    else if (formatted !== text) {
      await writeAtomically(file, [new TextEncoder().encode(formatted)]);
      talk(`formatted ${file}`);
    }
  }
  return unformatted > 0 ? EXIT.user : EXIT.fine;
}

/** Undefined where the file cannot be read as it is: its mistakes are reported, and it is left alone. */
function formattedText(context: Context, file: string, text: string): string | undefined {
  const report = createReport();
  const tree = parse(text, file, report);
  for (const { code, span, message, ...more } of report.diagnostics) context.report.add(code, span, message, more);
  return report.hasErrors ? undefined : format(tree, text);
}

async function readStdin(): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}
