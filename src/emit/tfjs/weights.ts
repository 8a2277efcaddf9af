import { StructureKind } from "ts-morph";
import type { WeightSpec } from "../../build/program.ts";
import { inLine } from "../comment.ts";
import { arrayNote, fixedShape, property, tensorType } from "./layout.ts";
import { addMembers, type Declarations, type Member } from "./members.ts";
import { printNumber } from "./print-expression.ts";

/** Names of an emitted module that other parts of it use. */
export interface ModuleNames {
  /** `CharLM`. */
  readonly model: string;
  /** `CharLMWeights`. */
  readonly weights: string;
}

/** Support functions that `addWeights` calls. */
export const WEIGHTS_SUPPORT = ["initialize", "encodeSafetensors", "decodeSafetensors"] as const;

/** The model's arrays: their type, first values, reading and writing. */
export function addWeights(
  file: Declarations,
  names: ModuleNames,
  weights: readonly WeightSpec[],
  sizes: ReadonlyMap<string, number>,
): void {
  if (weights.length === 0) {
    file.push({
      kind: StructureKind.TypeAlias,
      name: names.weights,
      isExported: true,
      docs: [{ description: `${names.model} has no weights.` }],
      type: "Readonly<Record<string, never>>",
    });
    return;
  }
  addMembers(
    file,
    names.weights,
    `The arrays of ${names.model} by name, as they are called in files.`,
    weights.map((spec) => weightMember(spec, sizes)),
  );
  const starts = weights.map((spec) => `  ${property(spec.name)}: ${startOf(spec, sizes)},\n`).join("");
  file.push(`\n/** How each array starts, and its shape. */\nconst ARRAYS = {\n${starts}} as const;`);
  addInit(file, names, weights);
  addLoad(file, names, weights);
  addSave(file, names);
}

function weightMember(spec: WeightSpec, sizes: ReadonlyMap<string, number>): Member {
  const shape = fixedShape(spec, sizes);
  const named = arrayNote("float", spec.shape);
  const numbers = `[${shape.join(", ")}]`;
  const note = named.endsWith(numbers) ? named : `${named} = ${numbers}`;
  const doc = [spec.doc && inLine(spec.doc), `${note}${spec.trained ? "" : "; not trained by gradients"}.`]
    .filter((part) => part !== undefined)
    .join(" ");
  return { name: spec.name, type: tensorType(shape.length), optional: false, doc: doc.replace(/\s+/g, " ") };
}

function startOf(spec: WeightSpec, sizes: ReadonlyMap<string, number>): string {
  const { kind, ...numbers } = spec.initial;
  const fields = Object.entries(numbers).map(([name, value]) => `, ${name}: ${printNumber(value)}`);
  return `{ shape: [${fixedShape(spec, sizes).join(", ")}], start: { kind: "${kind}"${fields.join("")} } }`;
}

function tensorLine(spec: WeightSpec, call: string): string {
  return `${property(spec.name)}: ${call}("${spec.name}"),`;
}

function addInit(file: Declarations, names: ModuleNames, weights: readonly WeightSpec[]): void {
  file.push({
    kind: StructureKind.Function,
    name: "init",
    isExported: true,
    parameters: [{ name: "seed", initializer: "0" }],
    returnType: names.weights,
    docs: [{ description: "Makes new weights. Each depends on the seed, its name and its shape alone." }],
    statements: [
      `const make = <T extends tf.Tensor>(name: keyof typeof ARRAYS): T => {\n  const { shape, start } = ARRAYS[name];\n  return tf.tensor(initialize(start, shape, seed, name), [...shape], "float32") as T;\n};`,
      `return {\n${weights.map((spec) => `  ${tensorLine(spec, "make")}`).join("\n")}\n};`,
    ],
  });
}

function addLoad(file: Declarations, names: ModuleNames, weights: readonly WeightSpec[]): void {
  file.push({
    kind: StructureKind.Function,
    name: "load",
    isExported: true,
    parameters: [{ name: "bytes", type: "Uint8Array" }],
    returnType: names.weights,
    docs: [
      {
        description:
          "Reads weights from the bytes of a safetensors file. Throws where one is missing or has another shape; others are ignored.",
      },
    ],
    statements: [
      "const arrays = decodeSafetensors(bytes);",
      `const names = Object.keys(ARRAYS) as (keyof typeof ARRAYS)[];`,
      `for (const name of names) {\n  const found = arrays.get(name)?.shape;\n  const wanted = ARRAYS[name].shape;\n  if (found === undefined) throw new Error(\`the file has no array \${name}\`);\n  if (found.join() !== wanted.join()) throw new Error(\`\${name} is [\${wanted.join(", ")}], in the file [\${found.join(", ")}]\`);\n}`,
      `const read = <T extends tf.Tensor>(name: keyof typeof ARRAYS): T =>\n  tf.tensor(arrays.get(name)?.data ?? [], [...ARRAYS[name].shape], "float32") as T;`,
      `return {\n${weights.map((spec) => `  ${tensorLine(spec, "read")}`).join("\n")}\n};`,
    ],
  });
}

function addSave(file: Declarations, names: ModuleNames): void {
  file.push({
    kind: StructureKind.Function,
    name: "save",
    isExported: true,
    isAsync: true,
    parameters: [{ name: "weights", type: names.weights }],
    returnType: "Promise<Uint8Array>",
    docs: [{ description: "The bytes of a safetensors file with the weights." }],
    statements: [
      `const arrays = await Promise.all(\n  Object.entries(weights).map(async ([name, tensor]) => {\n    const data = Float32Array.from(await tensor.data());\n    return [name, { shape: tensor.shape, data }] as const;\n  }),\n);`,
      "return encodeSafetensors(new Map(arrays));",
    ],
  });
}
