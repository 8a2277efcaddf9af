import type { Span } from "../base/span.ts";

/*
 * The syntax tree of a `.seq` file: what was written, nothing resolved. Every node has a span.
 * A tree is always produced: what could not be read is left out of its list and has a diagnostic.
 */

export interface Comment {
  readonly span: Span;
  /** The text behind `//` or `///`, untrimmed. */
  readonly text: string;
  readonly doc: boolean;
}

export interface File {
  readonly kind: "file";
  readonly span: Span;
  readonly declarations: readonly Declaration[];
  /** Every comment in source order, documentation included: the formatter puts them back by position. */
  readonly comments: readonly Comment[];
  /** What could not be read and is missing above; empty exactly where reading found no fault. */
  readonly unread: readonly Unread[];
}

/** A part of the source that is not in the tree. */
export interface Unread {
  readonly span: Span;
  /** The names in it, which may be defined there: a name that is missing for this reason alone is no second error. */
  readonly words: readonly string[];
}

export type Declaration = Import | Definition | Train | Generate | Expect;

export interface Name {
  readonly span: Span;
  readonly text: string;
}

/** `W`, `W.i` or `W.{i, f}` has one, two, or one segment with several names. */
export interface Path {
  readonly span: Span;
  readonly segments: readonly Name[];
}

export interface Import {
  readonly kind: "import";
  readonly span: Span;
  readonly names: readonly { readonly span: Span; readonly name: Name; readonly as: Name | undefined }[];
  readonly from: StringLiteral;
}

/** A `layout` says which tensors of other tools' files hold the weights of a cell or layer. */
export type DefinitionKind = "cell" | "layer" | "dist" | "model" | "layout";

export interface Definition {
  readonly kind: "definition";
  readonly span: Span;
  readonly definitionKind: DefinitionKind;
  readonly name: Name;
  readonly parameters: readonly Parameter[];
  readonly items: readonly Item[];
  /** The `///` lines directly above, joined by newlines, one leading space of each removed. */
  readonly doc: string | undefined;
}

export interface Parameter {
  readonly span: Span;
  readonly name: Name;
  readonly default: Expression | undefined;
}

export type Item =
  | TimeItem
  | InItem
  | OfItem
  | StateItem
  | ParamItem
  | NoiseItem
  | LatentItem
  | UseItem
  | TieItem
  | Equation
  | EmitItem
  | OutItem
  | Mapping;

/** `time S, T` */
export interface TimeItem {
  readonly kind: "time";
  readonly span: Span;
  readonly names: readonly Name[];
}

/** `[D]`, `tok(V)[T]`, `bool[T]`, `[next: K, prev: K]`; `axes` is undefined where no bracket is written. */
export interface TypeExpression {
  readonly span: Span;
  readonly base: "float" | "bool" | "tok";
  /** `V` of `tok(V)`. */
  readonly vocabulary: Expression | undefined;
  readonly axes: readonly AxisExpression[] | undefined;
}

export interface AxisExpression {
  readonly span: Span;
  readonly label: Name | undefined;
  readonly size: Expression;
}

export interface Typed {
  readonly span: Span;
  readonly name: Name;
  readonly type: TypeExpression;
}

/** `in p: [] = sigmoid(logits)`: an input that a call may leave out then has this value. */
export interface InItem {
  readonly kind: "in";
  readonly span: Span;
  readonly names: readonly (Typed & { readonly default: Expression | undefined })[];
}

/** `of y: [K]` in a `dist`: the value whose probability it defines. */
export interface OfItem {
  readonly kind: "of";
  readonly span: Span;
  readonly names: readonly Typed[];
}

export interface StateItem {
  readonly kind: "state";
  readonly span: Span;
  readonly names: readonly (Typed & { readonly start: Expression | undefined })[];
}

/** One declarator, `W.{i, f}: [H, D] init glorot`; `members` is undefined without a family. */
export interface ParamDeclarator {
  readonly span: Span;
  readonly name: Name;
  readonly members: readonly Name[] | undefined;
  readonly type: TypeExpression;
  readonly init: Expression | undefined;
}

export interface ParamItem {
  readonly kind: "param";
  readonly span: Span;
  readonly declarators: readonly ParamDeclarator[];
}

/** `e: [Z] ~ normal(0, 1)`, with an index in `e[t in T]: [Z] ~ ...`. */
export interface Drawn {
  readonly span: Span;
  readonly name: Name;
  readonly indices: readonly Index[];
  readonly type: TypeExpression;
  readonly dist: Expression;
  /** `prior normal(0, 1)`, on a latent only. */
  readonly prior: Expression | undefined;
}

export interface NoiseItem {
  readonly kind: "noise";
  readonly span: Span;
  readonly names: readonly Drawn[];
}

export interface LatentItem {
  readonly kind: "latent";
  readonly span: Span;
  readonly names: readonly Drawn[];
}

