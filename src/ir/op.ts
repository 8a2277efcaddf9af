import type { Builder } from "./builder.ts";
import type { Attributes, Node } from "./graph.ts";
import type { ScalarExpression } from "./scalar.ts";
import type { SizeBinding } from "./size.ts";
import type { Tensor } from "./tensor.ts";
import type { Type } from "./type.ts";

/** What a target renders: it knows forms and scalar intrinsics, never single ops (`move`, `window`, `source` and `region` ops are few and closed). */
export type Form = "map" | "reduce" | "contract" | "window" | "move" | "source" | "region";

/**
 * Which positions of an input along an axis does position t of the output need?
 * Legality of a schedule, causality and caches follow from this alone.
 */
export type Reads =
  | { readonly kind: "same" }
  /** Positions t+low ... t+high. */
  | { readonly kind: "offsets"; readonly low: number; readonly high: number }
  /** Positions before t+end. */
  | { readonly kind: "prefix"; readonly end: number }
  /** Positions from t+start on. */
  | { readonly kind: "suffix"; readonly start: number }
  | { readonly kind: "all" };

export interface VjpContext<A extends Attributes> {
  readonly builder: Builder;
  readonly node: Node<A>;
  /** Cotangent of each output, undefined where nothing flows. It may lack axes of the output: it is constant along them. */
  readonly cotangents: readonly (string | undefined)[];
}

/**
 * An operation states its meaning once; targets never ask for its name where its form is enough.
 * Method syntax keeps `Op<A>` assignable to `Op`.
 */
export interface Op<A extends Attributes = Attributes> {
  readonly name: string;
  readonly form: Form;
  /** Output types, or a sentence that says what is wrong (a compiler fault: the checker has seen to the user's mistakes). */
  infer(inputs: readonly Type[], attributes: A): readonly Type[] | string;
  /** How input `input` is read along `axis` by an output position on that axis. */
  reads(node: Node<A>, input: number, axis: string, inputType: Type): Reads;
  /**
   * Contributions to the cotangents of the inputs, undefined where none flows. Summed over the axes that it has and the input
   * lacks, a contribution is the input's share: summing is the caller's (`sumOver`), who may put it off to keep a read causal.
   * It may lack axes that the input has (constant along them). Present but always undefined where the derivative is zero
   * (`floor`, `lt`); absent where there is none to give, which is an error for whoever needs it.
   */
  vjp?(context: VjpContext<A>): readonly (string | undefined)[];
  /** Reference meaning in float64. */
  evaluate(inputs: readonly Tensor[], attributes: A, outputs: readonly Type[], sizes: SizeBinding): readonly Tensor[];
  /** Elementwise ops only: the value as an expression over the operands. */
  readonly scalar?: ScalarExpression;
}
