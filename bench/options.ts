import { parseArgs } from "node:util";
import { CLOCKS, isClock } from "./clock.ts";
import type { Effort } from "./measure.ts";
import { isSide, SIDES, type SideName } from "./side.ts";

export interface Options {
  readonly effort: Effort;
  readonly quick: boolean;
  /** Workloads by the beginnings of their names; undefined for all. */
  readonly only: readonly string[] | undefined;
  readonly sides: readonly SideName[] | undefined;
  readonly json: string | undefined;
  /** A Markdown file whose measured part is written anew. */
  readonly document: string | undefined;
  readonly help: boolean;
  readonly list: boolean;
}

export const USAGE = `npm run bench -- [options]

  --only NAME,...   workloads whose names begin so (see --list)
  --side NAME,...   these sides only: ${Object.keys(SIDES).join(", ")}
  --quick           3 short rounds, without what takes minutes
  --rounds N        rounds in which the sides take turns (default 7)
  --clock processor counts processor time, for a machine that others use meanwhile (default elapsed)
  --json FILE       writes all numbers there
  --document FILE   writes the tables into a Markdown file, docs/performance.md; needs all workloads
  --list            names the workloads
`;

/** Throws a \`TypeError\` with a sentence for the user where the arguments are wrong. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      side: { type: "string" },
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      clock: { type: "string", default: "elapsed" },
      json: { type: "string" },
      document: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
      list: { type: "boolean", default: false },
    },
  });
  if (values.document !== undefined && (values.only !== undefined || values.side !== undefined)) {
    throw new TypeError("--document needs all workloads and sides: leave out --only and --side");
  }
  const effort = values.quick ? QUICK : THOROUGH;
  return {
    effort: {
      ...effort,
      clock: readClock(values.clock),
      rounds: values.rounds === undefined ? effort.rounds : readRounds(values.rounds),
    },
    quick: values.quick,
    only: values.only?.split(","),
    sides: values.side?.split(",").map(readSide),
    json: values.json,
    document: values.document,
    help: values.help,
    list: values.list,
  };
}

const THOROUGH: Omit<Effort, "clock"> = { rounds: 7, turnMilliseconds: 400, sideMilliseconds: 30_000 };
const QUICK: Omit<Effort, "clock"> = { rounds: 3, turnMilliseconds: 100, sideMilliseconds: 3_000 };

function readRounds(text: string): number {
  const rounds = Number(text);
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError(`--rounds ${text}: give a whole number above 0`);
  return rounds;
}

function readSide(name: string): SideName {
  if (isSide(name)) return name;
  throw new TypeError(`--side ${name}: there are ${Object.keys(SIDES).join(", ")}`);
}

function readClock(name: string): Effort["clock"] {
  if (isClock(name)) return name;
  throw new TypeError(`--clock ${name}: there are ${Object.keys(CLOCKS).join(", ")}`);
}
