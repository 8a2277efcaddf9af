import type { Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Program } from "../build/program.ts";
import { findDefinition, type Modules } from "../check/modules.ts";
import { type Regime, readRegime } from "../check/regime.ts";
import { compileGeneration } from "../compile/decoder.ts";
import { compileForward, compileStep, type Job, modelRequest } from "../compile/program.ts";
import { compileStream } from "../compile/stream.ts";
import type { EmitGeneration, EmitInput, EmitTraining } from "../emit/tfjs/emit-input.ts";
import { modelName } from "../syntax/model-name.ts";
import type { Definition, Expression } from "../syntax/tree.ts";
import { descendants, printExpression } from "../syntax/walk.ts";
import { readFreezes } from "./frozen.ts";
import { readSettings } from "./settings.ts";

/** A model with all its programs. */
export interface ModelPrograms extends EmitInput {
  readonly train: readonly (EmitTraining & Block)[];
  readonly generate: readonly (EmitGeneration & Block)[];
  /** Forward on a piece of sequences, where the model can be run so. */
  readonly stream: Program | undefined;
  /** The model in the source, and what it emits. */
  readonly span: Span;
  readonly emissions: ReadonlyMap<string, Span>;
  /** The source of the model and of what it is made of, the model first. */
  readonly equations: readonly string[];
}

interface Block {
  /** In the source. */
  readonly span: Span;
}

export interface ModelProgramOptions {
  /** The forward program, where it was compiled with these sizes before. */
  readonly forward?: Program | undefined;
  /** Whether train blocks are compiled; they are where nothing is said. */
  readonly training?: boolean | undefined;
}

/**
 * Compiles a model with every train and generate block of it; blocks that train it with other arguments are left out.
 * Undefined after anything wrong was reported.
 */
export function modelPrograms(
  modules: Modules,
  model: Expression,
  sizes: ReadonlyMap<string, number>,
  report: Report,
  { forward: known, training = true }: ModelProgramOptions = {},
): ModelPrograms | undefined {
  const job: Job = { modules, sizes, dense: false, report };
  const definition = modelRequest(job, model)?.definition;
  const forward = known ?? (definition && compileForward(job, model, { values: [], gradients: false }));
  if (forward === undefined || definition === undefined) return undefined;
  const train: ModelPrograms["train"][number][] = [];
  const generate: ModelPrograms["generate"][number][] = [];
  for (const block of modules.entry.tree.declarations) {
    if ((block.kind !== "train" && block.kind !== "generate") || modelName(block.model) !== modelName(model)) continue;
    if (block.kind === "train" && !training) continue;
    const { doc, span } = block;
    if (block.kind === "generate") {
      const made = compileGeneration(job, { ...block, model }, { adjustable: true });
      if (made !== undefined) generate.push({ name: made.name, doc, span, program: made.program });
    } else if (block.model.kind === "reference" || printExpression(block.model) === printExpression(model)) {
      const regime = { ...readRegime(block, report), model };
      const frozen = alwaysFrozen(regime, forward, report);
      const program = report.hasErrors ? undefined : compileStep(job, regime, frozen);
      const seed = readSettings(regime, {}, report)?.seed ?? 0;
      const changing = changingPart(regime);
      if (program !== undefined) train.push({ name: block.name.text, doc, span, program, seed, changing });
    }
  }
  const parts = partsOf(modules, definition);
  return {
    model: modelName(model),
    file: modules.entry.file,
    doc: definition.doc,
    span: definition.span,
    emissions: new Map(
      definition.items.flatMap((item) => (item.kind === "emit" ? [[item.name.text, item.span] as const] : [])),
    ),
    parts: parts.flatMap(({ definition: { name, doc } }) => (doc === undefined ? [] : [{ name: name.text, doc }])),
    sources: new Map([...modules.all].map(([file, { text }]) => [file, text])),
    equations: [{ definition, file: modules.entry.file }, ...parts].map((part) => textOf(modules, part)),
    forward,
    stream: compileStream(job, model),
    train,
    generate,
  };
}

function alwaysFrozen(regime: Regime, { weights }: Program, report: Report): ReadonlySet<string> {
  const freezes = readFreezes(
    regime,
    weights.map(({ name }) => name),
    report,
  );
  return new Set(freezes.filter(({ until }) => until === undefined).flatMap((freeze) => [...freeze.weights]));
}

/** What makes one step of a regime another program than the next. */
function changingPart({ freezes, players, copies }: Regime): EmitTraining["changing"] {
  const freeze = freezes.find(({ until }) => until !== undefined);
  if (freeze !== undefined) return { what: "a freeze that ends", span: freeze.span };
  const [objective] = players.find(({ every }) => every > 1)?.objectives ?? [];
  if (objective !== undefined) return { what: "a player that rests", span: objective.span };
  const [copy] = copies;
  return copy && { what: "a copy of weights", span: copy.span };
}

interface Part {
  readonly definition: Definition;
  readonly file: string;
}

/** The cells, layers and distributions that a model is made of, and those that these are made of. */
function partsOf(modules: Modules, model: Definition): readonly Part[] {
  const found = new Map<string, Part>();
  const visit = (definition: Definition, file: string): void => {
    const parts = [
      ...definition.items.flatMap((item) => (item.kind === "use" ? item.uses.map(({ of }) => of) : [])),
      ...definition.parameters.flatMap((parameter) => parameter.default ?? []),
    ];
    for (const expression of parts.flatMap((part) => [...descendants(part)])) {
      const name = expression.kind === "reference" ? expression.name : "";
      const part = findDefinition(modules, file, name);
      if (part === undefined || found.has(name)) continue;
      found.set(name, part);
      visit(part.definition, part.file);
    }
  };
  visit(model, modules.entry.file);
  return [...found.values()];
}

function textOf(modules: Modules, { definition, file }: Part): string {
  return modules.all.get(file)?.text.slice(definition.span.start, definition.span.end) ?? "";
}
