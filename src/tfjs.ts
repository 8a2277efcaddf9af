/**
 * Compiled values as ops of tfjs. An entry of its own: its types are tfjs's, which only who uses it needs to install.
 */
export { registerTfOp, type TfOp, type TfOpCall } from "./runtime/tfjs-op.ts";
