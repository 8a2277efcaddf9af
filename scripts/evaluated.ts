import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** Modules that read files of the package which pages need too: the library, and what emitted modules are made of. */
export const PACKAGE_DATA: readonly string[] = ["library", "typescript-support"].map((name) =>
  join(import.meta.dirname, `../src/runtime/${name}.ts`),
);

/** Replaces each of these modules by one whose functions, which have no parameters, return what they return now. */
export function evaluated(files: readonly string[]): EvaluatedPlugin {
  return {
    name: "evaluated",
    load: {
      filter: { id: [...files] },
      async handler(id) {
        const exported: Readonly<Record<string, unknown>> = await import(pathToFileURL(id).href);
        const functions = await Promise.all(Object.entries(exported).map(([name, value]) => written(id, name, value)));
        return { code: functions.join("\n"), moduleType: "js" };
      },
    },
  };
}

/** A plugin for rolldown and for Vite. */
interface EvaluatedPlugin {
  readonly name: string;
  readonly load: {
    readonly filter: { readonly id: string[] };
    handler(id: string): Promise<{ code: string; moduleType: "js" }>;
  };
}

async function written(id: string, name: string, value: unknown): Promise<string> {
  if (typeof value !== "function" || value.length > 0)
    throw new Error(`${id}: ${name} is no function without parameters`);
  const returned: unknown = value();
  const data = JSON.stringify(JSON.stringify(await returned));
  return `export ${returned instanceof Promise ? "async " : ""}function ${name}() { return JSON.parse(${data}); }`;
}
