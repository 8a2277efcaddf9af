import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type ExportedDeclarations, Node, Project } from "ts-morph";

/*
 * `node scripts/api.ts` prints docs/api.md, which is made of the comments of what the package exports. `npm run golden` writes it.
 */

interface Section {
  readonly title: string;
  readonly text: string;
  /** What is told in full; everything else is listed at the end. */
  readonly names: readonly string[];
}

const INTRODUCTION = `# The compiler as a library

\`\`\`ts
import { compile, instantiate } from "seqc";

const { diagnostics, models, summary, emit } = compile(text, { sizes: { V: 60 } });
const { files } = await emit("ts");                 // what \`seqc compile\` writes

const CharLM = instantiate(models[0]);              // the same class, without a file
const model = CharLM.init(1);
for await (const { loss } of model.train(batches)) console.log(loss);
\`\`\`

It runs in Node, in pages and in their workers; nothing of it reads a file. This page is made from the comments in the code by \`scripts/api.ts\`; [compiled.md](compiled.md) tells what models can do and how Vite imports them, [browser.md](browser.md) what pages need. \`npm run demo\` starts a
page that is built on nothing else: an editor, views of what the compiler makes, and training in a worker.
`;

const SECTIONS: readonly Section[] = [
  {
    title: "Compiling",
    text: "For a source that nobody has read, set `limits`. They are looked at whenever a value of an equation graph is made; a page that must stay responsive compiles in a worker, which it can end. Names, strings and comments of a source cannot break out of what is emitted.",
    names:
      "compile CompileOptions Compilation CompiledModel Limits EmitKind EmitOptions Emission OutputFile ModelSummary WeightSummary ProgramPlan Source Resolve shippedLibrary".split(
        " ",
      ),
  },
  {
    title: "Running",
    text: "",
    names: "instantiate InstantiateOptions ModelClass InstantiatedModel encodeSafetensors decodeSafetensors".split(" "),
  },
  {
    title: "Editing",
    text: "What a declaration's check found is kept while it and what it depends on stay as they are. In a file of 575 lines a changed number takes 17 ms of processor time in `update`, 1.4 ms in `complete` and 43 ms in `check`, each the median of 45 changes (`node bench/editor.ts`).",
    names: "openDocument DocumentOptions Document Completions Completion Hover format applyFixes".split(" "),
  },
  {
    title: "Findings",
    text: "",
    names: "Diagnostic Severity Related Fix Span renderDiagnostic diagnosticToJson".split(" "),
  },
];

/** What an entry of the package exports, by name. */
export type Exported = ReadonlyMap<string, readonly ExportedDeclarations[]>;

/** Reads what entries of the package export: `index`, `tfjs`. */
export function readExports(...entries: readonly string[]): readonly Exported[] {
  const root = resolve(import.meta.dirname, "..");
  const project = new Project({ tsConfigFilePath: join(root, "tsconfig.json"), skipAddingFilesFromTsConfig: true });
  const files = entries.map((name) => project.addSourceFileAtPath(join(root, `src/${name}.ts`)));
  return files.map((file) => file.getExportedDeclarations());
}

/** The page as it should be. Throws where a name is told that is not exported. */
export function apiPage(exported: Exported): string {
  const declarationOf = (name: string): ExportedDeclarations => {
    const found = exported.get(name)?.[0];
    if (found === undefined) throw new Error(`src/index.ts exports no ${name}`);
    return found;
  };
  const parts = SECTIONS.map(({ title, text, names }) => {
    const told = names.map((name) => `\`\`\`ts\n${textOf(declarationOf(name))}\n\`\`\`\n`);
    return [`## ${title}`, ...(text === "" ? [] : [text]), ...told].join("\n\n");
  });
  const all = new Set(SECTIONS.flatMap(({ names }) => names));
  const others = [...exported.keys()].filter((name) => !all.has(name)).sort();
  const rows = others.map((name) => `| \`${name}\` | ${firstSentence(declarationOf(name))} |`);
  const below = `## Below\n\nWhat these are made of, for programs that own their data and their devices ([examples/browser](../examples/browser), [examples/dqn](../examples/dqn)). Types that only these use are told where they stand.\n\n| | |\n|---|---|\n${rows.join("\n")}\n`;
  return [INTRODUCTION, ...parts, below].join("\n").replace(/\n{3,}/g, "\n\n");
}

/** A declaration with its comments, and no body. */
function textOf(declaration: ExportedDeclarations): string {
  const docs = Node.isJSDocable(declaration) ? declaration.getJsDocs().map((doc) => doc.getText()) : [];
  return [...docs, declared(declaration)].join("\n");
}

function declared(declaration: ExportedDeclarations): string {
  const whole = declaration.getText();
  const plain = whole.slice(whole.search(/export /)).replace(/^export /, "");
  if (!Node.isFunctionDeclaration(declaration)) return plain;
  const body = declaration.getBody()?.getText() ?? "";
  return `${plain.slice(0, plain.length - body.length).trim()};`;
}

function firstSentence(declaration: ExportedDeclarations): string {
  const [doc] = Node.isJSDocable(declaration) ? declaration.getJsDocs() : [];
  const text = doc?.getDescription().trim().replace(/\s+/g, " ").replaceAll("|", "\\|") ?? "";
  return /^.*?[.;:](?= |$)/.exec(text)?.[0].replace(/[;:]$/, ".") ?? text;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [index] = readExports("index");
  if (index !== undefined) console.log(apiPage(index));
}
