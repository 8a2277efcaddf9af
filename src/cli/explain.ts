import { relative } from "node:path";
import { Command } from "commander";
import type { ExplainedEquation } from "../compile/explain.ts";
import { explanationText } from "../compile/explain-text.ts";
import { bindRunnable, findRunnable } from "../runtime/block-program.ts";
import { explainProgram } from "../runtime/explain.ts";
import { readModules } from "../runtime/source.ts";
import { action, type Context, EXIT, remember } from "./action.ts";
import { withSettings } from "./model-option.ts";
import { collect, SET_HELP, wholeNumber } from "./options.ts";
import { addPassOptions, type PassOptions, stageChoice } from "./pass-options.ts";
import { print, talk } from "./terminal.ts";

interface Options extends PassOptions {
  readonly set?: readonly string[];
  readonly batch?: number;
  readonly length?: number;
  readonly kernels?: boolean;
  readonly json?: boolean;
}

export function explainCommand(): Command {
  const command = new Command()
    .argument("<file>", "the .seq file")
    .argument("[name]", "the train block, generate block or model, where there are several")
    .option("--set <name=value>", SET_HELP, collect)
    .option("--batch <n>", "count for so many examples, whatever the file says", wholeNumber(1))
    .option("--length <n>", "count for sequences of so many positions, whatever the data has", wholeNumber(1))
    .option("--kernels", "list every kernel too")
    .option("--json", "print one JSON object")
    .action(action(explain));
  return addPassOptions(command);
}

async function explain(context: Context, file: string, name: string | undefined, options: Options): Promise<number> {
  const { report } = context;
  const modules = readModules(file, report);
  remember(context, modules);
  if (modules === undefined || report.hasErrors) return EXIT.user;
  const found = findRunnable(modules, name);
  const model = withSettings(context, modules, found.model, options.set ?? []);
  if (model === undefined || report.hasErrors) return EXIT.user;
  const bound = await bindRunnable(modules, { ...found, model }, options, report);
  if (bound === undefined) return EXIT.user;
  const lengths = bound.guessed.filter((size) => size !== "B");
  if (lengths.length > 0) talk(`note: nothing says how long ${lengths.join(", ")} is; --length does`);
  const explanation = explainProgram(bound.program, bound.sizes, stageChoice(options));
  if (options.json === true) print(JSON.stringify(explanation, undefined, 2));
  else print(explanationText(explanation, explanation.memory, sourceOf(context, file), options.kernels === true));
  return EXIT.fine;
}

/** An equation's text on one line, and where it stands. */
function sourceOf({ sources }: Context, entry: string) {
  return ({ origin: { span } }: ExplainedEquation): { readonly text: string; readonly place: string } => {
    const text = sources.get(span.file);
    if (text === undefined) return { text: "", place: "" };
    const line = text.slice(0, span.start).split("\n").length;
    const file = span.file === entry || span.file.startsWith("std/") ? span.file : relative(".", span.file);
    return { text: text.slice(span.start, span.end).replace(/\s+/g, " ").trim(), place: `${file}:${line}` };
  };
}
