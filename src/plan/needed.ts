import type { Value, ValueGraph } from "./value.ts";

/** The values that the results depend on; a loop's carry counts where the loop's needed values or the outside read it. */
export function neededValues(graph: ValueGraph): ReadonlySet<Value> {
  const needed = new Set<Value>();
  const open = graph.results.map((result) => result.value);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (needed.has(value)) continue;
    needed.add(value);
    open.push(...dependencies(value));
  }
  return needed;
}

function dependencies({ definition }: Value): readonly Value[] {
  switch (definition.kind) {
    case "param":
      return [];
    case "node":
      return definition.inputs;
    case "entry":
      return [definition.of];
    case "collected":
      return present([definition.loop.ys[definition.index]]);
    case "carry":
    case "final": {
      const { loop, index } = definition;
      return present([loop.starts[index], loop.next[index], loop.carries[index]]);
    }
    default:
      return definition satisfies never;
  }
}

function present(values: readonly (Value | undefined)[]): readonly Value[] {
  return values.filter((value) => value !== undefined);
}
