import type * as tfjs from "@tensorflow/tfjs-core";
import type * as support from "./support/tensors.ts";

/** What running a lowered program takes; it is handed in, so that nothing below the runtime loads tfjs. */
export interface TfLibrary {
  /** tfjs-core's own functions. */
  readonly tf: typeof tfjs;
  /** The functions that emitted modules bring along. */
  readonly support: typeof support;
}
