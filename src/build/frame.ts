import type { Report } from "../base/diagnostic.ts";
import type { Span } from "../base/span.ts";
import type { Modules } from "../check/modules.ts";
import type { Builder } from "../ir/builder.ts";
import type { SizeBinding } from "../ir/size.ts";
import type { Axis } from "../ir/type.ts";
import type { Call, Definition, Equation } from "../syntax/tree.ts";
import type { AxisTable } from "./axes.ts";
import type { InputSpec, ParamRole, WeightSpec } from "./program.ts";
import type { Meaning, TensorValue } from "./value.ts";

/** Everything that one elaboration collects. It lives for one graph and is never shared. */
export interface Session {
  readonly builder: Builder;
  readonly axes: AxisTable;
  /** Replaced while a pass is tried whose findings may not hold. */
  report: Report;
  readonly modules: Modules;
  /** Sizes whose numbers are known. */
  readonly sizes: SizeBinding;
  /** `time` names without lengths of their own: every example is as long as the batch. */
  readonly dense: boolean;
  /** Emissions whose reads see a mixture, closed later, of the data and what the model chooses. */
  readonly forced: Map<string, { readonly id: string; readonly data: string }>;
  /** The axis of a beam search, hidden in all that depends on what is chosen. */
  readonly beam: Axis | undefined;
  /** Emitted arrays that a decoder chooses. */
  readonly chosen: ReadonlySet<string>;
  /** Emissions that some rows of the data lack. */
  readonly absent: ReadonlySet<string>;
  readonly roles: Map<string, ParamRole>;
  /** The special tokens that the model names, in the order in which they end its vocabularies. */
  readonly specials: readonly ("BOS" | "EOS")[];
  /** By weight name. */
  readonly weights: Map<
    string,
    {
      readonly spec: WeightSpec;
      readonly id: string;
      /** The path of the instance whose it is; empty for the model's own. */
      readonly owner: string;
      readonly made: Span;
    }
  >;
  readonly inputs: Map<string, { readonly spec: InputSpec; readonly value: TensorValue }>;
  /** `tie a = b`: from the one name to the other. */
  readonly ties: Map<string, Tie>;
  /** Params that an equation moves: weight name to graph value, the latest move. */
  moved: ReadonlyMap<string, string>;
  /** What was moved before something was worked out that is worked out again: an emission's distribution. */
  readonly movedBefore: Map<object, ReadonlyMap<string, string>>;
  /** Slots finished, in order: what a second pass over a recurrence must forget. */
  readonly trail: Slot[];
  /** Slots being worked on, outermost first: the circle of a recurrence. */
  readonly busy: Slot[];
  /** How often each stream of random numbers was drawn from. */
  readonly streams: Map<string, number>;
  /** Names of `time` axes. */
  readonly times: ReadonlySet<string>;
  /** Vocabularies, by size text, that a special token was read from. */
  readonly specialVocabularies: Set<string>;
  /** Set while a regime's objective or report is elaborated: gives `nll(x)` and other metrics their meaning. */
  readonly metrics: ((context: Context, call: Call) => Meaning | undefined) | undefined;
  /** By mask: reads at a position that may not be there, and the axis that they read. */
  readonly doubtful: Map<string, { readonly span: Span; readonly axis: string }>;
  /** Applications in progress: bounds the depth of definitions that use themselves. */
  depth: number;
  /** Applications so far. */
  applied: number;
}

export interface Tie {
  readonly weight: string;
  readonly transposed: boolean;
  readonly span: Span;
  /** Makes the weight, where nothing asked for it yet. */
  readonly find: () => void;
}

/** One definition being applied: its names, and the hidden axes that all its values may have. */
export interface Frame {
  readonly file: string;
  readonly definition: Definition;
  /** What its weights' names start with; empty for a model. */
  readonly path: string;
  /** Hidden axes of every value in it: the batch, the caller's indices, axes that the definition does not declare. */
  readonly hidden: readonly Axis[];
  readonly names: Map<string, Slot>;
  readonly caller: { readonly frame: Frame; readonly span: Span } | undefined;
  /** Where it got its parameters: its `use`, or the call. */
  readonly made: Span;
}

/** A name: known, or found out when it is first needed. */
export interface Slot {
  readonly name: string;
  readonly span: Span;
  readonly kind: "parameter" | "size" | "in" | "state" | "weight" | "instance" | "noise" | "equation" | "family";
  /** Finds the meanings out; an equation with several targets has several. */
  readonly compute: (assumed: readonly Meaning[] | undefined) => readonly Meaning[];
  readonly equation: Equation | undefined;
  /** Which of the meanings this name is. */
  readonly group: SlotGroup;
  readonly index: number;
  /** Whose name it is, of one that is found out. */
  readonly frame?: Frame;
}

/** What the names of one equation share. */
export interface SlotGroup {
  state: "todo" | "busy" | "done";
  meanings: readonly Meaning[];
  /** What is assumed of them while they are being found out. */
  assumed: readonly Meaning[] | undefined;
  /** Whether they were needed for their own sake. */
  recursive: boolean;
}

/** Where an expression stands. */
export interface Context {
  readonly session: Session;
  readonly frame: Frame;
  /** The frame's hidden axes and the axes of the equation's indices. */
  readonly hidden: readonly Axis[];
  readonly indices: ReadonlyMap<string, Axis>;
}

export function frameContext(session: Session, frame: Frame): Context {
  return { session, frame, hidden: frame.hidden, indices: new Map() };
}

export function knownSlot(name: string, span: Span, kind: Slot["kind"], meaning: Meaning): Slot {
  const group: SlotGroup = { state: "done", meanings: [meaning], assumed: undefined, recursive: false };
  return { name, span, kind, compute: () => [meaning], equation: undefined, group, index: 0 };
}

export function lazySlot(name: string, span: Span, kind: Slot["kind"], frame: Frame, compute: () => Meaning): Slot {
  const group: SlotGroup = { state: "todo", meanings: [], assumed: undefined, recursive: false };
  return { name, span, kind, compute: () => [compute()], equation: undefined, group, index: 0, frame };
}

/** `l1.W` from the path `l1` and the name `W`. */
export function joinPath(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
