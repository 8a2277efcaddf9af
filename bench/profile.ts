import { Session } from "node:inspector/promises";
import { parseArgs } from "node:util";
import { shareTfjs } from "./one-tfjs.ts";
import { isSide, type SideName } from "./side.ts";

const USAGE = `node bench/profile.ts WORKLOAD [--side NAME] [--seconds N] [--top N]

Where a side's time goes, by function; seqc's WebAssembly functions are named after what they compute.`;

/** Runs one side of one workload for a while under V8's sampling profiler. */
async function main(workloadName: string, sideName: SideName, seconds: number, top: number): Promise<void> {
  shareTfjs();
  const { WORKLOADS } = await import("./workloads.ts");
  const open = WORKLOADS.find(({ name }) => name === workloadName)?.sides.get(sideName);
  if (open === undefined) throw new TypeError(`there is no ${sideName} of ${workloadName}\n\n${USAGE}`);
  const side = await open();
  await side.enter?.();
  await runFor(side.run, seconds / 4);
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 100 });
  await session.post("Profiler.start");
  const { runs, milliseconds } = await runFor(side.run, seconds);
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  side.dispose();
  console.log(`${workloadName}, ${sideName}: ${runs} runs, ${(milliseconds / runs).toFixed(3)} ms each`);
  const names = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame.functionName || "(unnamed)"]));
  const times = new Map<string, number>();
  profile.samples?.forEach((id, at) => {
    const name = names.get(id) ?? "";
    times.set(name, (times.get(name) ?? 0) + (profile.timeDeltas?.[at] ?? 0));
  });
  // The profiler's own calls.
  times.delete("post");
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  for (const [name, time] of [...times].sort(([, a], [, b]) => b - a).slice(0, top)) {
    const own = (milliseconds / runs) * (time / total);
    console.log(`${((time / total) * 100).toFixed(1).padStart(5)} %  ${own.toFixed(3).padStart(9)} ms  ${name}`);
  }
}

async function runFor(run: () => Promise<void>, seconds: number) {
  const start = performance.now();
  let runs = 0;
  do {
    await run();
    runs += 1;
  } while (performance.now() - start < seconds * 1000);
  return { runs, milliseconds: performance.now() - start };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    side: { type: "string", default: "seqc wasm" },
    seconds: { type: "string", default: "2" },
    top: { type: "string", default: "25" },
  },
});
const [workload] = positionals;
if (workload === undefined || !isSide(values.side)) console.log(USAGE);
else await main(workload, values.side, Number(values.seconds), Number(values.top));
