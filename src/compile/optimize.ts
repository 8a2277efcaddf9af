import type { Program } from "../build/program.ts";
import type { Graph } from "../ir/graph.ts";
import { type Note, noteTo } from "../pass/note.ts";
import type { PassName } from "../pass/pass.ts";
import { optimize } from "../pass/run.ts";

export interface OptimizeProgramOptions {
  /** Passes that do not run (`--no-PASS`); none by default. */
  readonly off?: ReadonlySet<PassName>;
  /** Called with the graph after each pass that has run (`--print-after PASS`). A pass that runs twice calls twice. */
  readonly printAfter?: (pass: PassName, graph: Graph) => void;
  /** Called with what each pass does, as data. */
  readonly note?: (note: Note) => void;
  /** What cost models take for sizes that are not known, the batch above all; default 32. */
  readonly rows?: number;
  /** Above this many bytes kept by loops for later loops, costly values are computed again too. */
  readonly memory?: number;
  /** How many steps lie between two states that are kept where memory is short. */
  readonly chunk?: number;
  /** How many weights a step must have for layers to run beside one another. */
  readonly stagger?: number;
  /** `--unroll N` or `--unroll full`. */
  readonly unroll?: number | "full";
  /** Lengths for `--unroll full`, by `time` name; they become part of the program. */
  readonly lengths?: ReadonlyMap<string, number>;
  /** Whether each pass is checked; for tests and development. */
  readonly check?: boolean;
}

/** A scheduled program with its graph made faster; params, results and their roles stay. */
export function optimizeProgram(program: Program, options: OptimizeProgramOptions = {}): Program {
  const { off = new Set<PassName>(), printAfter, note, rows, memory, chunk, stagger, unroll, lengths, check } = options;
  const sizes = unroll === "full" && lengths !== undefined ? new Map([...program.sizes, ...lengths]) : program.sizes;
  const graph = optimize(program.graph, {
    sizes,
    off,
    ...(printAfter && { after: printAfter }),
    ...(note && { note: noteTo(note) }),
    ...(rows !== undefined && { rows }),
    ...(memory !== undefined && { memory }),
    ...(chunk !== undefined && { chunk }),
    ...(stagger !== undefined && { stagger }),
    ...(unroll !== undefined && { unroll }),
    ...(check !== undefined && { check }),
  });
  return { ...program, graph, sizes };
}
