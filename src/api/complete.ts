import { functionNames } from "../build/expression.ts";
import { METRIC_NAMES } from "../build/metrics.ts";
import { definitionNames, findDefinition, type Modules } from "../check/modules.ts";
import { READERS } from "../check/readers.ts";
import type { Definition } from "../syntax/tree.ts";
import { DECLARATION_WORDS, GENERATE_WORDS, ITEM_WORDS, TRAIN_WORDS } from "../syntax/words.ts";
import { type Cursor, cursorAt } from "./cursor.ts";
import { signatureOf } from "./signature.ts";

/** What could stand at a place, instead of the word from `from` to the place. */
export interface Completions {
  readonly from: number;
  readonly items: readonly Completion[];
}

/** A word or name that could stand at a place. */
export interface Completion {
  readonly label: string;
  readonly kind: "keyword" | "definition" | "function" | "name" | "parameter" | "member";
  /** A signature or a kind, to show beside it. */
  readonly detail?: string;
  readonly doc?: string;
}

/** Words and names that can stand at a place of the entry's text. */
export function complete(modules: Modules, text: string, offset: number): Completions {
  const cursor = cursorAt(text, offset);
  if (cursor === undefined) return { from: offset, items: [] };
  const seen = new Set<string>();
  const items = itemsAt(modules, cursor).filter(({ label }) => !seen.has(label) && seen.add(label));
  return { from: cursor.word.start, items };
}

function itemsAt(modules: Modules, cursor: Cursor): readonly Completion[] {
  const { around, begins, object, before } = cursor;
  const kind = around[0];
  if (object.length > 0) return membersOf(modules, cursor);
  if (kind === undefined) {
    if (before === "of") return definitions(modules, "model");
    return begins ? words(DECLARATION_WORDS) : [];
  }
  const parameters = parametersOf(modules, around.at(-1) ?? "");
  const names = [...parameters, ...ownNames(cursor), ...definitions(modules), ...functions()];
  switch (kind) {
    case "train":
      if (before === "as") return definitions(modules, "layout");
      if (begins && around.length === 1) return words(TRAIN_WORDS);
      return cursor.line.some((word) => word === "data") ? [...readers(), ...names] : [...metrics(), ...names];
    case "generate":
      if (before === "by") return words(["sample", "best", "beam"]);
      return begins && around.length === 1 ? [...words(GENERATE_WORDS), ...names] : names;
    case "expect":
      return names;
    default:
      return begins && around.length === 1 ? [...words(ITEM_WORDS), ...names] : names;
  }
}

function words(labels: readonly string[]): readonly Completion[] {
  return labels.map((label) => ({ label, kind: "keyword" }));
}

function definitions(modules: Modules, only?: Definition["definitionKind"]): readonly Completion[] {
  return definitionNames(modules, modules.entry.file).flatMap((label) => {
    const found = findDefinition(modules, modules.entry.file, label)?.definition;
    const fits = only === undefined ? found?.definitionKind !== "layout" : found?.definitionKind === only;
    if (found === undefined || !fits) return [];
    return [definitionItem(label, found)];
  });
}

function definitionItem(label: string, definition: Definition): Completion {
  const { doc } = definition;
  return { label, kind: "definition", detail: signatureOf(definition), ...(doc !== undefined && { doc }) };
}

function functions(): readonly Completion[] {
  return functionNames().map((label) => ({ label, kind: "function" }));
}

function metrics(): readonly Completion[] {
  return METRIC_NAMES.map((label) => ({ label, kind: "function", detail: "metric" }));
}

function readers(): readonly Completion[] {
  return Object.entries(READERS).map(([label, { doc }]) => ({ label, kind: "function", detail: "reader", doc }));
}

/** Names that stand in the same declaration, and are no definitions. */
function ownNames({ declaration }: Cursor): readonly Completion[] {
  const keywords: ReadonlySet<string> = new Set([
    ...ITEM_WORDS,
    ...TRAIN_WORDS,
    ...DECLARATION_WORDS,
    "scan",
    "over",
    "else",
    "tok",
    "by",
  ]);
  return declaration.filter((label) => !keywords.has(label)).map((label) => ({ label, kind: "name" }));
}

/** `p: ` in `Dropout(`. */
function parametersOf(modules: Modules, callee: string): readonly Completion[] {
  const found = findDefinition(modules, modules.entry.file, callee)?.definition;
  return (found?.parameters ?? []).map(({ name }) => ({ label: name.text, kind: "parameter", detail: `of ${callee}` }));
}

/** What a dot leads to: the library's names behind `std`, else what an instance or a state of the same definition has. */
function membersOf(modules: Modules, cursor: Cursor): readonly Completion[] {
  const [object = ""] = cursor.object;
  if (object === "std") return [...modules.library].map(([label, { definition }]) => definitionItem(label, definition));
  const own = cursor.declaration.flatMap((name) => modules.entry.definitions.get(name) ?? [])[0];
  const uses = (own?.items ?? []).flatMap((item) => (item.kind === "use" ? item.uses : []));
  const instances = uses.filter(({ name }) => name.text === object);
  const made = (instances.length > 0 ? instances : uses).flatMap(({ of }) => {
    const callee = of.kind === "call" ? of.callee : of;
    const name = callee.kind === "reference" ? callee.name : "";
    return findDefinition(modules, modules.entry.file, name)?.definition ?? [];
  });
  // What is no instance is taken for the state of one.
  return made.flatMap((definition) => partsOf(definition, instances.length > 0));
}

function partsOf({ items, name }: Definition, weights: boolean): readonly Completion[] {
  const labels = items.flatMap((item) => {
    if (item.kind === "state") return item.names.map((state) => state.name.text);
    if (item.kind === "param" && weights) return item.declarators.map((param) => param.name.text);
    return item.kind === "use" && weights ? item.uses.map((use) => use.name.text) : [];
  });
  const more = weights && items.some((item) => item.kind === "state") ? [...labels, "state"] : labels;
  return more.map((label) => ({ label, kind: "member", detail: `of ${name.text}` }));
}
