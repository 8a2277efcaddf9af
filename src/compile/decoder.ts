import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import { createReport } from "../base/report.ts";
import type { Span } from "../base/span.ts";
import { type Choice, decoder } from "../build/decode.ts";

import { openModel } from "../build/model.ts";
import type { Program } from "../build/program.ts";
import type { Expression, Generate, GenerateClause, Name } from "../syntax/tree.ts";
import { bestChoice, methodChoice } from "./choice.ts";
import { readParams, withoutIdleInputs } from "./idle.ts";
import { type Job, modelRequest, scheduled } from "./program.ts";

type OptionClause = Extract<GenerateClause, { kind: "option" }>;

/** A generation, ready to run: its program and what the clauses say. */
export interface Generation {
  readonly program: Program;
  readonly name: string;
  /** Inputs that the block gives: `word = "steering"`. */
  readonly given: readonly Extract<GenerateClause, { kind: "set" }>[];
  readonly options: ReadonlyMap<OptionClause["option"], Expression>;
  /** Emissions that are chosen, in the order to print. */
  readonly emissions: readonly string[];
  /** Named values to print. */
  readonly values: readonly string[];
}

/**
 * Makes a `generate` block's decoder: the model's own graph, in which every emission that the block does not give is chosen, by its most
 * probable value where nothing else is said. One example per batch row; results are named as the emissions and values that are shown.
 * With `adjustable`, numbers of a method (`sample(temperature: 0.8)`) are params that calls may give, where the distribution takes them so.
 * Undefined after anything wrong was reported.
 */
export function compileGeneration(
  job: Job,
  generate: Generate,
  { adjustable = false }: { readonly adjustable?: boolean } = {},
): Generation | undefined {
  const request = modelRequest(job, generate.model);
  if (request === undefined) return undefined;
  const probe = openModel(request);
  const given = generate.clauses.filter((clause) => clause.kind === "set");
  const shown = generate.clauses.filter((clause) => clause.kind === "show");
  const emitted = probe.emissions.map((item) => item.name.text);
  const choices = new Map<string, Choice>();
  for (const item of probe.emissions) {
    const name = item.name.text;
    if (given.some((clause) => clause.name.text === name)) continue;
    const clause = shown.find((candidate) => candidate.name.text === name);
    const choice =
      clause?.method === undefined
        ? bestChoice(clause?.span)
        : methodChoice(probe.context, item, clause.method, clause.span);
    if (choice === undefined) return undefined;
    choices.set(name, choice);
  }
  if (!checkClauses(job, generate, emitted, [...probe.session.inputs.keys()])) return undefined;
  const values = shown
    .filter((clause) => !emitted.includes(clause.name.text))
    .map((clause) => ({ name: clause.name.text, span: clause.name.span }));
  const quiet = createReport();
  // A number that the distribution needs to know beforehand stays as it is.
  const open = adjustable ? decoder({ ...request, report: quiet }, choices, values, true) : undefined;
  const made = open === undefined || quiet.hasErrors ? decoder(request, choices, values) : open;
  const program =
    made === undefined || job.report.hasErrors ? undefined : scheduled(made.program, job.report, job.modules);
  if (program === undefined || !checkGiven(job, generate, program)) return undefined;
  const options = new Map(
    generate.clauses.flatMap((clause) => (clause.kind === "option" ? [[clause.option, clause.value] as const] : [])),
  );
  const wanted = shown.filter((clause) => choices.has(clause.name.text)).map((clause) => clause.name.text);
  return {
    program: withoutIdleInputs(program),
    name: generate.name.text,
    given,
    options,
    emissions: wanted.length > 0 || values.length > 0 ? wanted : [...choices.keys()],
    values: values.map((value) => value.name),
  };
}

function checkClauses(job: Job, generate: Generate, emitted: readonly string[], inputs: readonly string[]): boolean {
  const { report } = job;
  let fine = true;
  const wrong = ({ text, span }: Name, message: string, known: readonly string[], hint: string): void => {
    const near = nearest(text, known);
    report.add("wrong-option", span, message, near === undefined ? { hint } : meant(near, span));
    fine = false;
  };
  for (const clause of generate.clauses) {
    if (clause.kind === "set" && !inputs.includes(clause.name.text)) {
      wrong(clause.name, `the model has no input ${clause.name.text}`, inputs, `its inputs are ${inputs.join(", ")}`);
    }
    if (clause.kind === "show" && clause.method !== undefined && !emitted.includes(clause.name.text)) {
      const hint = emitted.length > 0 ? `the model emits ${emitted.join(", ")}` : "the model emits nothing";
      wrong(clause.name, `${clause.name.text} is not emitted, so there is nothing to choose`, emitted, hint);
    }
  }
  if (!checkTwice(generate, report)) fine = false;
  return fine;
}

/** What a clause says, it says once. */
function checkTwice(generate: Generate, report: Job["report"]): boolean {
  const seen = new Map<string, Span>();
  let fine = true;
  for (const clause of generate.clauses) {
    const name = clause.kind === "option" ? clause.option : clause.name.text;
    const key = `${clause.kind === "option"} ${name}`;
    const before = seen.get(key);
    seen.set(key, before ?? clause.span);
    if (before === undefined) continue;
    report.add("duplicate-clause", clause.span, `${name} is given twice`, {
      related: [{ span: before, message: "first here" }],
      hint: "keep one of them",
    });
    fine = false;
  }
  return fine;
}

/** Every input that what is generated depends on is given. */
function checkGiven(job: Job, generate: Generate, program: Program): boolean {
  const given = new Set(generate.clauses.flatMap((clause) => (clause.kind === "set" ? [clause.name.text] : [])));
  const read = readParams(program);
  const missing = [...program.params].flatMap(([id, role]) =>
    role.kind === "input" && read.has(id) && !given.has(role.name) ? [role.name] : [],
  );
  if (missing.length === 0) return true;
  const what = missing.length === 1 ? `the input ${missing[0]} is` : `the inputs ${missing.join(", ")} are`;
  job.report.add("missing-input", generate.name.span, `${what} not given by ${generate.name.text}`, {
    related: program.inputs
      .filter(({ name }) => missing.includes(name))
      .map(({ name, span }) => ({ span, message: `${name} is declared here` })),
    hint: `write ${missing.map((name) => `${name} = ...`).join(", ")}`,
  });
  return false;
}
