import { Command } from "commander";
import type { Finding } from "../runtime/expect.ts";
import { runExpect } from "../runtime/expect.ts";
import { readModules } from "../runtime/source.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { print, talk } from "./terminal.ts";

interface Options {
  readonly json?: boolean;
}

export function testCommand(): Command {
  return new Command()
    .argument("<file...>", "files whose expect lines to run")
    .option("--json", "print a JSON object for each expectation")
    .action(action(test));
}

async function test(context: Context, files: readonly string[], options: Options): Promise<number> {
  const findings: Finding[] = [];
  for (const file of files) {
    const modules = readModules(file, context.report);
    remember(context, modules);
    if (modules === undefined || context.report.hasErrors) continue;
    for (const declaration of modules.entry.tree.declarations) {
      if (declaration.kind !== "expect") continue;
      const finding = await runExpect(modules, declaration, context.report);
      findings.push(finding);
      print(options.json === true ? JSON.stringify({ file, ...finding }) : findingText(file, finding));
    }
  }
  const failed = findings.filter(({ passed }) => passed === false).length;
  talk(`${findings.filter(({ passed }) => passed === true).length} of ${findings.length} expectations hold`);
  return failed > 0 ? EXIT.user : EXIT.fine;
}

function findingText(file: string, { text, passed, measured }: Finding): string {
  const verdict = passed === undefined ? "skip" : passed ? "ok  " : "FAIL";
  return `${verdict}  ${file}: ${text}  (${measured})`;
}
