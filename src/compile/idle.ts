import type { Program } from "../build/program.ts";

/** The params that something reads. */
export function readParams({ graph }: Program): ReadonlySet<string> {
  return new Set([...graph.nodes.flatMap((node) => node.inputs), ...graph.results.map(({ id }) => id)]);
}

/** Inputs that nothing reads need no value: a generator's real images while it makes others. */
export function withoutIdleInputs(program: Program): Program {
  const read = readParams(program);
  const idle = new Set(
    [...program.params].filter(([id, role]) => role.kind === "input" && !read.has(id)).map(([id]) => id),
  );
  const graph = { ...program.graph, params: program.graph.params.filter(({ id }) => !idle.has(id)) };
  const names = new Set(
    [...program.params].flatMap(([id, role]) => (role.kind === "input" && idle.has(id) ? [role.name] : [])),
  );
  const inputs = program.inputs.filter(({ name, emitted }) => emitted || !names.has(name));
  return { ...program, graph, inputs, params: new Map([...program.params].filter(([id]) => !idle.has(id))) };
}