/** `l1 = Cell(E, H)`, `tower = stack i in 3 of Block(C, 2**i)`; `share` instead of `stack` for the same weights. */
export interface Use {
  readonly span: Span;
  readonly name: Name;
  readonly repeat:
    | {
        readonly span: Span;
        readonly share: boolean;
        readonly index: Name | undefined;
        readonly count: Expression;
      }
    | undefined;
  /** The definition, usually a call. */
  readonly of: Expression;
}

export interface UseItem {
  readonly kind: "use";
  readonly span: Span;
  readonly uses: readonly Use[];
}

/** `tie head.W = emb.W` */
export interface TieItem {
  readonly kind: "tie";
  readonly span: Span;
  readonly left: Expression;
  readonly right: Expression;
}

/** An index on the left: `t`, `k in P`, or for `emit ids[t+1]` an offset. */
export interface Index {
  readonly span: Span;
  readonly name: Name;
  /** The expression after `in`. */
  readonly range: Expression | undefined;
  /** `1` of `t+1`, `-2` of `t-2`; only emissions take one. */
  readonly offset: number;
}

export interface Target {
  readonly span: Span;
  readonly name: Name;
  readonly primed: boolean;
  readonly indices: readonly Index[];
}

/** `y, s = scan l1 over x`, `h[t] = ...`, `c' = ...` */
export interface Equation {
  readonly kind: "equation";
  readonly span: Span;
  readonly targets: readonly Target[];
  readonly value: Expression;
  readonly doc: string | undefined;
}

export interface EmitItem {
  readonly kind: "emit";
  readonly span: Span;
  readonly name: Name;
  readonly indices: readonly Index[];
  readonly type: TypeExpression | undefined;
  readonly dist: Expression;
  readonly until: Expression | undefined;
}

export interface OutItem {
  readonly kind: "out";
  readonly span: Span;
  readonly values: readonly Expression[];
}

/** `"bias_ih" + "bias_hh" -> b.{i, f, g, o}` in a `layout` or a `load`. */
export interface Mapping {
  readonly kind: "mapping";
  readonly span: Span;
  /** A tensor's name, or several with `+` between them. In a layout `{name}` in it is the value of a parameter. */
  readonly source: Expression;
  /** Weights, one at least; the tensor is cut among them in this order. */
  readonly targets: readonly Expression[];
}

// Expressions

export type Expression =
  | NumberLiteral
  | StringLiteral
  | Reference
  | Member
  | Call
  | IndexExpression
  | Unary
  | Binary
  | Else
  | ListLiteral
  | TupleLiteral
  | Scan
  | By;

export interface NumberLiteral {
  readonly kind: "number";
  readonly span: Span;
  readonly value: number;
  /** As written: `10_000`, `1e-3`. */
  readonly text: string;
}

export interface StringLiteral {
  readonly kind: "string";
  readonly span: Span;
  readonly value: string;
}

/** `x`, or `c'` with `primed`. */
export interface Reference {
  readonly kind: "reference";
  readonly span: Span;
  readonly name: string;
  readonly primed: boolean;
}

/** `s.h`, `W.T`, `val.bpc`; several members in a mapping's or freeze's `W.{i, f}`. */
export interface Member {
  readonly kind: "member";
  readonly span: Span;
  readonly object: Expression;
  readonly names: readonly Name[];
}

/** `f(x, p: 0.2)`, `sum[S](x)`: `axes` is what stood in brackets before the parenthesis. */
export interface Call {
  readonly kind: "call";
  readonly span: Span;
  readonly callee: Expression;
  readonly axes: readonly Expression[];
  readonly args: readonly Argument[];
}

export interface Argument {
  readonly span: Span;
  readonly name: Name | undefined;
  readonly value: Expression;
}

/** `x[t-1]`, `v[:t+1, n]`, `W[id]` */
export interface IndexExpression {
  readonly kind: "index";
  readonly span: Span;
  readonly object: Expression;
  readonly subscripts: readonly Subscript[];
}

export type Subscript =
  | { readonly kind: "at"; readonly span: Span; readonly value: Expression }
  | {
      readonly kind: "slice";
      readonly span: Span;
      readonly from: Expression | undefined;
      readonly to: Expression | undefined;
    };

export interface Unary {
  readonly kind: "unary";
  readonly span: Span;
  readonly operator: "-" | "not";
  readonly operand: Expression;
}

export type BinaryOperator =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "**"
  | "@"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | "and"
  | "or";

export interface Binary {
  readonly kind: "binary";
  readonly span: Span;
  readonly operator: BinaryOperator;
  /** Where the operator itself stands, for carets. */
  readonly operatorSpan: Span;
  readonly left: Expression;
  readonly right: Expression;
}

/** `h[t-1] else h0`: binds as tightly as a call; the right side is a unary-minus or postfix expression. */
export interface Else {
  readonly kind: "else";
  readonly span: Span;
  readonly value: Expression;
  readonly otherwise: Expression;
}

export interface ListLiteral {
  readonly kind: "list";
  readonly span: Span;
  readonly items: readonly Expression[];
}

export interface TupleLiteral {
  readonly kind: "tuple";
  readonly span: Span;
  readonly items: readonly Expression[];
}

