import { writeFileSync } from "node:fs";
import { writeDocument } from "./document.ts";
import { goalResults } from "./goals.ts";
import { thisMachine } from "./machine.ts";
import { shareTfjs } from "./one-tfjs.ts";
import { type Options, readOptions, USAGE } from "./options.ts";
import { type MultiplyAdd, PEAK_FLOPS, peakSide } from "./peak.ts";
import type { SideName, Workload } from "./side.ts";
import { median } from "./statistics.ts";
import type { WorkloadResult } from "./workload-result.ts";

/** Runs the workloads one after the other and prints a table of each as it is done; fails where sides disagree. */
async function main(options: Options): Promise<void> {
  shareTfjs();
  const { WORKLOADS } = await import("./workloads.ts");
  const { runWorkload } = await import("./workload-result.ts");
  const { goalTable, resultTable } = await import("./table.ts");
  const wanted = WORKLOADS.filter(({ name }) => options.only?.some((start) => name.startsWith(start)) ?? true);
  if (wanted.length === 0) throw new TypeError(`--only ${options.only?.join()}: there is no such workload, see --list`);
  if (options.list) {
    for (const { name, title } of wanted) console.log(`${name.padEnd(24)}${title}`);
    return;
  }
  const machine = thisMachine();
  console.log(`${machine.processor}, ${machine.cores} cores, Node ${machine.node}, ${machine.date}`);
  const { multiplyAdd, peaks } = await peakInstruction();
  for (const [kind, gigaflops] of peaks) console.log(`peak with ${kind}: ${gigaflops.toFixed(1)} GFLOP/s`);
  console.log("");
  const results: WorkloadResult[] = [];
  for (const workload of wanted) {
    const result = await runWorkload(workload, {
      effort: options.effort,
      multiplyAdd,
      wanted: (side) => isWanted(options, workload, side),
      onTurn: showProgress,
    });
    showProgress("", "");
    console.log(resultTable(result));
    results.push(result);
    if (options.json !== undefined) {
      // After each, so that a run that is broken off leaves what it has.
      const workloads = results.map(withoutFunctions);
      const all = { machine, peaks: Object.fromEntries(peaks), effort: options.effort, workloads };
      writeFileSync(options.json, `${JSON.stringify({ ...all, goals: goalResults(results) }, undefined, 2)}\n`);
    }
  }
  const goals = goalResults(results);
  if (goals.length > 0) console.log(goalTable(goals));
  if (options.document !== undefined) {
    writeDocument(options.document, { machine, effort: options.effort, results, goals });
  }
  if (results.some(({ failed }) => failed.length > 0)) process.exitCode = 1;
}

/** Threads side by side take as much of the processor as one after the other: only elapsed time shows what they are for. */
function isWanted({ sides, quick, effort }: Options, { slow }: Workload, side: SideName): boolean {
  if (side === "seqc threads" && effort.clock !== "elapsed") return false;
  if (sides !== undefined) return sides.some((name) => name === side);
  return !(quick && slow?.includes(side) === true);
}

function withoutFunctions({ workload, ...result }: WorkloadResult): object {
  const { sides: _, ...description } = workload;
  return { ...description, ...result };
}

/** The faster of the two ways to multiply and add, and both speeds, GFLOP/s. */
async function peakInstruction() {
  const peaks = new Map<MultiplyAdd, number>();
  for (const kind of ["relaxed_madd", "mul+add"] as const) {
    const side = peakSide(kind);
    if (side === undefined) continue;
    const times: number[] = [];
    for (let run = 0; run < 200; run++) {
      const start = performance.now();
      await side.run();
      times.push(performance.now() - start);
    }
    peaks.set(kind, PEAK_FLOPS / median(times) / 1e6);
  }
  const [first] = [...peaks].sort(([, a], [, b]) => b - a);
  if (first === undefined) throw new Error("this engine has no SIMD");
  return { multiplyAdd: first[0], peaks };
}

/** One line on a terminal that the next overwrites; nothing elsewhere. */
function showProgress(workload: string, side: string): void {
  if (!process.stdout.isTTY) return;
  process.stdout.write(`\r\u001b[K${workload === "" ? "" : `${workload}: ${side}`}`);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) console.log(USAGE);
  else await main(options);
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
