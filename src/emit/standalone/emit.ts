import type { Span } from "../../base/span.ts";
import type { Program } from "../../build/program.ts";
import { type Size, sizeNames } from "../../ir/size.ts";
import type { DType } from "../../ir/type.ts";
import { createNames, identifier } from "../../target/tfjs/names.ts";
import { bundle, type SupportPart } from "../bundle.ts";
import { inComment, inLine } from "../comment.ts";
import type { Origins } from "../source-map.ts";
import type { SourceText } from "../source-text.ts";
import { property } from "../tfjs/layout.ts";
import { printSize } from "../tfjs/print-expression.ts";
import { type Code, type Literal, printLiteral } from "./literal.ts";
import { type MachineOptions, type MachineText, machineFor } from "./machine.ts";
import { type InputText, inputText, type ProgramText, type ResultText } from "./program.ts";
import { choices, constantName, FORWARD, keptBy, type StandaloneInput } from "./wanted.ts";

export interface StandaloneOptions extends MachineOptions {
  /** Whether the module is for use alone: without training, new weights and saving. */
  readonly inference?: boolean;
}

/** A module, and where its class and methods come from. */
export interface StandaloneModule extends SourceText {
  readonly origins: Origins;
}

/**
 * A model as one TypeScript module that needs nothing else: a class with its code. The same input gives the same bytes.
 * @param support the declarations that `readStandaloneSupport` reads
 */
export function emitStandalone(
  input: StandaloneInput,
  support: readonly SupportPart[],
  options: StandaloneOptions,
): StandaloneModule {
  const machine = machineFor(input, options, sizeCode);
  const { texts } = machine;
  const taken = [...support.flatMap(({ names }) => names), ...texts.keys(), ...machine.names, ...GLOBALS];
  const emission: Emission = {
    input,
    machine,
    model: identifier(input.model),
    className: createNames(taken).fresh(input.model),
    inference: options.inference ?? false,
    types: [],
    data: [],
    uses: new Set(),
    methods: new Map(),
  };
  const methods = [
    ...lifeMethods(emission),
    ...forwardMethods(emission),
    ...trainMethods(emission),
    ...generateMethods(emission),
    ...endMethods(emission),
    ...targetMethods(emission),
  ];
  const { model, className, types, data, uses } = emission;
  const parts = [
    header(input),
    ...types,
    `${comment(input.doc ?? `The model ${input.model}.`, "")}${className === model ? "export " : ""}class ${className} {
${constructorText(machine)}

${methods.join("\n\n")}
}${className === model ? "" : `\n\nexport { ${className} as ${model} };`}`,
    `const SPEC: ModelSpec${emission.inference ? "" : "<StartEntry>"} = ${printLiteral(kept(emission))};`,
    ...(machine.code === undefined ? [] : [`const CODE: WasmCode = ${printLiteral(machine.code)};`]),
    ...machine.declarations,
    "// Programs: what their memory holds for sizes that are known when they run, and what their arrays are for.",
    ...data,
    `// What every model carries with it. Random numbers are the same everywhere.\n\n${exported(bundle(support, [...uses, ...machine.uses, ...ALWAYS]))}`,
  ];
  const origins: Origins = { className, model: input.span, methods: emission.methods };
  return { path: `${model}.ts`, text: `${parts.join("\n\n")}\n`, origins };
}

/** What a module uses of its surroundings: no class may take its place. */
const GLOBALS = (
  "SPEC CODE AbortSignal AsyncGenerator AsyncIterable DataView Error Float64Array Iterable JSON Number Object Pick " +
  "Promise RangeError ReadonlyMap ReadonlySet Readonly Record Set String SyntaxError TextDecoder TextEncoder TypeError " +
  "WebAssembly globalThis performance setTimeout"
).split(" ");

const ALWAYS = ["createModel", "readWeights", "Model", "ModelSpec", "ProgramSpec"];
/** Types that callers need a name for. */
const SHOWN_TYPES = [
  "Output",
  "InputArray",
  "ShapedNumbers",
  "TrainedStep",
  "TrainOptions",
  "States",
  "GenerateOptions",
  "DeviceOptions",
  "TargetOptions",
  "Target",
];

function exported(code: string): string {
  return code.replace(new RegExp(`^(interface|type) (${SHOWN_TYPES.join("|")})\\b`, "gm"), "export $1 $2");
}

/** What the model keeps; how it starts only where new weights are made. */
function kept({ input, inference }: Emission): Literal {
  const all = keptBy(input);
  if (!inference) return all;
  return { ...all, weights: all.weights.map(({ name, shape }) => ({ name, shape })) };
}

