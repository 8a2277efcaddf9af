import type { Graph } from "../../src/ir/graph.ts";
import { readGraph } from "../../src/ir/read.ts";
import { OPS } from "../../src/op/table.ts";
import { DEFAULT_OPTIONS, type PassOptions } from "../../src/pass/pass.ts";

/**
 * A golden of a pass: a graph's text, and in comments what to expect of the text that the pass makes of it.
 * ```
 * // OPTIONS rows=1 memory=0 chunk=2 stagger=1 unroll=full   for the pass; cost models use these
 * // SIZES H=4                             sizes that are known while compiling
 * // CHECK text           stands in a line behind the lines of the checks before
 * // CHECK-NOT text       stands nowhere
 * // CHECK-COUNT 2 text   stands in that many lines
 * // CHECK-SAME           nothing is changed
 * ```
 */
export interface Golden {
  readonly graph: Graph;
  readonly options: PassOptions;
  readonly checks: readonly Check[];
}

export type Check =
  | { readonly kind: "next" | "not"; readonly text: string }
  | { readonly kind: "count"; readonly count: number; readonly text: string }
  | { readonly kind: "same" };

export function readGolden(text: string): Golden {
  const comments = [...text.matchAll(/^\s*\/\/ (.*)$/gm)].map((match) => match[1] ?? "");
  const settings = (name: string): ReadonlyMap<string, string> =>
    new Map(
      comments
        .filter((comment) => comment.startsWith(`${name} `))
        .flatMap((comment) =>
          [...comment.matchAll(/([\w~.]+)=(\S+)/g)].map((match) => [match[1] ?? "", match[2] ?? ""]),
        ),
    );
  const options = settings("OPTIONS");
  const unroll = options.get("unroll");
  const memory = options.get("memory");
  return {
    graph: readGraph(text, OPS),
    options: {
      ...DEFAULT_OPTIONS,
      sizes: new Map([...settings("SIZES")].map(([name, value]) => [name, Number(value)])),
      rows: Number(options.get("rows") ?? DEFAULT_OPTIONS.rows),
      memory: memory === undefined ? undefined : Number(memory),
      chunk: Number(options.get("chunk") ?? DEFAULT_OPTIONS.chunk),
      stagger: Number(options.get("stagger") ?? DEFAULT_OPTIONS.stagger),
      unroll: unroll === undefined ? undefined : unroll === "full" ? "full" : Number(unroll),
    },
    checks: comments.flatMap(checkOf),
  };
}

function checkOf(comment: string): readonly Check[] {
  const [, kind = "", rest = ""] = /^CHECK(-[A-Z]+)?(?: (.*))?$/.exec(comment) ?? ["", "none"];
  switch (kind) {
    case "":
      return [{ kind: "next", text: rest }];
    case "-NOT":
      return [{ kind: "not", text: rest }];
    case "-SAME":
      return [{ kind: "same" }];
    case "-COUNT": {
      const [, count = "", text = ""] = /^(\d+) (.*)$/.exec(rest) ?? [];
      return [{ kind: "count", count: Number(count), text }];
    }
    case "none":
      return [];
    default:
      throw new Error(`no such check: ${comment}`);
  }
}

/** What of the checks does not hold, one sentence each. */
export function failedChecks(checks: readonly Check[], before: string, after: string): readonly string[] {
  const lines = after.split("\n");
  let at = 0;
  return checks.flatMap((check) => {
    switch (check.kind) {
      case "same":
        return before === after ? [] : ["the graph has changed"];
      case "not":
        return lines.some((line) => line.includes(check.text)) ? [`found: ${check.text}`] : [];
      case "count": {
        const count = lines.filter((line) => line.includes(check.text)).length;
        return count === check.count ? [] : [`in ${count} lines, not ${check.count}: ${check.text}`];
      }
      case "next": {
        const found = lines.findIndex((line, index) => index >= at && line.includes(check.text));
        if (found < 0) return [`not found, or out of order: ${check.text}`];
        at = found + 1;
        return [];
      }
      default:
        return check satisfies never;
    }
  });
}
