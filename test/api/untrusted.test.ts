import * as fc from "fast-check";
import { Node, Project, type SourceFile } from "ts-morph";
import { describe, expect, test } from "vitest";
import { emitStandalone } from "../../src/emit/standalone/emit.ts";
import { emitModule } from "../../src/emit/tfjs/emit.ts";
import { compile } from "../../src/index.ts";
import type { ModelPrograms } from "../../src/runtime/model-programs.ts";
import { ON_TFJS, STANDALONE } from "../support/typescript.ts";

/** Texts that close comments, strings, templates and blocks, or end lines where only TypeScript sees it. */
const BREAKS = [
  "*/",
  "*\\/",
  "\u2028",
  "\u2029",
  "\\u002a/",
  "`",
  "${",
  "}",
  '"',
  "'",
  "\\",
  "//",
  "/*",
  "-->",
  "<!--",
  "</script>",
];
const CODE = [
  "globalThis.stolen = 1;",
  "export const stolen = 1;",
  "import 'stolen';",
  "(() => stolen())()",
  "static { stolen() }",
];
const hostile = fc
  .array(fc.constantFrom(...BREAKS, ...CODE, " ", "word"), { minLength: 1, maxLength: 8 })
  .map((parts) => parts.join(""));
/** Names that mean something to JavaScript, or to the module. */
const names = fc.constantFrom(
  ..."x constructor __proto__ prototype then toString valueOf hasOwnProperty arguments eval await yield class SPEC Model FORWARD".split(
    " ",
  ),
  ..."createModel Map Promise Error WebAssembly Float32Array undefined NaN Output Inputs".split(" "),
);

interface Names {
  readonly model: string;
  readonly input: string;
  readonly weight: string;
  readonly doc: string;
}

function source({ model, input, weight, doc }: Names): string {
  return `// ${doc}
/// ${doc}
model ${model}(N = 2) { // ${doc}
  /// ${doc}
  in ${input}: [N]
  param ${weight}: [N] // ${doc}
  ${weight}_${input} = sum(${weight} * ${input}) // ${doc}
  emit y: [] ~ normal(${weight}_${input}, 1)
}
/// ${doc}
train fit of ${model} { data ${input}, y = csv("${doc.replace(/[\\"\u2028\u2029]/g, "")}") minimize nll(y) optim sgd(0.1) batch 1 for 1 steps }
`;
}

/** What stands at the top of a file and in its class, without what it is called or exported as. */
function shapeOf(file: SourceFile): readonly string[] {
  const own = file.getStatements().filter((one) => !Node.isExportDeclaration(one) || one.hasModuleSpecifier());
  return own.flatMap((statement) => {
    const members = Node.isClassDeclaration(statement) ? statement.getMembers() : [];
    return [statement.getKindName(), ...members.map((member) => `  ${member.getKindName()}`)];
  });
}

describe("a source that nobody has read", () => {
  const project = new Project({ useInMemoryFileSystem: true, compilerOptions: { noLib: true } });
  const parsed = (text: string, file: string, emit: (programs: ModelPrograms) => string | undefined) => {
    const { diagnostics, models } = compile({ file, text });
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    const emitted = models[0] && emit(models[0].programs);
    const found = project.createSourceFile("module.ts", emitted ?? "", { overwrite: true });
    return { shape: shapeOf(found), problems: project.getProgram().getSyntacticDiagnostics(found).length };
  };

  const cannotBreakOut = async (emit: (programs: ModelPrograms) => string | undefined): Promise<void> => {
    const plain = parsed(source({ model: "M", input: "x", weight: "w", doc: "plain" }), "model.seq", emit);
    expect(plain.shape.length).toBeGreaterThan(10);
    fc.assert(
      fc.property(names, names, names, hostile, hostile, (model, input, weight, doc, file) => {
        fc.pre(weight !== input && model !== input && model !== weight);
        expect(parsed(source({ model, input, weight, doc }), file, emit)).toEqual({ shape: plain.shape, problems: 0 });
      }),
      { numRuns: 8 },
    );
  };

  test("cannot break out of a module that carries WebAssembly", { timeout: 60_000 }, async () => {
    const support = await STANDALONE;
    await cannotBreakOut((programs) => emitStandalone(programs, support, { instructions: ["plain"] }).text);
  });

  test("cannot break out of a module that carries WebAssembly and shaders", { timeout: 60_000 }, async () => {
    const support = await STANDALONE;
    await cannotBreakOut(
      (programs) => emitStandalone(programs, support, { instructions: ["plain"], target: "auto" }).text,
    );
  });

  test("cannot break out of a module on tfjs", { timeout: 60_000 }, async () => {
    const support = await ON_TFJS;
    await cannotBreakOut((programs) => emitModule(programs, support)[0]?.text);
  });

  test("gets findings whatever it is, and no file that the resolver does not give", { timeout: 60_000 }, () => {
    const asked = new Set<string>();
    const limits = { nodes: 5_000, milliseconds: 2_000, characters: 10_000, files: 3 };
    const resolve = (path: string): undefined => {
      asked.add(path);
      return undefined;
    };
    const words = fc.constantFrom(
      ..."model layer cell M A x y [ ] ( ) { } = ~ : , . + * @ ' \n stack scan over emit in use param of T 3 1e9 normal import from".split(
        " ",
      ),
      '"/etc/passwd"',
      "a[t-1] else 0",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.array(words, { maxLength: 60 }).map((all) => all.join(" ")),
    );
    fc.assert(
      fc.property(text, (given) => {
        const { diagnostics, models } = compile(given, { limits, resolve, library: [] });
        return diagnostics.length > 0 || models.length >= 0;
      }),
      { numRuns: 80 },
    );
    expect([...asked].filter((path) => path !== "/etc/passwd")).toEqual([]);
  });

  test.each([
    [
      "a billion parts",
      "layer A { in x: [] param W: [] out x * W }\nmodel M { in x: [] use a = stack 1_000_000_000 of A loss = a(x) }",
    ],
    ["parts doubled forty times", `${doubled(40)}\nmodel M { in x: [] use a = A40 loss = a(x) }`],
    ["a deep expression", `model M { in x: [] loss = ${"(".repeat(5000)}x${")".repeat(5000)} }`],
    ["a long expression", `model M { in x: [] loss = x${" + x".repeat(20_000)} }`],
    ["a size beyond numbers", "model M { in x: [2**1000000] loss = sum(x) }"],
    ["sizes multiplied out", `model M(A, B, C, D) { in x: [(A+B+C+D)**60] loss = sum(x) }`],
    [
      "definitions in a circle",
      "layer A { in x: [] use b = B out b(x) }\nlayer B { in x: [] use a = A out a(x) }\nmodel M { in x: [] use a = A loss = a(x) }",
    ],
    ["many brackets", "model M { ".repeat(10_000)],
    ["a long string", `import { A } from "${"a".repeat(100_000)}"`],
  ])("ends: %s", { timeout: 30_000 }, (_, text) => {
    const { diagnostics, models } = compile(text, { limits: { nodes: 20_000, milliseconds: 3_000 } });
    expect(diagnostics.filter(({ severity }) => severity === "error")).not.toEqual([]);
    expect(models).toEqual([]);
  });
});

/** A layer of two layers of two layers. */
function doubled(times: number): string {
  const layers = Array.from(
    { length: times },
    (_, at) => `layer A${at + 1} { in x: [] use l = A${at}, r = A${at} out l(x) + r(x) }`,
  );
  return ["layer A0 { in x: [] param W: [] out x * W }", ...layers].join("\n");
}