/** What is put together while a model is written down. */
interface Emission {
  readonly input: StandaloneInput;
  readonly machine: MachineText;
  readonly model: string;
  /** What the class is called in the file, where its model has a name that means something there already. */
  readonly className: string;
  /** Whether it is for use alone: without training, new weights and saving. */
  readonly inference: boolean;
  readonly types: string[];
  readonly data: string[];
  /** Names of the runtime that the class uses beside what every class does. */
  readonly uses: Set<string>;
  /** What methods come from, by name. */
  readonly methods: Map<string, Span>;
}

interface Method {
  readonly doc: string;
  readonly signature: string;
  readonly body: readonly string[];
}

function method({ doc, signature, body }: Method): string {
  return `${comment(doc, "  ")}  ${signature} {\n${body.map((line) => `    ${line}\n`).join("")}  }`;
}

function comment(text: string, pad: string): string {
  const lines = inComment(text)
    .split("\n")
    .map((line) => line.trim());
  if (lines.length === 1) return `${pad}/** ${lines[0]} */\n`;
  return `${pad}/**\n${lines.map((line) => `${pad} * ${line}`.trimEnd()).join("\n")}\n${pad} */\n`;
}

function header({ file, equations }: StandaloneInput): string {
  const source = equations
    .flatMap((text) => ["", ...inComment(text).trimEnd().split("\n")])
    .map((line) => `// ${line}`.trimEnd());
  return [
    `// Written by seqc from ${inLine(file)}. Do not edit: change the model and compile it again.`,
    ...source,
  ].join("\n");
}

/** A program's module, or its modules by target, in which the names of all weights stand as what the file has of them. */
function brief(module: object, names: readonly string[]): object {
  const fields = Object.entries(module).map(([field, value]): [string, Literal] => {
    const isAll = field === "fixed" && names.length > 1 && names.join() === String(value);
    if (isAll) return [field, { code: "SPEC.weights.map(({ name }) => name)" }];
    return [field, field === "wasm" ? brief(value, names) : value];
  });
  return Object.fromEntries(fields);
}

/** Puts a program into the file. */
function addProgram(
  { input, machine: { texts, module, equations }, data }: Emission,
  name: string,
  type = "ProgramSpec",
  more: object = {},
): ProgramText<object> {
  const names = keptBy(input).weights.map((weight) => weight.name);
  const text = texts.get(name);
  if (text === undefined) throw new Error(`internal: ${name} was not compiled`);
  const fields = Object.entries({ ...more, ...text.spec }).map(
    ([field, value]) => `  ${field}: ${printLiteral(field === "module" ? brief(value, names) : value, 2)},\n`,
  );
  const notes = (equations?.get(name) ?? []).map((note) => `// ${inLine(note)}\n`);
  data.push(`${notes.join("")}const ${name}: ${type}<${module}> = {\n${fields.join("")}};`);
  return text;
}

/** The class's fields, and how they are made. */
function constructorText({ module, create, options }: MachineText): string {
  const given = options === undefined ? "" : `, options: ${options}`;
  const isEither = module === "EitherModule";
  return [
    ...(isEither ? ["  readonly #machine: EitherMachine;"] : []),
    `  readonly #model: Model<${module}>;`,
    "",
    `  private constructor(weights: ReadonlyMap<string, Float32Array>${given}) {`,
    ...(isEither ? [`    this.#machine = ${create};`] : []),
    `    this.#model = createModel(SPEC, weights, ${isEither ? "this.#machine" : create});`,
    "  }",
  ].join("\n");
}

function lifeMethods({ className, inference, uses, machine: { options } }: Emission): readonly string[] {
  const [more, given] = options === undefined ? ["", ""] : [`, options: ${options} = {}`, ", options"];
  const load = method({
    doc: `Reads weights from the bytes of a safetensors file.\nThrows where one is missing or has another shape, and says what was wanted and found.`,
    signature: `static async load(bytes: Uint8Array${more}): Promise<${className}>`,
    body: [`return new ${className}(readWeights(SPEC, bytes)${given});`],
  });
  if (inference) return [load];
  for (const use of ["firstWeights", "StartEntry"]) uses.add(use);
  return [
    load,
    method({
      doc: "Makes new weights. Each depends on the seed, its name and its shape alone.",
      signature: `static init(seed = 0${more}): ${className}`,
      body: [`return new ${className}(firstWeights(SPEC, seed)${given});`],
    }),
  ];
}

/** What a module for several targets says of itself. */
function targetMethods({ machine: { module } }: Emission): readonly string[] {
  if (module !== "EitherModule") return [];
  return [
    method({
      doc: "What it runs on, once that is known: there is a graphics card, or there is none.",
      signature: "get target(): Promise<Target>",
      body: ["return this.#machine.target();"],
    }),
  ];
}

