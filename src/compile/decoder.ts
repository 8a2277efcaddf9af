import type { Span } from "../base/span.ts";
import { type Choice, decoder } from "../build/decode.ts";
import { evaluate } from "../build/expression.ts";
import type { Context } from "../build/frame.ts";
import { openModel } from "../build/model.ts";
import type { Program } from "../build/program.ts";
import type { Meaning } from "../build/value.ts";
import type { Expression, Generate, GenerateClause } from "../syntax/tree.ts";
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

/** Makes a `generate` block's decoder; every emission that the block does not give is chosen, by its best where not said. */
export function compileGeneration(job: Job, generate: Generate): Generation | undefined {
  const request = modelRequest(job, generate.model);
  if (request === undefined) return undefined;
  const probe = openModel(request);
  const given = generate.clauses.filter((clause) => clause.kind === "set");
  const shown = generate.clauses.filter((clause) => clause.kind === "show");
  const emitted = probe.emissions.map((item) => item.name.text);
  const choices = new Map<string, Choice>();
  for (const name of emitted) {
    if (given.some((clause) => clause.name.text === name)) continue;
    const clause = shown.find((candidate) => candidate.name.text === name);
    const choice =
      clause?.method === undefined ? best(clause?.span) : methodChoice(probe.context, clause.method, clause.span);
    if (choice === undefined) return undefined;
    choices.set(name, choice);
  }
  if (!checkClauses(job, generate, emitted, [...probe.session.inputs.keys()])) return undefined;
  const values = shown
    .filter((clause) => !emitted.includes(clause.name.text))
    .map((clause) => ({ name: clause.name.text, span: clause.name.span }));
  const made = decoder(request, choices, values);
  const program = made === undefined || job.report.hasErrors ? undefined : scheduled(made.program, job.report, job.modules);
  if (program === undefined) return undefined;
  const options = new Map(
    generate.clauses.flatMap((clause) => (clause.kind === "option" ? [[clause.option, clause.value] as const] : [])),
  );
  const wanted = shown.filter((clause) => choices.has(clause.name.text)).map((clause) => clause.name.text);
  return {
    program,
    name: generate.name.text,
    given,
    options,
    emissions: wanted.length > 0 || values.length > 0 ? wanted : [...choices.keys()],
    values: values.map((value) => value.name),
  };
}

function best(span: Span | undefined): Choice {
  return { rule: "best", parameters: new Map(), span };
}

/** `by greedy`, `by best`, `by sample(temperature: 0.8)`: the options are parameters of the distribution. */
function methodChoice(context: Context, method: Expression, span: Span): Choice | undefined {
  const callee = method.kind === "call" ? method.callee : method;
  const name = callee.kind === "reference" ? callee.name : "";
  if (name === "beam") {
    context.session.report.add("not-yet", method.span, "beam search is not built yet", {
      hint: "write by best, or by sample",
    });
    return undefined;
  }
  if (name !== "greedy" && name !== "best" && name !== "sample") {
    context.session.report.add("wrong-option", method.span, `there is no way to decode named ${name}`, {
      hint: "write by best, by greedy, or by sample(temperature: 0.8)",
    });
    return undefined;
  }
  const parameters = new Map<string, Meaning>();
  for (const argument of method.kind === "call" ? method.args : []) {
    if (argument.name === undefined) {
      context.session.report.add("wrong-option", argument.span, "options of a decoding are given by name", {
        hint: `write by ${name}(temperature: 0.8)`,
      });
      return undefined;
    }
    const meaning = evaluate(context, argument.value);
    if (meaning.kind === "invalid") return undefined;
    parameters.set(argument.name.text, meaning);
  }
  return { rule: name === "sample" ? "sample" : "best", parameters, span };
}

function checkClauses(job: Job, generate: Generate, emitted: readonly string[], inputs: readonly string[]): boolean {
  const { report } = job;
  let fine = true;
  const wrong = (span: Span, message: string, hint: string | undefined): void => {
    report.add("wrong-option", span, message, { hint });
    fine = false;
  };
  for (const clause of generate.clauses) {
    if (clause.kind === "set" && !inputs.includes(clause.name.text)) {
      wrong(clause.name.span, `the model has no input ${clause.name.text}`, `its inputs are ${inputs.join(", ")}`);
    }
    if (clause.kind === "show" && clause.method !== undefined && !emitted.includes(clause.name.text)) {
      const hint = emitted.length > 0 ? `the model emits ${emitted.join(", ")}` : "the model emits nothing";
      wrong(clause.name.span, `${clause.name.text} is not emitted, so there is nothing to choose`, hint);
    }
  }
  const missing = inputs.filter(
    (name) =>
      !emitted.includes(name) && !generate.clauses.some((clause) => clause.kind === "set" && clause.name.text === name),
  );
  if (missing.length > 0) {
    report.add("missing-input", generate.name.span, `the input ${missing.join(", ")} is not given`, {
      hint: `write ${missing[0]} = ...`,
    });
    fine = false;
  }
  return fine;
}
