import type { PassName } from "../pass/pass.ts";
import { KERNEL_NAMES } from "../plan/kernels.ts";
import type { ExplainedEquation, ExplainedKernel, Explanation, Fact, Unfused } from "./explain.ts";

/** Bytes of a call's memory. */
export interface ExplainedMemory {
  /** In all. */
  readonly bytes: number;
  /** Of weights, optimizer state and inputs: what lies there between calls. */
  readonly kept: number;
  /** Of everything else, where values that live at different times share memory, and what no layout could do without. */
  readonly arena: { readonly bytes: number; readonly lowerBound: number };
}

/** An explanation for people. `source` gives an equation's text and place; `kernels` lists each kernel too. */
export function explanationText(
  explanation: Explanation,
  memory: ExplainedMemory,
  source: (equation: ExplainedEquation) => { readonly text: string; readonly place: string },
  kernels: boolean,
): string {
  const { program, equations } = explanation;
  return [
    `${program} on wasm, ${sizesText(explanation)}`,
    "",
    ...totalLines(explanation, memory).map((line) => `  ${line}`),
    ...equations.flatMap((equation) => ["", ...equationLines(equation, explanation, source(equation))]),
    ...(kernels ? ["", ...kernelTable(explanation)] : []),
  ].join("\n");
}

function sizesText({ sizes }: Explanation): string {
  return Object.entries(sizes)
    .map(([name, size]) => `${name} = ${size}`)
    .join(", ");
}

function totalLines({ totals, loops, kernels }: Explanation, memory: ExplainedMemory): readonly string[] {
  const inLoops = new Set(loops.flatMap((loop) => loop.kernels));
  const alone = kernels.filter(({ number, once }) => !once && !inLoops.has(number)).length;
  const looped = loops.map(
    ({ over, reverse, steps, kernels: own }) =>
      `${own.length} at each of ${steps} steps ${reverse ? "back " : ""}over ${over}`,
  );
  const once = totals.once === 0 ? [] : [`${totals.once} before the first call`];
  const other = totals.flops - totals.productFlops;
  return [
    `kernels  ${totals.kernels}: ${[`${alone} once a call`, ...looped, ...once].join(", ")}; ${count(totals.runs)} run in a call`,
    `work     ${amount(totals.flops, "FLOP")} a call, ${amount(totals.productFlops, "FLOP")} of it products, ${amount(other, "FLOP")} everything else`,
    `traffic  ${amount(totals.bytes, "B")} read and written a call`,
    `memory   ${amount(memory.bytes, "B")}: ${amount(memory.kept, "B")} kept between calls, arena ${amount(memory.arena.bytes, "B")} (${arenaShare(memory)})`,
  ];
}

function arenaShare({ arena }: ExplainedMemory): string {
  if (arena.lowerBound === 0) return "nothing lives in it";
  return `${(arena.bytes / arena.lowerBound).toFixed(2)} of the most that is alive at once`;
}

function equationLines(
  { name, value, gradient, facts }: ExplainedEquation,
  { kernels }: Explanation,
  source: { readonly text: string; readonly place: string },
): readonly string[] {
  const byNumber = new Map(kernels.map((kernel) => [kernel.number, kernel]));
  const landed = (title: string, numbers: readonly number[]): readonly string[] =>
    numbers.length === 0 ? [] : [`  ${title.padEnd(8)} ${landedText(numbers, byNumber)}`];
  return [
    `${name}${source.text === "" ? "" : `: ${source.text}`}${source.place === "" ? "" : `  (${source.place})`}`,
    ...landed("value", value),
    ...landed(value.length === 0 ? "update" : "gradient", gradient),
    ...shortened(facts.map(factText)).map((line) => `  - ${line}`),
  ];
}

/** Facts that say the same of several values take one line. */
function shortened(lines: readonly { readonly what: string; readonly says: string }[]): readonly string[] {
  return [...Map.groupBy(lines, ({ says }) => says)].map(([says, group]) => {
    const names = [...new Set(group.map(({ what }) => what))].filter((what) => what !== "");
    const shown = names.slice(0, MOST_NAMES).join(", ");
    const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
    return `${shown}${more}${names.length === 0 ? "" : ": "}${says}`;
  });
}

/** More would not be read. */
const MOST_NAMES = 4;

/** `12 products and 15 map in the loop over T; 3 products` */
function landedText(numbers: readonly number[], kernels: ReadonlyMap<number, ExplainedKernel>): string {
  const places = Map.groupBy(numbers, (number) => {
    const kernel = kernels.get(number);
    if (kernel?.once === true) return "before the first call";
    return kernel === undefined || kernel.loops.length === 0 ? "" : `in the loop over ${kernel.loops.join(", ")}`;
  });
  return [...places]
    .map(([place, own]) => {
      const listed = own.slice(0, MOST_KERNELS).map((number) => `${number} ${kernels.get(number)?.role ?? ""}`);
      const more = own.length > MOST_KERNELS ? [`${own.length - MOST_KERNELS} more`] : [];
      return `${[...listed, ...more].join(", ")}${place === "" ? "" : ` ${place}`}`;
    })
    .join("; ");
}

