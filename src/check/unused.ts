import type { Fix, Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import { placeholders, sourceTexts } from "../syntax/placeholder.ts";
import type { Definition, Import, Member, Name } from "../syntax/tree.ts";
import type { Module } from "./modules.ts";

/**
 * Warns of what a file names and nothing in it reads: imports, instances, weights and parameters. Equations are not among them:
 * every one is a value that can be shown and reported. Where something is wrong, the use may be what is wrong: `broken`
 * definitions are left out, imports too if anything is; and so are places in `known`, which have a finding already.
 */
export function checkUnused(
  { tree }: Module,
  broken: ReadonlySet<Definition>,
  known: readonly Span[],
  report: Report,
): void {
  const warn = (name: Name, what: string, hint: string, fix?: Fix): void => {
    const { span } = name;
    if (known.some((place) => place.file === span.file && place.start <= span.start && place.end >= span.end)) return;
    report.add("unused-name", span, `${what} ${name.text} is never used`, { severity: "warning", hint, fix });
  };
  const imports = tree.declarations.some(({ kind }) => kind === "import");
  const named = imports ? namesIn(tree.declarations) : new Set<string>();
  const asked = namesIn(tree.declarations.filter(({ kind }) => kind === "train" || kind === "generate"));
  for (const declaration of tree.declarations) {
    if (declaration.kind === "import" && !report.hasErrors) unusedImports(declaration, named, warn);
    if (declaration.kind !== "definition" || broken.has(declaration)) continue;
    unusedInside(declaration, declaration.definitionKind === "model" ? asked : new Set(), warn);
  }
}

type Warn = (name: Name, what: string, hint: string, fix?: Fix) => void;

function unusedImports(declaration: Import, named: ReadonlySet<string>, warn: Warn): void {
  const { names, span } = declaration;
  names.forEach(({ name, as }, at) => {
    const local = as ?? name;
    if (named.has(local.text)) return;
    const [before, after] = [names[at - 1], names[at + 1]];
    const gone =
      before !== undefined
        ? { ...span, start: before.span.end, end: names[at]?.span.end ?? span.end }
        : after !== undefined
          ? { ...span, start: names[at]?.span.start ?? span.start, end: after.span.start }
          : span;
    warn(local, "the import", "leave it out", { title: "leave it out", edits: [{ span: gone, text: "" }] });
  });
}

/** `asked`: what regimes and generations read of a model. */
function unusedInside(definition: Definition, asked: ReadonlySet<string>, warn: Warn): void {
  const own = namesIn([definition.items, definition.parameters.map((parameter) => parameter.default)]);
  const named = new Set([...own, ...asked, ...namesInTexts(definition)]);
  for (const parameter of definition.parameters) {
    if (!named.has(parameter.name.text))
      warn(parameter.name, "the parameter", "leave it out, or use it as a size or number");
  }
  for (const item of definition.items) {
    if (item.kind === "use") {
      for (const { name } of item.uses)
        if (!named.has(name.text)) warn(name, "the instance", `call it, ${name.text}(x), or leave it out`);
    }
    if (item.kind === "param") {
      for (const { name, members } of item.declarators) {
        if (members === undefined && !named.has(name.text))
          warn(name, "the weight", "use it in an equation, or leave it out");
        for (const member of members ?? []) {
          const text = `${name.text}.${member.text}`;
          if (!named.has(text)) warn({ ...member, text }, "the weight", "use it in an equation, or leave it out");
        }
      }
    }
  }
}

/** What stands in braces in the texts of a layout. */
function namesInTexts({ definitionKind, items }: Definition): readonly string[] {
  if (definitionKind !== "layout") return [];
  return items.flatMap((item) => (item.kind === "mapping" ? sourceTexts(item.source).flatMap(placeholders) : []));
}

/** Every name that a part of the tree reads; of `W.i` both `W` and `W.i`. */
function namesIn(tree: object): ReadonlySet<string> {
  const names = new Set<string>();
  const open: object[] = [tree];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if ("kind" in part && part.kind === "reference" && "name" in part) names.add(String(part.name));
    if (isMember(part) && part.object.kind === "reference") {
      for (const { text } of part.names) names.add(`${part.object.name}.${text}`);
    }
    for (const [key, value] of Object.entries(part)) {
      if (typeof value === "object" && value !== null && key !== "span") open.push(value);
    }
  }
  return names;
}

function isMember(part: object): part is Member {
  return "kind" in part && part.kind === "member";
}
