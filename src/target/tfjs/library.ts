/** tfjs-core's own functions. */
export type Tf = typeof import("@tensorflow/tfjs-core");

/** The functions that emitted modules bring along. */
export type TfSupport = typeof import("../typescript/support/tensors.ts");

/** What running a lowered program takes; it is handed in, so that nothing below the runtime loads tfjs. */
export interface TfLibrary {
  readonly tf: Tf;
  readonly support: TfSupport;
}
