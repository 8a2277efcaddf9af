import { fileURLToPath } from "node:url";
import { Node, Project } from "ts-morph";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What `import ... from "seqc"` and `"seqc/tfjs"` give, and whether a comment tells what it is. */
function exported(): readonly { readonly name: string; readonly documented: boolean }[] {
  const project = new Project({ tsConfigFilePath: `${ROOT}tsconfig.json`, skipAddingFilesFromTsConfig: true });
  const entries = ["index", "tfjs"].map((name) => project.addSourceFileAtPath(`${ROOT}src/${name}.ts`));
  return entries
    .flatMap((entry) => [...entry.getExportedDeclarations()])
    .flatMap(([name, declarations]) =>
      declarations.map((declaration) => ({
        name,
        documented: Node.isJSDocable(declaration) && declaration.getJsDocs().some((doc) => doc.getDescription().trim()),
      })),
    );
}

test("everything that the package exports says what it is", () => {
  const found = exported();
  expect(found.length).toBeGreaterThan(20);
  expect(found.filter(({ documented }) => !documented)).toEqual([]);
});
