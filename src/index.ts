/**
 * The compiler as a library. Everything here is pure: sources come in as text, programs go out as data.
 */
export type { Diagnostic, Fix, Related, Report, Severity } from "./base/diagnostic.ts";
export { applyFixes } from "./base/edit.ts";
export { diagnosticToJson, renderDiagnostic } from "./base/render.ts";
export { createReport } from "./base/report.ts";
export type { Span } from "./base/span.ts";
export type { Initial, InputSpec, ParamRole, Program, ResultRole, WeightSpec } from "./build/program.ts";
export { loadModules, type Modules, type Resolve, type Source } from "./check/modules.ts";
export { type Regime, readRegime } from "./check/regime.ts";
export { checkModules } from "./compile/check.ts";
export { compileGeneration, type Generation } from "./compile/decoder.ts";
export { compileDefinition } from "./compile/definition.ts";
export { compileForward, compileReports, compileStep, type Job } from "./compile/program.ts";
export type { Graph, Node, Value } from "./ir/graph.ts";
export { bindSizes, interpret } from "./ir/interpret.ts";
export { printGraph } from "./ir/print.ts";
export type { Tensor } from "./ir/tensor.ts";
export { format } from "./syntax/format.ts";
export { parse } from "./syntax/parse.ts";
