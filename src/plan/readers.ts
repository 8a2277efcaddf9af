import type { Item, Loop, Value, ValueGraph } from "./value.ts";

/** What reads a value, once for each time. */
export type Reader =
  | { readonly kind: "node"; readonly value: Value; readonly input: number }
  /** A loop starts with it. */
  | { readonly kind: "start"; readonly loop: Loop }
  /** A loop's step leaves it, to the next step or as an entry of a y. */
  | { readonly kind: "end"; readonly loop: Loop }
  | { readonly kind: "result" };

export function readersOf(graph: ValueGraph, needed: ReadonlySet<Value>): ReadonlyMap<Value, readonly Reader[]> {
  const readers = new Map<Value, Reader[]>();
  const add = (value: Value, reader: Reader): void => {
    const list = readers.get(value);
    if (list === undefined) readers.set(value, [reader]);
    else list.push(reader);
  };
  const addValue = (value: Value): void => {
    if (!needed.has(value) || value.definition.kind !== "node") return;
    value.definition.inputs.forEach((input, index) => {
      add(input, { kind: "node", value, input: index });
      // An entry is read as often as its readers read it.
      for (let at = input; at.definition.kind === "entry"; at = at.definition.of)
        add(at.definition.of, { kind: "node", value, input: index });
    });
  };
  const walk = (items: readonly Item[]): void => {
    for (const item of items) {
      if (item.kind === "value") {
        addValue(item.value);
        continue;
      }
      const { loop } = item;
      const { starts, next, ys, carries, collected, body } = loop;
      walk(body);
      carries.forEach((carry, index) => {
        if (!needed.has(carry)) return;
        const [start, end] = [starts[index], next[index]];
        if (start !== undefined) add(start, { kind: "start", loop });
        if (end !== undefined) add(end, { kind: "end", loop });
      });
      ys.forEach((value, index) => {
        const whole = collected[index];
        if (whole !== undefined && needed.has(whole)) add(value, { kind: "end", loop });
      });
    }
  };
  walk(graph.items);
  for (const { value } of graph.results) add(value, { kind: "result" });
  return readers;
}
