import type { Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type {
  DataClause,
  Expression,
  LoadClause,
  ObjectiveClause,
  SplitClause,
  Train,
  TrainClause,
} from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
import { type Player, readPlayers } from "./players.ts";

type ClauseOf<K extends TrainClause["kind"]> = Extract<TrainClause, { kind: K }>;

/** A training regime with every clause in its place; what is missing is undefined. */
export interface Regime {
  readonly train: Train;
  readonly name: string;
  readonly model: Expression;
  readonly data: readonly DataClause[];
  readonly val: SplitClause | undefined;
  readonly test: SplitClause | undefined;
  readonly objectives: readonly ObjectiveClause[];
  /** Who takes turns, in this order. */
  readonly players: readonly Player[];
  readonly bptt: ClauseOf<"bptt"> | undefined;
  readonly optimizers: readonly ClauseOf<"optim">[];
  readonly clip: ClauseOf<"clip"> | undefined;
  readonly batch: ClauseOf<"batch"> | undefined;
  readonly duration: ClauseOf<"for"> | undefined;
  readonly reports: ClauseOf<"report">["metrics"];
  readonly stop: ClauseOf<"stop"> | undefined;
  readonly save: ClauseOf<"save"> | undefined;
  readonly seed: ClauseOf<"seed"> | undefined;
  readonly freezes: readonly ClauseOf<"freeze">[];
  readonly loads: readonly LoadClause[];
  readonly copies: readonly ClauseOf<"copy">[];
  readonly forcings: readonly ClauseOf<"teacher_forcing">[];
}

/**
 * Sorts the clauses of a `train` block. Clauses that are missing or given twice are reported; a regime with such findings is made of the
 * others, and is not to be compiled.
 */
export function readRegime(train: Train, report: Report): Regime {
  const all = <K extends TrainClause["kind"]>(kind: K): readonly ClauseOf<K>[] =>
    train.clauses.filter((clause): clause is ClauseOf<K> => clause.kind === kind);
  const one = <K extends TrainClause["kind"]>(kind: K): ClauseOf<K> | undefined => {
    const [first, second] = all(kind);
    if (first !== undefined && second !== undefined) reportTwice(report, kind, first, second);
    return first;
  };
  const split = (role: "val" | "test"): SplitClause | undefined => {
    const [first, second] = all("split").filter((clause) => clause.role === role);
    if (first !== undefined && second !== undefined) reportTwice(report, role, first, second);
    return first;
  };
  const regime: Regime = {
    train,
    name: train.name.text,
    model: train.model,
    data: all("data"),
    val: split("val"),
    test: split("test"),
    objectives: all("objective"),
    players: readPlayers(all("objective"), report),
    bptt: one("bptt"),
    optimizers: all("optim"),
    clip: one("clip"),
    batch: one("batch"),
    duration: one("for"),
    reports: all("report").flatMap((clause) => clause.metrics),
    stop: one("stop"),
    save: one("save"),
    seed: one("seed"),
    freezes: all("freeze"),
    loads: all("load"),
    copies: all("copy"),
    forcings: all("teacher_forcing"),
  };
  reportMissing(regime, report);
  reportOptimizers(regime, report);
  reportNames(regime, report);
  reportUnpaired(regime, report);
  return regime;
}

function reportTwice(report: Report, name: string, first: TrainClause, second: TrainClause): void {
  report.add("duplicate-clause", second.span, `${name} is given twice`, {
    related: [{ span: first.span, message: "first here" }],
    hint: "keep one of them",
  });
}

function reportMissing(regime: Regime, report: Report): void {
  const host = regime.data.some((clause) => isHost(clause));
  const missing = [
    ...(regime.data.length === 0 ? [["data", 'data x = csv("file.csv").column']] : []),
    ...(regime.objectives.length === 0 ? [["an objective", "minimize nll(...)"]] : []),
    ...(regime.optimizers.length === 0 ? [["an optimizer", "optim adam(1e-3)"]] : []),
    ...(regime.duration === undefined && !host ? [["a duration", "for 10 epochs"]] : []),
  ];
  if (missing.length === 0) return;
  const names = missing.map(([name]) => name);
  const text = names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
  report.add("missing-clause", regime.train.name.span, `train ${regime.name} lacks ${text}`, {
    hint: `write ${missing.map(([, clause]) => clause).join(", ")}`,
  });
}

/** One optimizer serves all parts that have none of their own. */
function reportOptimizers(regime: Regime, report: Report): void {
  const [first, second] = regime.optimizers.filter((clause) => clause.on.length === 0);
  if (first === undefined || second === undefined) return;
  report.add("duplicate-clause", second.span, "optim is given twice for the same weights", {
    related: [{ span: first.span, message: "first here" }],
    hint: "keep one of them, or say which part each is for: optim sgd(0.1) on head",
  });
}

/** Lines that are not paired have no order in common; a column is given once. */
function reportUnpaired({ data, bptt }: Regime, report: Report): void {
  const seen = new Map<string, Span>();
  for (const { text, span } of data.flatMap((clause) => clause.names)) {
    const before = seen.get(text);
    seen.set(text, before ?? span);
    if (before === undefined || data.length === 1) continue;
    report.add("duplicate-name", span, `${text} is given by two lines`, {
      related: [{ span: before, message: "first here" }],
      hint: "keep one of them; the rows of two tables are put together with join(...)",
    });
  }
  const [, second] = data;
  if (bptt === undefined || second === undefined) return;
  report.add("wrong-option", bptt.span, "bptt goes along one sequence, and there are separate lines of data", {
    related: [{ span: second.span, message: "this line is not paired with the first" }],
    hint: "give all columns by one line: data a, b = ...",
  });
}

/** A report's name is how it is watched and shown. */
function reportNames(regime: Regime, report: Report): void {
  const seen = new Map<string, Span>();
  for (const { name, value } of regime.reports) {
    const text = name?.text ?? printExpression(value);
    const span = name?.span ?? value.span;
    const before = seen.get(text);
    seen.set(text, before ?? span);
    if (before === undefined) continue;
    report.add("duplicate-name", span, `${text} is reported twice`, {
      related: [{ span: before, message: "first here" }],
      hint: "give one of them another name, or leave it out",
    });
  }
}

function isHost({ reader }: DataClause): boolean {
  return reader.kind === "call" && reader.callee.kind === "reference" && reader.callee.name === "host";
}
