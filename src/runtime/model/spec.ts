import type { ParamRole } from "../../build/program.ts";
import type { DType } from "../../ir/type.ts";
import type { SizeOf } from "../../plan/bound-size.ts";
import type { Initializer } from "../initialize.ts";

/** A compiled model as data that can be written into a file: what it keeps, and its programs. */
export interface ModelSpec<W extends WeightEntry = WeightEntry> {
  readonly name: string;
  readonly weights: readonly W[];
}

/** An array of the model, with its shape in files. */
export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
}

/** The same, and how it starts. */
export interface StartEntry extends WeightEntry {
  readonly start: Initializer;
}

/** A program: what runs it (`M`, by what it runs on), and what its params and results are for. */
export interface ProgramSpec<M = unknown> {
  readonly module: M;
  /** By param name; those left out are weights of that name. */
  readonly params: Readonly<Record<string, ParamRole>>;
  readonly inputs: readonly InputEntry[];
  readonly results: readonly ResultEntry[];
}

/** What a param is for. */
export function roleOf({ params }: ProgramSpec, name: string): ParamRole {
  return params[name] ?? { kind: "weight", name };
}

/** An array that callers give; the batch axis comes first and is not listed. */
export interface InputEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly axes: readonly AxisEntry[];
  /** Tokens lie below it. */
  readonly below?: number;
  /** The token that ends every sequence. */
  readonly end?: number;
}

export interface AxisEntry {
  /** Its name where it is not known before. */
  readonly size: number | string;
  /** The `time` whose length it is. */
  readonly time?: string;
}

/** A result that callers see. */
export interface ResultEntry {
  /** In the module. */
  readonly name: string;
  /** What callers call it. */
  readonly as: string;
  /** The state that it is, where it is one to go on from. */
  readonly state?: string;
}

/** What of a program's memory is the same whatever it runs on. */
export interface ProgramMemory {
  /** The names of sizes that are bound. */
  readonly sizes: readonly string[];
  readonly params: readonly { readonly name: string; readonly shape: readonly SizeOf[] }[];
}
