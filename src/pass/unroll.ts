import type { Pass } from "./pass.ts";
export const unroll: Pass = (graph) => graph;
