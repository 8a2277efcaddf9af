import { type Command, InvalidArgumentError, Option } from "commander";
import { nearest } from "../base/nearest.ts";
import { isPass, isStage, STAGE_NAMES, type StageName } from "../compile/stages.ts";
import { OPTIONAL_PASSES } from "../pass/pipeline.ts";
import type { StageChoice } from "../runtime/passes.ts";
import { talk } from "./terminal.ts";

/** What the options of `addPassOptions` give; the switches stand under their names in camel case. */
export interface PassOptions {
  readonly printAfter?: readonly StageName[];
}

/** `--no-PASS` for each pass and for `fuse`, `--PASS` for those that some target leaves out, `--print-after PASS`. */
export function addPassOptions(command: Command): Command {
  command.optionsGroup("Passes:");
  command.option(
    "--print-after <pass>",
    `show on stderr what a pass makes of the graph, or "all": ${STAGE_NAMES.join(", ")}; may be repeated`,
    shownStage,
  );
  for (const stage of STAGE_NAMES) {
    if (isPass(stage) && OPTIONAL_PASSES.has(stage)) command.addOption(new Option(`--${stage}`).hideHelp());
    command.addOption(new Option(`--no-${stage}`, SENTENCES[stage]));
  }
  return command;
}

/** What is lost without a stage. */
const SENTENCES: Readonly<Record<StageName, string>> = {
  fold: "leave what is known while compiling to run time",
  simplify: "leave algebra out",
  cse: "compute equal values again",
  "previous-state": "shift copies of all states instead of giving the state before",
  hoist: "compute in every step of a loop what does not change",
  dce: "keep what nothing needs",
  "side-by-side": "keep independent loops apart",
  stagger: "run layers of loops one after the other",
  "merge-into-loop": "leave hoisted products outside of loops",
  "merge-products": "keep the products of a sum apart",
  "pack-gates": "keep products of one value apart",
  "pack-outputs": "put together behind a loop what it gives",
  sink: "store what loops could compute again",
  "pack-maps": "keep equal ops on parts of a value apart",
  "hoist-terms": "add the terms of a sum in the loop as they stand",
  checkpoint: "keep all states of long loops, whatever memory they take",
  unroll: "keep loops as they are",
  fuse: "give every value a kernel and memory of its own",
};

function shownStage(text: string, before: readonly StageName[] = []): readonly StageName[] {
  if (text === "all") return STAGE_NAMES;
  if (isStage(text)) return [...before, text];
  const near = nearest(text, STAGE_NAMES);
  throw new InvalidArgumentError(
    near === undefined ? `The passes are ${STAGE_NAMES.join(", ")}.` : `Did you mean ${near}?`,
  );
}

/** The stages as the options say. */
export function stageChoice(options: PassOptions): StageChoice {
  const given = new Map<string, unknown>(Object.entries(options));
  const said = (stage: StageName): unknown => given.get(camelCase(stage));
  return {
    on: new Set([...OPTIONAL_PASSES].filter((pass) => said(pass) === true)),
    off: new Set(STAGE_NAMES.filter((stage) => said(stage) === false)),
    shown: new Set(options.printAfter),
    show: (stage, program, text) => talk(`// ${program} after ${stage}\n${text.trimEnd()}\n`),
  };
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
