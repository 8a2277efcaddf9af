import type { Report } from "../base/diagnostic.ts";
import { meant } from "../base/meant.ts";
import { nearest } from "../base/nearest.ts";
import type { Span } from "../base/span.ts";
import { partNames } from "../build/weight-part.ts";
import { constantValue } from "../check/constants.ts";
import { definitionNames, findDefinition, isMissingAnyway, type Modules } from "../check/modules.ts";
import { filledIn, sourceTexts } from "../syntax/placeholder.ts";
import type { Argument, Definition, Expression, LoadClause, Mapping, Member } from "../syntax/tree.ts";

/** One line of a mapping with everything in it known. */
export interface TensorMapping {
  /** Where it stands: in the `load`, or in a layout. */
  readonly span: Span;
  /** The tensors that are added up. */
  readonly tensors: readonly string[];
  /** The weights among which they are cut, in this order. */
  readonly targets: readonly { readonly span: Span; readonly weights: readonly string[] }[];
  /** Whether the tensors have their axes the other way round: `-> W.T`. */
  readonly swapped: boolean;
}

/**
 * What a `load` maps, by its layout or in braces; empty where it maps nothing, undefined where that is wrong, which is reported.
 * @param file where the `load` stands
 */
export function mappingOf(
  modules: Modules,
  file: string,
  clause: LoadClause,
  report: Report,
): readonly TensorMapping[] | undefined {
  const { layout, part, mapping } = clause;
  if (layout === undefined) return mapping.map((one) => resolved(one, part, new Map()));
  const found = findLayout(modules, file, layout, report);
  const values = found && layoutValues(found, layout, report);
  if (found === undefined || values === undefined) return undefined;
  return mappingsOf(found).map((one) => resolved(one, part, values));
}

/** The lines of a layout. */
export function mappingsOf({ items }: Definition): readonly Mapping[] {
  return items.filter((item) => item.kind === "mapping");
}

function resolved(
  { span, source, targets }: Mapping,
  part: Expression | undefined,
  values: ReadonlyMap<string, string>,
): TensorMapping {
  return {
    span,
    tensors: sourceTexts(source).map((text) => filledIn(text, values)),
    targets: targets.map((target) => ({ span: target.span, weights: mappedWeights(part, target) })),
    swapped: targets.some(isSwapped),
  };
}

/** The weights that a target names, in order: `enc` and `f.W.{i, f}` are `enc.f.W.i` and `enc.f.W.f`. */
function mappedWeights(part: Expression | undefined, target: Expression): readonly string[] {
  const prefixes = part === undefined ? [""] : partNames(part).map((name) => `${name}.`);
  const names = partNames(isSwapped(target) ? target.object : target);
  return prefixes.flatMap((prefix) => names.map((name) => `${prefix}${name}`));
}

/** `-> W.T`: the tensor has its axes the other way round. */
export function isSwapped(target: Expression): target is Member {
  return target.kind === "member" && target.names.length === 1 && target.names[0]?.text === "T";
}

function findLayout(modules: Modules, file: string, layout: Expression, report: Report): Definition | undefined {
  const callee = layout.kind === "call" ? layout.callee : layout;
  const inLibrary = callee.kind === "member" && callee.object.kind === "reference" && callee.object.name === "std";
  const name = callee.kind === "reference" ? callee.name : inLibrary ? callee.names[0]?.text : undefined;
  const named = (text: string) => (inLibrary ? modules.library.get(text) : findDefinition(modules, file, text));
  const found = name === undefined ? undefined : named(name)?.definition;
  if (found?.definitionKind === "layout") return found;
  if (found !== undefined) {
    report.add("wrong-kind", callee.span, `${found.name.text} is a ${found.definitionKind}, not a layout`, {
      related: [{ span: found.name.span, message: "defined here" }],
      hint: `a layout says what other tools' files call the weights: there is ${layoutNames(modules, file).join(", ")}`,
    });
  } else if (name === undefined || !isMissingAnyway(modules, file, name)) {
    const known = layoutNames(modules, file);
    const near = nearest(name ?? "", known);
    report.add(
      "unknown-name",
      callee.span,
      name === undefined ? "this is no layout's name" : `there is no layout ${name}`,
      near === undefined ? { hint: `there is ${known.join(", ")}` } : meant(near, callee.span),
    );
  }
  return undefined;
}

function layoutNames(modules: Modules, file: string): readonly string[] {
  return definitionNames(modules, file).filter(
    (name) => findDefinition(modules, file, name)?.definition.definitionKind === "layout",
  );
}

/** What a layout's parameters stand for: texts and whole numbers. */
function layoutValues(
  { name: { text: own, span: defined }, parameters }: Definition,
  layout: Expression,
  report: Report,
): ReadonlyMap<string, string> | undefined {
  const given = givenArguments(
    own,
    parameters.map(({ name }) => name.text),
    layout,
    report,
  );
  if (given === undefined) return undefined;
  const values = new Map<string, string>();
  for (const parameter of parameters) {
    const { text } = parameter.name;
    const expression = given.get(text) ?? parameter.default;
    const value = expression && constantValue(expression);
    if (expression === undefined) {
      report.add("missing-parameter", layout.span, `${own} needs ${text}`, {
        related: [{ span: parameter.span, message: "it has no default" }],
        hint: `write as ${own}(${text}: "...")`,
      });
      return undefined;
    }
    if (typeof value !== "string" && !(typeof value === "number" && Number.isSafeInteger(value))) {
      report.add("wrong-option", expression.span, `${text} stands in names: it is a text or a whole number`, {
        related: [{ span: defined, message: "defined here" }],
        hint: `write ${text}: "encoder."`,
      });
      return undefined;
    }
    values.set(text, String(value));
  }
  return values;
}

function givenArguments(
  own: string,
  names: readonly string[],
  layout: Expression,
  report: Report,
): ReadonlyMap<string, Expression> | undefined {
  const given = new Map<string, Expression>();
  const wrong = ({ span }: Argument, message: string): undefined => {
    report.add("wrong-arguments", span, message, { hint: `${own} takes ${names.join(", ") || "nothing"}` });
  };
  for (const [place, argument] of (layout.kind === "call" ? layout.args : []).entries()) {
    const name = argument.name?.text ?? names[place];
    if (name === undefined) return wrong(argument, `${own} takes ${names.length} arguments`);
    if (!names.includes(name)) return wrong(argument, `${own} has no ${name}`);
    if (given.has(name)) return wrong(argument, `${own} is given ${name} twice`);
    given.set(name, argument.value);
  }
  return given;
}
