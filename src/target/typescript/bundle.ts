import { Node, Project, type SourceFile, type Statement, SyntaxKind } from "ts-morph";

/** A TypeScript file by its text. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/**
 * The top-level declarations of the files that `names` need, in the files' order and without their `export`; declarations that
 * nothing needs stay out. Imports are dropped: what other files export must be among the files or in the module that takes this.
 * Throws where a name is nowhere.
 */
export function bundle(sources: readonly SourceText[], names: Iterable<string>): string {
  const project = new Project({ useInMemoryFileSystem: true, compilerOptions: { noLib: true } });
  const files = sources.map(({ path, text }) => project.createSourceFile(path, text));
  const declared = new Map<string, Statement>();
  for (const file of files)
    for (const statement of file.getStatements())
      for (const name of namesOf(statement)) {
        if (declared.has(name)) throw new Error(`internal: two support files declare ${name}`);
        declared.set(name, statement);
      }
  const needed = new Set<Statement>();
  const queue = [...names].map((name) => declared.get(name) ?? unknown(name));
  for (const statement of queue) {
    if (needed.has(statement)) continue;
    needed.add(statement);
    for (const identifier of statement.getDescendantsOfKind(SyntaxKind.Identifier)) {
      const other = declared.get(identifier.getText());
      if (other !== undefined && !isMember(identifier)) queue.push(other);
    }
  }
  return files.flatMap((file) => textsOf(file, needed)).join("\n\n");
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
