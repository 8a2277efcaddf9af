import type { Graph } from "../ir/graph.ts";
import type { SizeBinding } from "../ir/size.ts";
import { verify } from "../ir/verify.ts";
import { createFresh } from "./fresh.ts";
import { DEFAULT_OPTIONS, type PassName, type PassOptions } from "./pass.ts";
import { PASSES, PIPELINE } from "./pipeline.ts";

export interface OptimizeOptions extends Partial<Omit<PassOptions, "sizes">> {
  /** The sizes that are known while compiling. */
  readonly sizes: SizeBinding;
  /** Passes that do not run. */
  readonly off: ReadonlySet<PassName>;
  /** Whether the graph is verified after each pass; a fault is ours and throws. For tests and development. */
  readonly check?: boolean;
  /** Called after each pass that has run, with the graph as it then is. */
  readonly after?: (pass: PassName, graph: Graph) => void;
}

/**
 * A scheduled graph made faster: the passes of pipeline.ts in their order. Params and results, their names and layouts stay; the numbers agree
 * up to rounding. Throws only by a fault of a pass, with its name.
 */
export function optimize(graph: Graph, options: OptimizeOptions): Graph {
  const { off, check = false, after } = options;
  const passOptions: PassOptions = {
    sizes: options.sizes,
    rows: options.rows ?? DEFAULT_OPTIONS.rows,
    memory: options.memory,
    chunk: options.chunk ?? DEFAULT_OPTIONS.chunk,
    stagger: options.stagger ?? DEFAULT_OPTIONS.stagger,
    unroll: options.unroll,
    // What is named once stays taken, so that all passes can share the names.
    fresh: createFresh(graph),
    ...(options.note !== undefined && { note: options.note }),
  };
  let current = graph;
  for (const { pass } of PIPELINE) {
    if (off.has(pass)) continue;
    const next = PASSES[pass](current, passOptions);
    if (check && next !== current) checkGraph(pass, next);
    current = next;
    after?.(pass, current);
  }
  return current;
}

function checkGraph(pass: PassName, graph: Graph): void {
  const [problem] = verify(graph, { scheduled: true });
  if (problem !== undefined) throw new Error(`internal: after the pass ${pass}: ${problem}`);
}
