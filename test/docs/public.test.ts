import { Node } from "ts-morph";
import { expect, test } from "vitest";
import { apiPage, readExports } from "../../scripts/api.ts";

const [index = new Map<string, never>(), ...others] = readExports("index", "tfjs", "vite/plugin");

/** What users can import, and whether a comment tells what it is. */
function exported(): readonly { readonly name: string; readonly documented: boolean }[] {
  return [index, ...others]
    .flatMap((entry) => [...entry])
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

test("docs/api.md is made of the comments", async () => {
  await expect(apiPage(index)).toMatchFileSnapshot("../../docs/api.md");
});
