import { IndentationText, Project, StructureKind } from "ts-morph";
import type { Program, WeightSpec } from "../../build/program.ts";
import type { Origin } from "../../ir/graph.ts";
import { identifier } from "../../target/tfjs/names.ts";
import { bundle, type SupportPart } from "../bundle.ts";
import { inComment } from "../comment.ts";
import type { SourceText } from "../source-text.ts";
import type { EmitInput } from "./emit-input.ts";
import { addForward } from "./forward.ts";
import type { Declarations, FunctionContext } from "./members.ts";
import { LINE_WIDTH } from "./print-expression.ts";
import { addTraining } from "./training.ts";
import { addWeights, WEIGHTS_SUPPORT } from "./weights.ts";

/** A file to write. */
export type EmittedFile = SourceText;

/**
 * A model as one TypeScript module that needs tfjs-core and nothing else: `init`, `load` and `save`, `forward`, `start` and
 * `trainStep`, `generate`. The same input gives the same bytes.
 * @param support the declarations that `readTypescriptSupport` reads
 * Throws where a size of a weight is not known.
 */
export function emitModule(input: EmitInput, support: readonly SupportPart[]): readonly EmittedFile[] {
  const model = identifier(input.model);
  const file: Declarations = [
    header(input),
    { kind: StructureKind.ImportDeclaration, namespaceImport: "tf", moduleSpecifier: "@tensorflow/tfjs-core" },
  ];
  const names = { model, weights: `${model}Weights` };
  const { forward } = input;
  const weights = allWeights(input);
  const called = new Set<string>(weights.length > 0 ? WEIGHTS_SUPPORT : []);
  const context: FunctionContext = {
    file,
    names,
    equation: equationText(input.sources),
    taken: declaredNames(support),
    support: called,
  };
  addWeights(file, names, weights, allSizes(input));
  if (forward.graph.results.length > 0)
    addForward(context, forward, "forward", model, `Runs ${input.model} on a batch.`, false);
  for (const training of input.train)
    addTraining(context, training, input.train.length > 1 ? capital(training.name) : "");
  for (const generation of input.generate) {
    const suffix = input.generate.length > 1 ? capital(generation.name) : "";
    addForward(
      context,
      generation.program,
      `generate${suffix}`,
      `${model}Generate${suffix}`,
      generation.doc ?? `Generates with ${input.model}: what is emitted is chosen by the model.`,
      true,
    );
  }
  file.push(`\n// What tfjs-core lacks. Random numbers are the same everywhere.\n\n${bundle(support, called)}`);
  return [{ path: `${model}.ts`, text: spaced(printFile(file)) }];
}

function printFile(statements: Declarations): string {
  const project = new Project({
    useInMemoryFileSystem: true,
    manipulationSettings: { indentationText: IndentationText.TwoSpaces },
  });
  return project.createSourceFile("module.ts", { statements }).getFullText();
}

function programsOf(input: EmitInput): readonly Program[] {
  return [
    input.forward,
    ...input.train.map((training) => training.program),
    ...input.generate.map((generation) => generation.program),
  ];
}

/** The weights of all programs: one alone may not reach them all. */
function allWeights(input: EmitInput): readonly WeightSpec[] {
  const byName = new Map<string, WeightSpec>();
  for (const spec of programsOf(input).flatMap((program) => program.weights))
    if (!byName.has(spec.name)) byName.set(spec.name, spec);
  return [...byName.values()];
}

function allSizes(input: EmitInput): ReadonlyMap<string, number> {
  return new Map(programsOf(input).flatMap((program) => [...program.sizes]));
}

function header(input: EmitInput): string {
  const parts = input.parts.flatMap(({ name, doc }) => ["", `${name}: ${doc}`]);
  const lines = [
    ...(input.doc === undefined ? [] : [input.doc, ""]),
    `Written by seqc from ${input.file}. Do not edit: change the model and compile it again.`,
    ...parts,
  ];
  return [
    "/**",
    ...lines.flatMap((line) => inComment(line).split("\n")).map((line) => ` * ${line.trim()}`.trimEnd()),
    " */",
  ].join("\n");
}

function equationText(sources: ReadonlyMap<string, string>): (origin: Origin) => string | undefined {
  return ({ span }) => {
    const text = sources.get(span.file)?.slice(span.start, span.end);
    return text === undefined || text.trim() === "" ? undefined : text;
  };
}

/** Every name that a support file declares at its top. */
function declaredNames(support: readonly SupportPart[]): readonly string[] {
  return support.flatMap(({ names }) => names);
}

function capital(name: string): string {
  return identifier(name)
    .split("_")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
}

/** A signature that is too long takes a line for each parameter. */
function wrappedSignature(line: string): string {
  const match =
    /^(export (?:async )?function \w+\()(.*)(\): [^()]+ \{)$/.exec(line) ?? /^(function \w+\()(.*)(\) \{)$/.exec(line);
  if (match === null || line.length <= LINE_WIDTH) return line;
  const [, open = "", parameters = "", close = ""] = match;
  return [open, ...parameters.split(/, (?=\w+\??:)/).map((parameter) => `  ${parameter},`), close].join("\n");
}

/** One empty line between declarations, none at the start of a block. */
function spaced(text: string): string {
  const apart = text.replace(/\n([}\])];?)\n(?=\S)/g, "\n$1\n\n");
  const wrapped = apart.split("\n").map(wrappedSignature).join("\n");
  return `${wrapped
    .replace(/\n{3,}/g, "\n\n")
    .replace(/\{\n\n/g, "{\n")
    .trim()}\n`;
}
