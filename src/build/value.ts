import type { Span } from "../base/span.ts";
import type { AxisRange } from "../ir/graph.ts";
import type { Size } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import type { Definition } from "../syntax/tree.ts";

/** What an expression means while a model is elaborated. */
export type Meaning =
  | TensorValue
  | SizeValue
  | NumberValue
  | ListValue
  | TextValue
  | RecordValue
  | SeveralValue
  | DefinitionValue
  | BuiltinValue
  | InstanceValue
  | SpecialValue
  | BottomValue
  | InvalidValue;

/**
 * A value of the graph as the language sees it. Its *visible* axes are ordered ("last", `.T`); every other axis of
 * the graph value is hidden: the batch, indices of the equation, axes that a callee does not declare.
 */
export interface TensorValue {
  readonly kind: "tensor";
  readonly id: string;
  readonly visible: readonly VisibleAxis[];
  /** Of tokens: they lie below it. */
  readonly vocabulary: Size | undefined;
  /** Where the value holds. */
  readonly condition: Condition;
  /** Visible axes along which entries past the end are zero, so that a product over them needs no mask. */
  readonly zeroOutside: readonly string[];
  /** Where its shape comes from. */
  readonly from: Span;
}

export interface VisibleAxis {
  readonly axis: Axis;
  readonly label: string | undefined;
  /** An axis of size 1: shown, but not an axis of the graph value. */
  readonly unit: boolean;
  /** The positions at which an index equation defines the value, all where undefined. */
  readonly valid: { readonly low: number; readonly high: number } | undefined;
  /** Of a slice that can be empty: where it is not. */
  readonly nonempty: AxisRange | undefined;
}

/** A box over index axes, and masks for what is no box. Empty: everywhere. */
export interface Condition {
  readonly ranges: readonly AxisRange[];
  /** Boolean graph values. */
  readonly masks: readonly string[];
  /** Windows `x[t-k]`, which hold at some positions for some of their entries. */
  readonly windows: readonly WindowCondition[];
}

export interface WindowCondition {
  /** bool: where each entry is inside. */
  readonly mask: string;
  /** Where all entries are. */
  readonly whole: AxisRange;
}

export const EVERYWHERE: Condition = { ranges: [], masks: [], windows: [] };

/** A size or an integer; a number of the source is one too. */
export interface SizeValue {
  readonly kind: "size";
  readonly size: Size;
  readonly from: Span;
}

/** A number that is not an integer, or infinite. */
export interface NumberValue {
  readonly kind: "number";
  readonly value: number;
}

export interface ListValue {
  readonly kind: "list";
  readonly items: readonly Meaning[];
}

export interface TextValue {
  readonly kind: "text";
  readonly value: string;
}

/** The state of a cell: its fields by name. */
export interface RecordValue {
  readonly kind: "record";
  readonly fields: ReadonlyMap<string, TensorValue>;
  /** What each field is before the first step. */
  readonly starts: ReadonlyMap<string, TensorValue>;
  /** The definition whose state this is. */
  readonly of: string;
  /** Of a stack of cells: how many blocks, as it is written. */
  readonly blocks?: Size;
}

/** Several results at once: `y, s = ...`. */
export interface SeveralValue {
  readonly kind: "several";
  readonly items: readonly Meaning[];
}

/** A definition by name, perhaps with parameters already given. */
export interface DefinitionValue {
  readonly kind: "definition";
  readonly definition: Definition;
  readonly file: string;
  /** Frame in which the parameters given so far were written. */
  readonly given: ReadonlyMap<string, Meaning>;
}

export interface BuiltinValue {
  readonly kind: "builtin";
  readonly name: string;
}

/** `use l1 = Cell(E, H)`: its weights' names start with its path. */
export interface InstanceValue {
  readonly kind: "instance";
  readonly definition: Definition;
  readonly file: string;
  readonly parameters: ReadonlyMap<string, Meaning>;
  readonly path: string;
  /** `stack` and `share`: the blocks in order. */
  readonly blocks: readonly InstanceValue[] | undefined;
  /** How many blocks, as it is written: the axis in front of what they give beside their chain. */
  readonly count?: Size;
  readonly declared: Span;
}

/** `BOS` or `EOS`: a token whose vocabulary is known from where it stands. */
export interface SpecialValue {
  readonly kind: "special";
  readonly name: "BOS" | "EOS";
  readonly from: Span;
}

/** A recurrence that is not known yet; `otherwise` is the scalar that an `else` offered for it. */
export interface BottomValue {
  readonly kind: "bottom";
  readonly otherwise: TensorValue | undefined;
}

/** Something wrong that was reported. */
export interface InvalidValue {
  readonly kind: "invalid";
}

export const INVALID: InvalidValue = { kind: "invalid" };
export const BOTTOM: BottomValue = { kind: "bottom", otherwise: undefined };

export function visibleAxis(axis: Axis, label?: string, unit = false): VisibleAxis {
  return { axis, label, unit, valid: undefined, nonempty: undefined };
}

/** `a tensor [T, H]`, `the size H`: for messages. */
export function describe(meaning: Meaning): string {
  switch (meaning.kind) {
    case "tensor":
      if (meaning.vocabulary === undefined) return shapeText(meaning.visible);
      return `tok(${shownSize(meaning.vocabulary.text)})${meaning.visible.length === 0 ? "" : shapeText(meaning.visible)}`;
    case "size":
      return meaning.size.text;
    case "number":
      return String(meaning.value);
    case "list":
      return "a list";
    case "text":
      return `the text "${meaning.value}"`;
    case "record":
      return `the state of ${meaning.of}`;
    case "several":
      return `${meaning.items.length} values`;
    case "definition":
      return `the ${meaning.definition.definitionKind} ${meaning.definition.name.text}`;
    case "builtin":
      return `the function ${meaning.name}`;
    case "instance":
      return `the ${meaning.definition.definitionKind} ${meaning.path}`;
    case "special":
      return `the token ${meaning.name}`;
    case "bottom":
      return "a value that is not known yet";
    case "invalid":
      return "something that could not be read";
    default:
      return meaning satisfies never;
  }
}

/** A size as the user would write it: `T~1`, an axis told from another of the same size, is `T`. */
export function shownSize(text: string): string {
  return text.replace(/~\d+/g, "");
}

/** `[next: K, prev: K]`, `[]`. */
export function shapeText(visible: readonly VisibleAxis[]): string {
  const axes = visible.map(({ axis, label, unit }) => {
    const size = unit ? "1" : shownSize(axis.size.text);
    return label === undefined ? size : `${label}: ${size}`;
  });
  return `[${axes.join(", ")}]`;
}
