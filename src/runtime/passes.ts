import type { Program } from "../build/program.ts";
import { optimizeProgram } from "../compile/optimize.ts";
import { isPass, type StageName } from "../compile/stages.ts";
import { printGraph } from "../ir/print.ts";
import type { Note } from "../pass/note.ts";
import type { PassName } from "../pass/pass.ts";
import { PASS_NAMES } from "../pass/pipeline.ts";
import type { Executor } from "./executor.ts";

/** What is said about stages, against what a target usually does. */
export interface StageChoice {
  /** Stages that a target usually leaves out, and that are to run. */
  readonly on: ReadonlySet<StageName>;
  readonly off: ReadonlySet<StageName>;
  /** Stages whose outcome is to be shown. */
  readonly shown: ReadonlySet<StageName>;
  /** Given the text of what a shown stage has made of a program, each time that it has run. */
  readonly show: (stage: StageName, program: string, text: string) => void;
}

/** What the target usually does, and nothing shown. */
export const USUAL_STAGES: StageChoice = { on: new Set(), off: new Set(), shown: new Set(), show: () => undefined };

/** The passes that do not run on a target that usually runs without `usual`. */
export function passesOff(usual: ReadonlySet<PassName>, { on, off }: StageChoice): ReadonlySet<PassName> {
  return new Set([...[...usual].filter((pass) => !on.has(pass)), ...[...off].filter(isPass)]);
}

/**
 * Puts programs through the passes, of which a target leaves `usual` out; `note` is told what they do. `rows` is about how many examples a
 * batch has.
 */
export function throughPasses(
  usual: ReadonlySet<PassName>,
  stages: StageChoice,
  note?: (note: Note) => void,
): (program: Program, rows?: number) => Program {
  const off = passesOff(usual, stages);
  return (program, rows) =>
    optimizeProgram(program, {
      off,
      ...(rows !== undefined && { rows }),
      ...(note !== undefined && { note }),
      printAfter: (pass, graph) => {
        if (stages.shown.has(pass)) stages.show(pass, program.name, printGraph(graph, { origins: true }));
      },
    });
}

/** The program with states kept at the ends of chunks only, unless that is switched off. */
export function checkpointed(program: Program, { off, shown, show }: StageChoice): Program {
  if (off.has("checkpoint")) return program;
  return optimizeProgram(program, {
    off: new Set(PASS_NAMES.filter((pass) => pass !== "checkpoint" && pass !== "dce")),
    memory: 0,
    printAfter: (pass, graph) => {
      if (shown.has(pass)) show(pass, program.name, printGraph(graph, { origins: true }));
    },
  });
}

/** The same executor behind the passes: every program is optimized before it is lowered. */
export function behindPasses(executor: Executor, usual: ReadonlySet<PassName>, stages: StageChoice): Executor {
  const through = throughPasses(usual, stages);
  return { ...executor, prepare: (program, rows) => executor.prepare(through(program, rows), rows) };
}
