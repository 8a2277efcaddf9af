import type { Program } from "../build/program.ts";
import type { SizeBinding } from "../ir/size.ts";

/** A value outside of any device, row-major. Booleans are 0 and 1. */
export interface HostArray {
  readonly shape: readonly number[];
  readonly data: HostData;
}

/** Numbers of one kind; what a program computes in float32 comes back as such. */
export type HostData = Float64Array | Float32Array | Int32Array | Uint8Array;

/** A place where compiled programs run: the interpreter, a library, our own code. */
export interface Executor {
  readonly name: string;
  /** What its floating-point results are. */
  readonly precision: "float32" | "float64";
  /** What the user should know of where programs run now: that a graphics card is none, say. */
  readonly notice?: string | undefined;
  /**
   * Makes a program ready to run many times. Values that its results feed back stay where it runs. `rows` is about how many examples
   * a batch will have, where that is known: code is made for any number, and chosen for this one.
   */
  prepare(program: Program, rows?: number): Prepared;
}

/** How a place is set up. */
export interface ExecutorOptions {
  /** How many threads run a program together, where a place has several; what it gives does not depend on it. */
  readonly threads?: number | undefined;
  /** How many bytes a program may take: above, loops keep states at the ends of chunks only and compute the steps between again. */
  readonly memory?: number | undefined;
}

export type Results = ReadonlyMap<string, HostArray>;

/**
 * Runs whose results stay on a device until they are asked for together: asking makes the host wait for it. What the device finds wrong with
 * a run is thrown then at the latest.
 */
export interface RunQueue {
  /** Starts a run; inputs and sizes as for `Prepared.run`. */
  enqueue(inputs: ReadonlyMap<string, HostArray>, sizes: SizeBinding): Promise<void>;
  /** The results of all runs that were started since the last asking, in order. */
  drain(): Promise<readonly Results[]>;
}

/** A program in its place, with what it keeps from run to run. */
export interface Prepared {
  /** Gives a param the value that it has from now on, until it is kept anew or fed back. Shape: the param's axes in order. */
  keep(param: string, value: HostArray): void;
  /** The present value of a param that is kept. */
  kept(param: string): Promise<HostArray>;
  /**
   * Runs once. `inputs` are the params that are not kept, `sizes` every size name. Results that a param takes back (weights, slots,
   * carries) are kept there and not returned; the others are, in the layout of their roles.
   */
  run(inputs: ReadonlyMap<string, HostArray>, sizes: SizeBinding): Promise<Results>;
  /** Where a device computes by itself while the host goes on; elsewhere a run is over when its results are known. */
  readonly queue?: RunQueue | undefined;
  /** Frees what is kept. */
  dispose(): void;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function scalar(value: number): HostArray {
  return { shape: [], data: Float64Array.of(value) };
}