/** Forward on whole sequences; where the model can be run piece by piece, as one piece that begins them. */
function forwardMethods(emission: Emission): readonly string[] {
  const { input, model, types, uses } = emission;
  const text = addProgram(emission, FORWARD);
  const outputs = text.results.filter(({ state }) => state === undefined);
  types.push(inputType(`${model}Inputs`, `What ${model} reads.`, text.inputs));
  types.push(outputType(`${model}Outputs`, "The parameters of what the model emits.", outputs));
  const inPieces = input.stream !== undefined;
  for (const name of LIFE) emission.methods.set(name, input.span);
  for (const { as, name } of outputs) {
    const emitted = [...input.emissions].find(([one]) => name.startsWith(`${one}.`));
    emission.methods.set(as, emitted?.[1] ?? input.span);
  }
  for (const use of inPieces ? ["runStep", "States"] : ["runForward"]) uses.add(use);
  return [
    method({
      doc: "Runs the model on a batch.",
      signature: `async forward(inputs: ${model}Inputs): Promise<${model}Outputs>`,
      body: [
        inPieces
          ? "return (await this.step(undefined, inputs))[0];"
          : `return (await runForward(this.#model, ${FORWARD}, inputs)) as ${model}Outputs;`,
      ],
    }),
    ...outputs.map(({ as, ...result }) =>
      method({
        doc: `${arrayText(result)}.`,
        signature: `async ${as}(inputs: ${model}Inputs): Promise<${model}Outputs["${as}"]>`,
        body: [`return (await this.forward(inputs)).${as};`],
      }),
    ),
    ...(inPieces ? [stepMethod(model)] : []),
  ];
}

/** Methods that the model as a whole is the origin of. */
const LIFE = ["load", "init", "forward", "step", "save", "dispose"];

function stepMethod(model: string): string {
  return method({
    doc: "Runs the model on the next piece of sequences, of any length, and gives the states to go on from. They are the caller's: the same\nstates can be gone on from twice. Without states a sequence begins.",
    signature: `async step(states: States | undefined, inputs: ${model}Inputs): Promise<[${model}Outputs, States]>`,
    body: [`return (await runStep(this.#model, ${FORWARD}, states, inputs)) as [${model}Outputs, States];`],
  });
}

function trainMethods(emission: Emission): readonly string[] {
  const { input, model, types, uses } = emission;
  return input.train.map(({ name, doc, span, seed }) => {
    const suffix = input.train.length > 1 ? capital(name) : "";
    const constant = constantName("TRAIN", input.train, name);
    const text = addProgram(emission, constant);
    types.push(inputType(`${model}${suffix}Batch`, `What a step of ${name} reads.`, text.inputs));
    emission.methods.set(`train${suffix}`, span);
    for (const use of ["trainWith", "TrainedStep", "TrainOptions"]) uses.add(use);
    return method({
      doc: `${doc ?? `Trains as ${name} says.`}\nA step for each batch; the weights and the optimizer's state stay between calls. A batch that is refused changes nothing.`,
      signature: `train${suffix}(batches: Iterable<${model}${suffix}Batch> | AsyncIterable<${model}${suffix}Batch>, options: TrainOptions = {}): AsyncGenerator<TrainedStep, void, undefined>`,
      body: [`return trainWith(this.#model, ${constant}, batches, { seed: ${seed}, ...options });`],
    });
  });
}

function generateMethods(emission: Emission): readonly string[] {
  const { input, model, types, uses } = emission;
  return input.generate.map(({ name, doc, span, program }) => {
    const suffix = input.generate.length > 1 ? capital(name) : "";
    const emissions = choices(program).flatMap(({ as }) => {
      const spec = program.inputs.find((one) => one.name === as);
      return spec === undefined ? [] : [inputText(program, spec)];
    });
    const constant = constantName("GENERATE", input.generate, name);
    addProgram(emission, constant, "GenerationSpec", {
      model: input.model,
      emissions: emissions.map(({ literal }) => literal),
    });
    emission.methods.set(`generate${suffix}`, span);
    types.push(chosenType(`${model}${suffix}Chosen`, emissions));
    for (const use of ["generateWith", "GenerationSpec", "GenerateOptions"]) uses.add(use);
    const own = drawingOptions(program);
    const type = own.map(({ name: option }) => `readonly ${option}?: number | undefined`).join("; ");
    const names = own.map(({ name: option }) => option).join(", ");
    const usual = own.map(({ name: option, value }) => `\n\`${option}\` is ${value} where left out.`);
    return method({
      doc: `${doc ?? `Generates as ${name} says.`}\nOne position after the other, behind the prompt; it ends after \`max\` positions (100 where not said) or where the model ends.${usual.join("")}`,
      signature: `generate${suffix}(options: GenerateOptions${own.length > 0 ? ` & { ${type} }` : ""} = {}): AsyncGenerator<${model}${suffix}Chosen, void, undefined>`,
      body: [
        ...(own.length > 0 ? [`const { ${names}, ...others } = options;`] : []),
        `const chosen = generateWith(this.#model, ${constant}, ${own.length > 0 ? `{ ...others, drawn: { ${names} } }` : "options"});`,
        `return chosen as AsyncGenerator<${model}${suffix}Chosen, void, undefined>;`,
      ],
    });
  });
}

