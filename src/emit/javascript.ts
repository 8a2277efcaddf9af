import { ts } from "ts-morph";
import type { SourceText } from "./source-text.ts";

/** A module of TypeScript as JavaScript, and its declarations beside it. */
export function toJavaScript({ path, text }: SourceText): readonly SourceText[] {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    verbatimModuleSyntax: true,
    isolatedDeclarations: true,
    declaration: true,
  };
  const base = path.replace(/\.ts$/, "");
  return [
    { path: `${base}.js`, text: ts.transpileModule(text, { compilerOptions, fileName: path }).outputText },
    { path: `${base}.d.ts`, text: ts.transpileDeclaration(text, { compilerOptions, fileName: path }).outputText },
  ];
}
