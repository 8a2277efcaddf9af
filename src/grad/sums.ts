import type { Builder } from "../ir/builder.ts";
import type { Type } from "../ir/type.ts";
import * as make from "../op/make.ts";
import { expand } from "../op/make_move.ts";

/** Cotangents while they are gathered: one contribution for each use of a value. */
export interface Sums {
  add(key: string, contribution: string): void;
  /** The cotangent: a reserved one, or the sum so far; undefined where nothing flows. */
  get(key: string): string | undefined;
  /** Makes a cotangent known before its contributions are. */
  reserve(key: string, type: Type): void;
  /** Closes the reserved cotangents with their sums. */
  close(): void;
}

export function createSums(builder: Builder): Sums {
  const contributions = new Map<string, string[]>();
  const reserved = new Map<string, { readonly id: string; readonly type: Type }>();
  const sum = (key: string): string | undefined => {
    const [first, ...rest] = contributions.get(key) ?? [];
    if (first === undefined) return undefined;
    const total = rest.reduce((partial, value) => make.add(builder, partial, value, `d.${key}`), first);
    contributions.set(key, [total]);
    return total;
  };
  return {
    add: (key, contribution) => {
      const list = contributions.get(key);
      if (list === undefined) contributions.set(key, [contribution]);
      else list.push(contribution);
    },
    get: (key) => reserved.get(key)?.id ?? sum(key),
    reserve: (key, type) => {
      reserved.set(key, { id: builder.forward(`d.${key}.ahead`, type), type });
    },
    close: () => {
      for (const [key, { id, type }] of reserved) {
        builder.close(id, expand(builder, sum(key) ?? make.num(builder, 0), type.axes));
      }
      reserved.clear();
    },
  };
}
