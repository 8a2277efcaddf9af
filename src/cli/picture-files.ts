import { findDefinition, type Modules } from "../check/modules.ts";
import { dotOf } from "../compile/dot.ts";
import { pictureOf } from "../compile/picture.ts";
import { DataError } from "../runtime/data/error.ts";

/** The picture of a model's equations, for Graphviz or drawn by it. */
export async function pictureFiles(
  modules: Modules,
  name: string,
  form: "dot" | "svg",
): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const found = findDefinition(modules, modules.entry.file, name);
  if (found === undefined) throw new DataError(`there is no model ${name}`, { place: { file: modules.entry.file } });
  const dot = dotOf(pictureOf(found.definition));
  if (form === "dot") return [{ path: `${name}.dot`, text: dot }];
  const { Graphviz } = await import("@hpcc-js/wasm-graphviz");
  return [{ path: `${name}.svg`, text: (await Graphviz.load()).dot(dot) }];
}