const MOST_KERNELS = 6;

function factText(fact: Fact): { readonly what: string; readonly says: string } {
  switch (fact.kind) {
    case "hoisted":
      return { what: fact.what, says: `does not feed back: for all of ${fact.axis} at once, before the loop` };
    case "summed after the loop":
      return { what: fact.what, says: `summed over ${fact.over.join(" and ")} at once, after the loop` };
    case "added in place":
      return { what: fact.products.join(" + "), says: "products added where their sum lies" };
    case "laid out": {
      const when = fact.once
        ? "before the first call"
        : fact.axis === undefined
          ? "first"
          : `once before the loop over ${fact.axis}`;
      return { what: fact.what, says: `laid out for products ${when}` };
    }
    case "not fused":
      return { what: fact.what, says: `not fused: ${UNFUSED_TEXT[fact.why]}` };
    case "pass":
      return { what: "", says: passText(fact) };
    default:
      return fact satisfies never;
  }
}

const UNFUSED_TEXT: Readonly<Record<Unfused, string>> = {
  long: "what it is computed from fills a kernel already",
  order: "it is read in another order than it is computed in",
  operand: "a product or a look-up reads it many times",
  shared: "it costs much, and several read it",
  repeated: "it costs much, and would be computed again along further axes",
  apart: "fuse is switched off",
};

function passText({ note, others }: Extract<Fact, { readonly kind: "pass" }>): string {
  const where = note.axis === undefined ? "" : ` in the loop over ${note.axis}`;
  const group = others.length === 0 ? "" : ` with ${others.join(", ")}`;
  return `${PASS_TEXT[note.pass](note.count, where, group)} (${note.pass})`;
}

type PassText = (count: number, where: string, group: string) => string;

const PASS_TEXT: Readonly<Record<PassName, PassText>> = {
  fold: () => "computed while compiling",
  simplify: () => "simplified",
  cse: () => "computed once for all who need it",
  "previous-state": () => "the loop gives the state before each step",
  hoist: () => "does not change from step to step: computed before the loop",
  dce: () => "dropped",
  "side-by-side": (count, _, group) => `runs in one loop${group === "" ? "" : group}: ${count} loops side by side`,
  stagger: (count, _, group) => `runs in one loop${group}: ${count} layers, each a step behind the one below`,
  "merge-into-loop": (_, where) => `a product that was hoisted is taken back: it joins the state's product${where}`,
  "merge-products": (count, where) => `${count} products of a sum are one product${where}`,
  "pack-gates": (count, where, group) => `packed${group}: ${count} products are one${where}`,
  checkpoint: () => "kept at the ends of chunks only; steps between are computed again",
  "pack-outputs": (_, where, group) => `put together${group} where it is computed${where}`,
  sink: (_, where) => `computed again${where} instead of being stored for it`,
  "pack-maps": (count, where, group) => `computed as one${group}: ${count} equal ops on parts of one value${where}`,
  "hoist-terms": (_, where) => `terms that do not depend on the state are added first${where}`,
  unroll: () => "several steps written out",
};

function kernelTable({ kernels }: Explanation): readonly string[] {
  const rows = kernels.map(({ number, role, loops, once, runs, flops, bytes, outputs, equations }) => [
    String(number),
    KERNEL_NAMES[role],
    once ? "first" : loops.join(", "),
    count(runs),
    amount(flops, "FLOP"),
    amount(bytes, "B"),
    equations.length > 0 ? equations.join(" ") : outputs.join(" "),
  ]);
  return table([["", "kernel", "loops", "runs", "work", "traffic", "equations"], ...rows]);
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const last = (rows[0]?.length ?? 1) - 1;
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, column) => {
        if (column === last) return cell;
        const width = widths[column] ?? 0;
        return column === 0 || column >= 3 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

function count(value: number): string {
  return value.toLocaleString("en");
}

const PREFIXES = ["", "k", "M", "G", "T"] as const;

/** `3.1 MB`, decimal. */
export function amount(value: number, unit: string): string {
  let rest = value;
  let place = 0;
  while (rest >= 1000 && place < PREFIXES.length - 1) {
    rest /= 1000;
    place++;
  }
  const digits = place === 0 || rest >= 100 ? 0 : 1;
  return `${rest.toFixed(digits)} ${PREFIXES[place]}${unit}`;
}
