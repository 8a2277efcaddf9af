/**
 * The compiler as a library, in Node and in browsers. Sources come in as text, programs go out as data; executors run them.
 */
export { type Compilation, type CompiledModel, type CompileOptions, compile, type Emission } from "./api/compile.ts";
export type { Completion, Completions } from "./api/complete.ts";
export { type Document, type DocumentOptions, openDocument } from "./api/document.ts";
export type { EmitKind, EmitOptions } from "./api/emit.ts";
export type { Hover } from "./api/hover.ts";
export {
  type InstantiatedModel,
  type InstantiateOptions,
  instantiate,
  type ModelClass,
} from "./api/instantiate.ts";
export type { Limits } from "./api/limits.ts";
export type { OutputFile } from "./api/modules.ts";
export type { ProgramPlan } from "./api/plans.ts";
export type { ModelSummary, WeightSummary } from "./api/summary.ts";
export type { Diagnostic, Fix, Related, Report, Severity } from "./base/diagnostic.ts";
export { applyFixes } from "./base/edit.ts";
export { diagnosticToJson, renderDiagnostic } from "./base/render.ts";
export { createReport } from "./base/report.ts";
export type { Span } from "./base/span.ts";
export type { Initial, InputSpec, ParamRole, Program, ResultRole, WeightSpec } from "./build/program.ts";
export { loadModules, type Modules, type Resolve, type Source } from "./check/modules.ts";
export { type Regime, readRegime } from "./check/regime.ts";
export { compileForward, compileStep, type Job } from "./compile/program.ts";
export { compileValue, type ValueFunction } from "./compile/value.ts";
export { deriveSeed } from "./ir/random.ts";
export { readOuterExpression } from "./runtime/arguments.ts";
export { type Bindable, type Bound, bindBatch, type Moment } from "./runtime/bind.ts";
export type { Executor, HostArray, HostData, Prepared } from "./runtime/executor.ts";
export { type GpuAdapterFacts, type GpuDevice, openGpuDevice } from "./runtime/gpu-device.ts";
export { type Columns, type HostedOptions, type HostedTraining, openHosted } from "./runtime/hosted.ts";
export { shippedLibrary } from "./runtime/shipped.ts";
export { startWasm } from "./runtime/start-wasm.ts";
export { startWebGpu } from "./runtime/start-webgpu.ts";
export { initialWeights, readState, type State, writeState } from "./runtime/state.ts";
export { format } from "./syntax/format.ts";
export { parse } from "./syntax/parse.ts";
export { decodeSafetensors, encodeSafetensors } from "./target/tfjs/support/safetensors.ts";
