import type { Graph } from "../ir/graph.ts";
import type { SizeBinding } from "../ir/size.ts";
import type { Fresh } from "./fresh.ts";
import type { NoteDown } from "./note.ts";

/** The rewrites that can be run alone and switched off. */
export type PassName =
  | "simplify"
  | "fold"
  | "cse"
  | "hoist"
  | "hoist-terms"
  | "dce"
  | "previous-state"
  | "side-by-side"
  | "stagger"
  | "merge-into-loop"
  | "merge-products"
  | "pack-gates"
  | "pack-outputs"
  | "sink"
  | "pack-maps"
  | "checkpoint"
  | "unroll";

export interface PassOptions {
  /** The sizes that are known while compiling. */
  readonly sizes: SizeBinding;
  /** The number that cost models take for a size that is not known: a batch, a length. */
  readonly rows: number;
  /**
   * How many bytes a loop may keep for later loops, each number four of them. Above it, what can be computed again is not kept.
   * Undefined: only what is as cheap to compute as to load is computed again.
   */
  readonly memory: number | undefined;
  /** How many steps lie between two states that `checkpoint` keeps. */
  readonly chunk: number;
  /** How many weights a step of a loop must have so that it runs beside other layers: below, a product over all positions is worth more. */
  readonly stagger: number;
  /** How many steps of a loop become one, or all of them; undefined leaves loops alone. */
  readonly unroll: number | "full" | undefined;
  /** Names that nothing in the program has; undefined: the pass looks through the program for itself. */
  readonly fresh?: Fresh;
  /** Takes down what passes do; undefined: nobody asks. */
  readonly note?: NoteDown;
}

export const DEFAULT_OPTIONS: PassOptions = {
  sizes: new Map(),
  rows: 32,
  memory: undefined,
  chunk: 64,
  stagger: 2 ** 18,
  unroll: undefined,
};

/** From a scheduled graph to a scheduled graph with the same params, results and meaning. */
export type Pass = (graph: Graph, options: PassOptions) => Graph;