/** Numbers that say how samples are drawn, which are options of the method. */
function drawingOptions({ params }: Program): readonly { readonly name: string; readonly value: number }[] {
  return [...params.values()].flatMap((role) =>
    role.kind === "option" && identifier(role.name) === role.name && !OPTIONS.includes(role.name) ? [role] : [],
  );
}

/** What every generation has beside its own options. */
const OPTIONS = ["inputs", "prompt", "max", "seed", "signal", "drawn", "others", "chosen"];

function endMethods({ inference, uses }: Emission): readonly string[] {
  const dispose = method({
    doc: "Frees the model's memory. Any later call throws.",
    signature: "dispose(): void",
    body: ["this.#model.dispose();"],
  });
  if (inference) return [dispose];
  uses.add("saveWeights");
  const save = method({
    doc: "The weights as the bytes of a safetensors file.",
    signature: "save(): Promise<Uint8Array>",
    body: ["return saveWeights(this.#model);"],
  });
  return [save, dispose];
}

/** `(B, T) => 4 * B * T`; names before the last that is needed are there for their places. */
function sizeCode(size: Size, names: readonly string[]): Code {
  const needed = sizeNames(size);
  const last = names.findLastIndex((name) => needed.has(name));
  const given = names.slice(0, last + 1).map((name, at) => (needed.has(name) ? identifier(name) : `_${at}`));
  return { code: `(${given.join(", ")}) => ${printSize(size)}` };
}

const TYPE_WORDS: Readonly<Record<DType, string>> = { float: "float32", int: "int32", bool: "boolean" };

/** An object type with a field for each array that callers give: nested lists, or numbers with their shape. */
function inputType(name: string, doc: string, inputs: readonly InputText[]): string {
  const fields = inputs.map(({ spec, below }) => {
    const shape = ["B", ...spec.shape.filter((size) => size.text !== "1").map((size) => size.text)];
    const limit = below === undefined ? "" : `, whole numbers below ${below}`;
    const text = [spec.doc && inLine(spec.doc), `${TYPE_WORDS[spec.dtype]} [${shape.join(", ")}]${limit}.`].filter(
      (part) => part !== undefined,
    );
    return `  /** ${text.join(" ")} */\n  readonly ${property(spec.name)}: ${nestedType(shape.length)} | ShapedNumbers;\n`;
  });
  return `/** ${doc} Examples may be of different lengths where they are given as lists. */\nexport type ${name} = {\n${fields.join("")}};`;
}

function nestedType(rank: number): string {
  let type = "readonly number[]";
  for (let depth = 1; depth < rank; depth++) type = `readonly (${type})[]`;
  return type;
}

function outputType(name: string, doc: string, results: readonly ResultText[]): string {
  const fields = results.map(({ as, ...result }) => {
    const axes = result.shape.map(({ name: axis, size }) => `${axisLabel(axis)}: ${size ?? "number"}`);
    return `  /** ${arrayText(result)}. */\n  readonly ${property(as)}: Output<readonly [${axes.join(", ")}]>;\n`;
  });
  return `/** ${doc} */\nexport type ${name} = {\n${fields.join("")}};`;
}

function axisLabel(text: string): string {
  return /^[A-Za-z_]\w*$/.test(text) ? text : "axis";
}

function arrayText({ dtype, shape }: Pick<ResultText, "dtype" | "shape">): string {
  return `${TYPE_WORDS[dtype]} [${shape.map(({ name, size }) => (size === undefined || String(size) === name ? name : `${name} = ${size}`)).join(", ")}]`;
}

function chosenType(name: string, emissions: readonly InputText[]): string {
  const fields = emissions.map(({ spec, below }) => {
    const inner = spec.shape.filter((size, axis) => size.text !== "1" && spec.times[axis] === undefined);
    const limit = below === undefined ? "" : ` below ${below}`;
    return `  /** ${inner.length === 0 ? `${TYPE_WORDS[spec.dtype]}${limit}` : `${TYPE_WORDS[spec.dtype]} [${inner.map((size) => size.text).join(", ")}]`}. */\n  readonly ${property(spec.name)}: ${inner.length === 0 ? "number" : "Output"};\n`;
  });
  return `/** What is chosen for one position. */\nexport type ${name} = {\n${fields.join("")}};`;
}

function capital(name: string): string {
  return identifier(name)
    .split("_")
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join("");
}
