import { ModuleKind, ModuleResolutionKind, Project, ScriptTarget } from "ts-morph";

/** What the TypeScript compiler says under the strictest settings. */
export function strictProblems(files: Readonly<Record<string, string>>): readonly string[] {
  const project = new Project({
    useInMemoryFileSystem: true,
    compilerOptions: {
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      noUnusedLocals: true,
      noUnusedParameters: true,
      lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      target: ScriptTarget.ES2022,
      module: ModuleKind.ESNext,
      moduleResolution: ModuleResolutionKind.Bundler,
      types: [],
      // The standard library's own declarations; the modules have no others.
      skipDefaultLibCheck: true,
    },
  });
  for (const [path, text] of Object.entries(files)) project.createSourceFile(path, text);
  return project
    .getPreEmitDiagnostics()
    .map((diagnostic) => `${diagnostic.getLineNumber()}: ${JSON.stringify(diagnostic.getMessageText())}`);
}
