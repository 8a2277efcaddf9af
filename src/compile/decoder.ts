import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { type Choice, decoder } from "../build/decode.ts";
import { evaluate } from "../build/expression.ts";
import type { Context } from "../build/frame.ts";
import { openModel } from "../build/model.ts";
import type { Program } from "../build/program.ts";
import type { Meaning } from "../build/value.ts";
import type { EmitItem, Expression, Generate, GenerateClause, Name } from "../syntax/tree.ts";
import { printExpression } from "../syntax/walk.ts";
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
 * Undefined after anything wrong was reported.
 */
export function compileGeneration(job: Job, generate: Generate): Generation | undefined {
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
      clause?.method === undefined ? best(clause?.span) : methodChoice(probe.context, item, clause.method, clause.span);
    if (choice === undefined) return undefined;
    choices.set(name, choice);
  }
  if (!checkClauses(job, generate, emitted, [...probe.session.inputs.keys()])) return undefined;
  const values = shown
    .filter((clause) => !emitted.includes(clause.name.text))
    .map((clause) => ({ name: clause.name.text, span: clause.name.span }));
  const made = decoder(request, choices, values);
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

function best(span: Span | undefined): Choice {
  return { rule: "best", parameters: new Map(), span };
}

/** `by greedy`, `by best`, `by sample(temperature: 0.8)`: the options are parameters of the distribution. */
function methodChoice(context: Context, item: EmitItem, method: Expression, span: Span): Choice | undefined {
  const callee = method.kind === "call" ? method.callee : method;
  const name = callee.kind === "reference" ? callee.name : "";
  if (name === "beam") {
    context.session.report.add("not-yet", method.span, "beam search is not built yet", {
      hint: "write by best, or by sample",
    });
    return undefined;
  }
  if (name !== "greedy" && name !== "best" && name !== "sample") {
    const near = nearest(name, ["greedy", "best", "sample"]);
    context.session.report.add(
      "wrong-option",
      near === undefined ? method.span : callee.span,
      name === "" ? "this is no way to decode" : `there is no way to decode named ${name}`,
      near === undefined
        ? { hint: "write by best, by greedy, or by sample(temperature: 0.8)" }
        : meant(near, callee.span),
    );
    return undefined;
  }
  const known = decodingOptions(context, item);
  const parameters = new Map<string, Meaning>();
  for (const argument of method.kind === "call" ? method.args : []) {
    if (argument.name === undefined) {
      const usage =
        known === undefined || known.length === 0 ? name : `${name}(${known[0]}: ${printExpression(argument.value)})`;
      context.session.report.add("wrong-option", argument.span, "options of a decoding are given by name", {
        hint: `write by ${usage}`,
      });
      return undefined;
    }
    if (known?.includes(argument.name.text) === false) {
      const near = nearest(argument.name.text, known);
      const { span: at, text } = argument.name;
      context.session.report.add(
        "wrong-option",
        at,
        `${printExpression(item.dist.kind === "call" ? item.dist.callee : item.dist)} has no option ${text}`,
        near !== undefined
          ? meant(near, at)
          : { hint: known.length > 0 ? `its options are ${known.join(", ")}` : `it has no options: write by ${name}` },
      );
      return undefined;
    }
    const meaning = evaluate(context, argument.value);
    if (meaning.kind === "invalid") return undefined;
    parameters.set(argument.name.text, meaning);
  }
  const rule = name === "sample" ? "sample" : "best";
  return canDraw(context, item, rule, method.span) ? { rule, parameters, span } : undefined;
}

/** Whether an emission's distribution says how to decode so. */
function canDraw(context: Context, { dist }: EmitItem, rule: "sample" | "best", span: Span): boolean {
  const found = evaluate(context, dist.kind === "call" ? dist.callee : dist);
  if (found.kind !== "definition" && found.kind !== "instance") return false;
  const { items, name } = found.definition;
  if (items.some((item) => item.kind === "equation" && item.targets.some((target) => target.name.text === rule)))
    return true;
  context.session.report.add("cannot-sample", span, `${name.text} does not say how: it has no ${rule}`, {
    related: [
      { span: dist.span, message: "this is its distribution" },
      { span: name.span, message: `${name.text} is defined here` },
    ],
    hint: `write an equation ${rule} = ... in ${name.text}`,
  });
  return false;
}

/** The parameters of an emission's distribution; undefined where it could not be found. */
function decodingOptions(context: Context, { dist }: EmitItem): readonly string[] | undefined {
  const found = evaluate(context, dist.kind === "call" ? dist.callee : dist);
  if (found.kind !== "definition" && found.kind !== "instance") return undefined;
  return found.definition.parameters.map((parameter) => parameter.name.text);
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

function readParams({ graph }: Program): ReadonlySet<string> {
  return new Set([...graph.nodes.flatMap((node) => node.inputs), ...graph.results.map(({ id }) => id)]);
}

/** Inputs that nothing reads need no value: a generator's real images while it makes others. */
function withoutIdleInputs(program: Program): Program {
  const read = readParams(program);
  const idle = new Set(
    [...program.params].filter(([id, role]) => role.kind === "input" && !read.has(id)).map(([id]) => id),
  );
  const graph = { ...program.graph, params: program.graph.params.filter(({ id }) => !idle.has(id)) };
  const names = new Set(
    [...program.params].flatMap(([id, role]) => (role.kind === "input" && idle.has(id) ? [role.name] : [])),
  );
  const inputs = program.inputs.filter(({ name, emitted }) => emitted || !names.has(name));
  return { ...program, graph, inputs, params: new Map([...program.params].filter(([id]) => !idle.has(id))) };
}