/** `scan l1 over x from s0 reverse` */
export interface Scan {
  readonly kind: "scan";
  readonly span: Span;
  readonly cell: Expression;
  readonly over: Expression;
  readonly from: Expression | undefined;
  readonly reverse: boolean;
}

/** `phones by beam(5)` inside the arguments of a metric. */
export interface By {
  readonly kind: "by";
  readonly span: Span;
  readonly value: Expression;
  readonly method: Expression;
}

// Training, generation, checks

export interface Train {
  readonly kind: "train";
  readonly span: Span;
  readonly name: Name;
  /** `CharLM` or `Model(Cell: Mine)`. */
  readonly model: Expression;
  readonly clauses: readonly TrainClause[];
  readonly doc: string | undefined;
}

export type TrainClause =
  | DataClause
  | SplitClause
  | ObjectiveClause
  | { readonly kind: "bptt"; readonly span: Span; readonly length: Expression }
  | {
      readonly kind: "optim";
      readonly span: Span;
      readonly optimizer: Expression;
      readonly on: readonly Expression[];
    }
  | { readonly kind: "clip"; readonly span: Span; readonly rule: Expression }
  | { readonly kind: "batch"; readonly span: Span; readonly size: Expression; readonly unit: "examples" | "tokens" }
  | { readonly kind: "for"; readonly span: Span; readonly count: Expression; readonly unit: "epochs" | "steps" }
  | {
      readonly kind: "report";
      readonly span: Span;
      readonly metrics: readonly {
        readonly span: Span;
        readonly name: Name | undefined;
        readonly value: Expression;
      }[];
    }
  | {
      readonly kind: "stop";
      readonly span: Span;
      readonly metric: Expression;
      readonly patience: Expression;
      readonly unit: "epochs" | "steps";
    }
  | {
      readonly kind: "save";
      readonly span: Span;
      /** `best val.bpc`; undefined saves the last. */
      readonly best: Expression | undefined;
      readonly to: StringLiteral;
    }
  | { readonly kind: "seed"; readonly span: Span; readonly value: Expression }
  | LoadClause
  | {
      readonly kind: "freeze";
      readonly span: Span;
      readonly parts: readonly Expression[];
      readonly until: { readonly count: Expression; readonly unit: "epoch" | "step" } | undefined;
    }
  | {
      readonly kind: "teacher_forcing";
      readonly span: Span;
      readonly name: Name;
      readonly schedule: Expression;
    }
  | {
      readonly kind: "copy";
      readonly span: Span;
      readonly from: Expression;
      readonly to: Expression;
      readonly every: Expression;
      readonly unit: "steps" | "epochs";
    };

/** `data words, tag = jsonl("x.jsonl") where tag < 5` */
export interface DataClause {
  readonly kind: "data";
  readonly span: Span;
  readonly names: readonly Name[];
  readonly reader: Expression;
  readonly where: Expression | undefined;
}

/** `val last 10%`, `test random 600 rows`, `val ids = chars("valid.txt")` */
export interface SplitClause {
  readonly kind: "split";
  readonly span: Span;
  readonly role: "val" | "test";
  readonly rule:
    | {
        readonly kind: "share";
        readonly from: "last" | "random";
        readonly amount: Expression;
        readonly unit: "percent" | "rows";
      }
    | { readonly kind: "own"; readonly data: DataClause };
}

export interface ObjectiveClause {
  readonly kind: "objective";
  readonly span: Span;
  readonly direction: "minimize" | "maximize";
  readonly value: Expression;
  readonly on: readonly Expression[];
  readonly every: Expression | undefined;
}

/** `load enc from pretrain`, `load from first`, `load enc from "x.safetensors" { "a" + "b" -> f.b.{i, f} }` */
export interface LoadClause {
  readonly kind: "load";
  readonly span: Span;
  readonly part: Expression | undefined;
  readonly from: Name | StringLiteral;
  /** `as TorchLSTM(at: "lstm.")` */
  readonly layout: Expression | undefined;
  /** What stands in braces; empty where nothing does. */
  readonly mapping: readonly Mapping[];
}

export interface Generate {
  readonly kind: "generate";
  readonly span: Span;
  readonly name: Name;
  readonly model: Expression;
  readonly clauses: readonly GenerateClause[];
  readonly doc: string | undefined;
}

export type GenerateClause =
  | { readonly kind: "set"; readonly span: Span; readonly name: Name; readonly value: Expression }
  /** A named value to print, or with `method` how an emission is decoded. */
  | { readonly kind: "show"; readonly span: Span; readonly name: Name; readonly method: Expression | undefined }
  | {
      readonly kind: "option";
      readonly span: Span;
      readonly option: "prompt" | "max" | "count" | "seed";
      readonly value: Expression;
    };

/** Powers of a thousand bytes. */
export type ByteUnit = "kB" | "MB" | "GB";

/** `expect params(M) < 4_000_000`, `expect peak(lm) < 2 MB` */
export interface Expect {
  readonly kind: "expect";
  readonly span: Span;
  readonly value: Expression;
  /** Of the number that stands last. */
  readonly unit: { readonly span: Span; readonly name: ByteUnit } | undefined;
  readonly doc: string | undefined;
}
