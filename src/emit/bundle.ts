import { Node, Project, type SourceFile, type Statement, SyntaxKind } from "ts-morph";

/** A TypeScript file by its text. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/**
 * The top-level declarations of the files that `names` need, in the files' order and without their `export`; declarations that
 * nothing needs stay out. Imports are dropped: what other files export must be among the files or in the module that takes this.
 * Throws where a name is nowhere, and where two needed declarations have the same name.
 */
export function bundle(sources: readonly SourceText[], names: Iterable<string>): string {
  const project = new Project({ useInMemoryFileSystem: true, compilerOptions: { noLib: true } });
  const files = sources.map(({ path, text }) => project.createSourceFile(path, text));
  const declared = new Map(files.map((file) => [file, declarationsOf(file)]));
  const shared = exportsOf(declared.values());
  const needed = new Map<Statement, readonly string[]>();
  const queue = [...names].map((name) => shared.get(name) ?? unknown(name));
  for (const statement of queue) {
    if (needed.has(statement)) continue;
    needed.set(statement, namesOf(statement));
    const file = statement.getSourceFile();
    const imported = importedNames(file);
    for (const identifier of statement.getDescendantsOfKind(SyntaxKind.Identifier)) {
      const name = identifier.getText();
      const other = declared.get(file)?.get(name) ?? (imported.has(name) ? shared.get(name) : undefined);
      if (other !== undefined && other !== statement && !isMember(identifier)) queue.push(other);
    }
  }
  checkApart([...needed.values()].flat());
  return files.flatMap((file) => textsOf(file, new Set(needed.keys()))).join("\n\n");
}

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

function checkApart(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new Error(`internal: two support files declare ${name}`);
    seen.add(name);
  }
}

function textsOf(file: SourceFile, needed: ReadonlySet<Statement>): readonly string[] {
  return file
    .getStatements()
    .filter((statement) => needed.has(statement))
    .map(textOf);
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

function unknown(name: string): never {
  throw new Error(`internal: no support file declares ${name}`);
}
