/** The part of WGSL that stages and library functions are written in. */
export type Expression =
  /** A name, or a number. */
  | { readonly kind: "word"; readonly text: string }
  /** What is called may have types: `bitcast<f32>`. */
  | { readonly kind: "call"; readonly called: string; readonly args: readonly Expression[] }
  | { readonly kind: "index"; readonly of: Expression; readonly at: Expression }
  | { readonly kind: "member"; readonly of: Expression; readonly name: string }
  | { readonly kind: "unary"; readonly operator: string; readonly of: Expression }
  | { readonly kind: "binary"; readonly operator: string; readonly left: Expression; readonly right: Expression };

export type Statement = SimpleStatement | BlockStatement;

/** What ends with a semicolon, and comments. */
export type SimpleStatement =
  | { readonly kind: "let"; readonly name: string; readonly value: Expression }
  | { readonly kind: "var"; readonly name: string; readonly type: string | undefined; readonly value?: Expression }
  /** `+=` with its value, or `++`. */
  | { readonly kind: "set"; readonly target: Expression; readonly operator: string; readonly value?: Expression }
  | { readonly kind: "call"; readonly call: Expression }
  | { readonly kind: "return"; readonly value: Expression }
  | { readonly kind: "comment"; readonly text: string };

export type BlockStatement =
  | { readonly kind: "if" | "while"; readonly condition: Expression; readonly body: readonly Statement[] }
  | (ForHead & { readonly kind: "for"; readonly body: readonly Statement[] })
  | { readonly kind: "block"; readonly body: readonly Statement[] };

export interface ForHead {
  readonly start: SimpleStatement;
  readonly condition: Expression;
  readonly next: SimpleStatement;
}

/** What binds tighter has a higher number. */
export const PRECEDENCE: Readonly<Record<string, number>> = {
  ...{ "||": 1, "&&": 2, "|": 3, "^": 4, "&": 5, "==": 6, "!=": 6 },
  ...{ "<": 7, ">": 7, "<=": 7, ">=": 7, "<<": 8, ">>": 8, "+": 9, "-": 9, "*": 10, "/": 10, "%": 10 },
};
