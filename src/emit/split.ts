import { Node, Project, type SourceFile, type Statement, SyntaxKind } from "ts-morph";
import type { SupportPart } from "./bundle.ts";
import type { SourceText } from "./source-text.ts";

/**
 * The top-level declarations of TypeScript files, in the files' order and without their `export`. Imports are dropped: what they name must
 * be exported by one of the files, or stand in the module that takes the declarations. What `ambient` ones of the files export is known to all.
 */
export function splitSources(
  sources: readonly SourceText[],
  ambient: readonly SourceText[] = [],
): readonly SupportPart[] {
  const project = new Project({ useInMemoryFileSystem: true, compilerOptions: { noLib: true } });
  const files = sources.map(({ path, text }) => project.createSourceFile(path, text));
  const declared = new Map(files.map((file) => [file, declarationsOf(file)]));
  const shared = exportsOf(declared.values());
  const known = exportsOf(
    files.flatMap((file, at) => (ambient.includes(sources[at] ?? NONE) ? [declared.get(file) ?? new Map()] : [])),
  );
  const statements = files.flatMap((file) => file.getStatements().filter((one) => namesOf(one).length > 0));
  const places = new Map(statements.map((statement, place) => [statement, place]));
  return statements.map((statement) => {
    const file = statement.getSourceFile();
    const imported = importedNames(file);
    const needs = statement.getDescendantsOfKind(SyntaxKind.Identifier).flatMap((identifier) => {
      if (isMember(identifier)) return [];
      const name = identifier.getText();
      const other = declared.get(file)?.get(name) ?? (imported.has(name) ? shared.get(name) : known.get(name));
      return other === undefined || other === statement ? [] : [places.get(other) ?? 0];
    });
    return {
      names: namesOf(statement),
      exported: Node.isExportable(statement) && statement.isExported(),
      text: textOf(statement),
      needs: [...new Set(needs)],
    };
  });
}

const NONE: SourceText = { path: "", text: "" };

function declarationsOf(file: SourceFile): ReadonlyMap<string, Statement> {
  return new Map(
    file.getStatements().flatMap((statement) => namesOf(statement).map((name) => [name, statement] as const)),
  );
}

/** What files export, by name; the first where two export the same. */
function exportsOf(files: Iterable<ReadonlyMap<string, Statement>>): ReadonlyMap<string, Statement> {
  const found = new Map<string, Statement>();
  for (const declared of files)
    for (const [name, statement] of declared)
      if (!found.has(name) && Node.isExportable(statement) && statement.isExported()) found.set(name, statement);
  return found;
}

function importedNames(file: SourceFile): ReadonlySet<string> {
  return new Set(
    file.getImportDeclarations().flatMap((one) => one.getNamedImports().map((specifier) => specifier.getName())),
  );
}

/** With the comment right above it. */
function textOf(statement: Statement): string {
  const comments = statement.getLeadingCommentRanges();
  const last = comments.at(-1);
  const between =
    last === undefined ? "" : statement.getSourceFile().getFullText().slice(last.getEnd(), statement.getStart());
  const comment = last === undefined || /\n\s*\n/.test(between) ? "" : `${last.getText()}\n`;
  const code = statement.getText().replace(/^\/\*\*[\s\S]*?\*\/\s*/, "");
  return comment + code.replace(/^export /, "");
}

function namesOf(statement: Statement): readonly string[] {
  if (Node.isVariableStatement(statement))
    return statement.getDeclarations().map((declaration) => declaration.getName());
  if (
    Node.isClassDeclaration(statement) ||
    Node.isFunctionDeclaration(statement) ||
    Node.isTypeAliasDeclaration(statement) ||
    Node.isInterfaceDeclaration(statement)
  ) {
    return [statement.getName() ?? ""];
  }
  return [];
}

/** `x.name` and `{ name: … }` are no references. */
function isMember(node: Node): boolean {
  const parent = node.getParent();
  if (Node.isPropertyAccessExpression(parent)) return parent.getNameNode() === node;
  return (Node.isPropertyAssignment(parent) || Node.isPropertySignature(parent)) && parent.getNameNode() === node;
}
