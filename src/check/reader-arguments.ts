import type { Report } from "../base/diagnostic.ts";
import { nearest } from "../base/nearest.ts";
import type { Argument, Call } from "../syntax/tree.ts";
import type { ReaderParameter, ReaderSignature } from "./readers.ts";

/** Which argument of a call is which. */
export interface MatchedArguments {
  readonly parameters: ReadonlyMap<string, Argument>;
  readonly rest: readonly Argument[];
  /** Named arguments of a reader that takes any. */
  readonly options: ReadonlyMap<string, Argument>;
}

/** Sorts a call's arguments by the reader's signature. Reports arguments that are unknown, too many, given twice or missing. */
export function matchArguments(signature: ReaderSignature, name: string, call: Call, report: Report): MatchedArguments {
  const parameters = new Map<string, Argument>();
  const options = new Map<string, Argument>();
  const rest: Argument[] = [];
  const byPlace = signature.parameters.filter((parameter) => parameter.named !== true);
  for (const argument of call.args) {
    const parameter =
      argument.name === undefined
        ? byPlace.find((_, at) => at === countPositional(call, argument))
        : signature.parameters.find((known) => known.name === argument.name?.text);
    if (parameter !== undefined) {
      if (parameters.has(parameter.name))
        report.add("wrong-arguments", argument.span, `${name} is given \`${parameter.name}\` twice`);
      parameters.set(parameter.name, argument);
    } else if (argument.name === undefined) {
      if (signature.rest === undefined)
        report.add("wrong-arguments", argument.span, `${name} takes no further argument`, {
          hint: usage(name, signature),
        });
      rest.push(argument);
    } else {
      if (signature.options !== true) reportUnknown(signature, name, argument, report);
      options.set(argument.name.text, argument);
    }
  }
  reportMissing(signature, name, call, parameters, rest, report);
  return { parameters, rest, options };
}

/** `windows(of, length, step: ...)`: how a reader is called. */
export function usage(name: string, signature: ReaderSignature): string {
  const shown = (parameter: ReaderParameter): string =>
    parameter.optional === true ? `${parameter.name}: ...` : parameter.name;
  const first = signature.parameters.filter((parameter) => parameter.optional !== true).map(shown);
  const rest = signature.rest === undefined ? [] : signature.rest.least > 0 ? ["a", "b", "..."] : ["..."];
  const last = signature.parameters.filter((parameter) => parameter.optional === true).map(shown);
  return `write ${name}(${[...first, ...rest, ...last].join(", ")})`;
}

function countPositional(call: Call, argument: Argument): number {
  return call.args.slice(0, call.args.indexOf(argument)).filter((before) => before.name === undefined).length;
}

function reportUnknown(signature: ReaderSignature, name: string, argument: Argument, report: Report): void {
  const word = argument.name?.text ?? "";
  const near = nearest(
    word,
    signature.parameters.map((parameter) => parameter.name),
  );
  report.add("wrong-arguments", argument.name?.span ?? argument.span, `${name} has no argument \`${word}\``, {
    hint: near === undefined ? usage(name, signature) : `did you mean \`${near}\`?`,
    fix:
      near === undefined || argument.name === undefined
        ? undefined
        : { title: `write ${near}`, edits: [{ span: argument.name.span, text: near }] },
  });
}

function reportMissing(
  signature: ReaderSignature,
  name: string,
  call: Call,
  given: ReadonlyMap<string, Argument>,
  rest: readonly Argument[],
  report: Report,
): void {
  const missing = signature.parameters.filter((parameter) => parameter.optional !== true && !given.has(parameter.name));
  if (missing.length > 0) {
    const names = missing.map((parameter) => `\`${parameter.name}\``).join(" and ");
    report.add("wrong-arguments", call.span, `${name} needs ${names}`, { hint: usage(name, signature) });
  } else if (signature.rest !== undefined && rest.length < signature.rest.least)
    report.add("wrong-arguments", call.span, `${name} needs at least ${signature.rest.least} datasets`, {
      hint: usage(name, signature),
    });
}
