import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

/** Lowest floor first; rooms of one floor do not know each other. */
const FLOORS: readonly (readonly string[])[] = [
  ["base"],
  ["ir", "grammar"],
  ["op", "syntax"],
  ["check", "grad", "schedule"],
  ["build"],
  ["pass"],
  ["plan"],
  ["compile"],
  ["target"],
  ["emit"],
  ["runtime"],
  ["api"],
  ["index", "tfjs"],
  ["cli", "vite"],
];

/** Below this floor nothing touches files, the clock, the console or a device. */
const PURE_BELOW = "runtime";

const root = resolve(import.meta.dirname, "..");

function sources(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(folder, file));
}

function room(file: string): string {
  const [top = "", second = ""] = file.split("/");
  return top === "grammar" ? "grammar" : second.replace(/\.ts$/, "");
}

function floor(name: string): number {
  const found = FLOORS.findIndex((rooms) => rooms.includes(name));
  if (found < 0) throw new Error(`${name} is on no floor: add it to FLOORS and to docs/architecture.md`);
  return found;
}

function imports(file: string): readonly string[] {
  const text = readFileSync(join(root, file), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map((match) => match[1] ?? "");
}

function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** Without comments and strings. */
function codeOf(file: string): string {
  return textOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"/g, "");
}

describe("architecture", () => {
  const files = [...sources("src"), ...sources("grammar")];

  test("every import goes to a lower floor or stays in its room", () => {
    const wrong = files.flatMap((file) =>
      imports(file)
        .filter((target) => target.startsWith("."))
        .map((target) => relative(root, resolve(root, dirname(file), target)))
        .filter((target) => room(target) !== room(file) && floor(room(target)) >= floor(room(file)))
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("targets do not know each other", () => {
    const wrong = files.flatMap((file) => {
      const [, top, own] = file.split("/");
      if (top !== "target") return [];
      return imports(file)
        .filter((target) => target.startsWith("."))
        .map((target) => relative(root, resolve(root, dirname(file), target)).split("/"))
        .filter(([, other, name]) => other === "target" && name !== own)
        .map(([, , name]) => `${file} imports target ${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test("the core is pure", () => {
    const limit = floor(PURE_BELOW);
    const impure = files
      .filter((file) => floor(room(file)) < limit)
      .filter((file) => {
        const text = readFileSync(join(root, file), "utf8");
        return (
          imports(file).some((target) => target.startsWith("node:")) ||
          /\bconsole\.|\bprocess\.|Date\.now|Math\.random/.test(text)
        );
      });
    expect(impure.filter((file) => !file.includes("/support/"))).toEqual([]);
  });

  test("no cell is known by name below the library", () => {
    const knowing = files
      .filter((file) => floor(room(file)) < floor("runtime") && room(file) !== "syntax")
      .filter((file) => /\b(lstm|gru)\b/i.test(readFileSync(join(root, file), "utf8")));
    expect(knowing).toEqual([]);
  });

  test("types are never switched off", () => {
    const off = files.filter(
      (file) =>
        /\bas unknown as\b|:\s*any\b|<any>|\bas any\b/.test(codeOf(file)) ||
        /@ts-(ignore|expect-error|nocheck)/.test(textOf(file)),
    );
    expect(off).toEqual([]);
  });
});
