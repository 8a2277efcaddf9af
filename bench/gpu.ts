import { parseArgs } from "node:util";
import { feedbackOf } from "../src/build/feedback.ts";
import type { Program } from "../src/build/program.ts";
import { optimizeProgram } from "../src/compile/optimize.ts";
import { elementCount, shapeOf } from "../src/ir/tensor.ts";
import { PRODUCT_PASSES } from "../src/pass/pipeline.ts";
import { explainProgram } from "../src/runtime/explain.ts";
import { type GpuDevice, openGpuDevice, softwareNotice } from "../src/runtime/gpu-device.ts";
import { createGpuRunner, type GpuRunner } from "../src/runtime/webgpu.ts";
import { type Measured, measureAdapter, measuredFor } from "../src/runtime/webgpu-measured.ts";
import { compileWebGpu } from "../src/target/webgpu/compile.ts";
import { isWholeFaster } from "../src/target/webgpu/cost.ts";
import { gpuModuleOf } from "../src/target/webgpu/module.ts";
import { isClock } from "./clock.ts";
import { measureCeilings } from "./gpu-ceilings.ts";
import { comparePeers, hasPeers, type PeerRow } from "./gpu-peers.ts";
import { stepProgram } from "./sides/seqc-program.ts";
import type { Spread } from "./statistics.ts";

/** A training step of one recurrent layer with softmax and Adam. */
interface Case {
  readonly train: "lstm" | "gru" | "mgu" | "both";
  readonly batch: number;
  readonly steps: number;
  readonly inputs: number;
  readonly units: number;
}

const CASES: readonly Case[] = [
  { train: "lstm", batch: 32, steps: 50, inputs: 64, units: 64 },
  { train: "lstm", batch: 32, steps: 50, inputs: 64, units: 128 },
  { train: "lstm", batch: 32, steps: 50, inputs: 64, units: 256 },
  { train: "lstm", batch: 64, steps: 128, inputs: 512, units: 1024 },
  { train: "gru", batch: 32, steps: 50, inputs: 64, units: 128 },
  { train: "both", batch: 32, steps: 50, inputs: 64, units: 128 },
];
const CLASSES = 64;

/** What others are compared on. */
const PEERS = { cell: "lstm", batch: 32, steps: 50, inputs: 64, hidden: 128, classes: CLASSES } as const;
const PEERS_NAME = "others: lstm (32, 50, 64 -> 128)";

const USAGE = `node bench/gpu.ts [--rounds N] [--only TEXT] [--clock processor] [--json]

Measures training steps on this machine's graphics card: it needs Node, a driver that WebGPU can use, and this project with the package
webgpu. Every case runs with all steps of its loops in one stage, and step by step; \`chosen\` is what the costs of the device say.
--only others runs nothing but the comparison with tfjs-layers and jax-js on the same adapter, which needs the packages of bench/
(npm ci --prefix bench --ignore-scripts). --clock processor counts processor time, for a software adapter on a busy machine.
`;

interface Row {
  readonly name: string;
  readonly way: "one stage" | "step by step";
  readonly chosen: boolean;
  readonly milliseconds: number;
  readonly dispatches: number;
  readonly megabytes: number;
  /** Of the products alone, forward and backward. */
  readonly teraflops: number;
  /** Read and written by all kernels, as the plan counts it: what stays in a cache counts too. */
  readonly gigabytes: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "20" },
      only: { type: "string", default: "" },
      clock: { type: "string", default: "elapsed" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const rounds = Number(values.rounds);
  const { clock } = values;
  if (!isClock(clock)) throw new TypeError(`--clock ${clock}: there are elapsed and processor`);
  const gpu = await openGpuDevice();
  const known = gpu.adapter.software ? await measuredFor(gpu) : await measureAdapter(gpu);
  const { costs, tuning } = known;
  // A processor would take minutes, and says nothing of a card.
  const ceilings = gpu.adapter.software ? undefined : await measureCeilings(gpu.device);
  const rows: Row[] = [];
  for (const one of CASES.filter((each) => nameOf(each).includes(values.only)))
    for (const way of ["one stage", "step by step"] as const) {
      rows.push(await measured(gpu, known, one, way, rounds));
    }
  const peers =
    PEERS_NAME.includes(values.only) && hasPeers()
      ? await comparePeers(
          gpu,
          PEERS,
          { clock, rounds, turnMilliseconds: 400, sideMilliseconds: 60_000 },
          (peer, doing) => {
            if (process.stderr.isTTY) process.stderr.write(`${peer}: ${doing}\n`);
          },
        )
      : [];
  const { adapter } = gpu;
  const found = { adapter, notice: softwareNotice(adapter), costs, tuning, ceilings, rows, peers };
  process.stdout.write(values.json ? `${JSON.stringify(found, undefined, 2)}\n` : report(found));
  gpu.device.destroy();
}

function nameOf({ train, batch, steps, inputs, units }: Case): string {
  return `${train} (${batch}, ${steps}, ${inputs} -> ${units}, ${CLASSES} classes)`;
}

async function measured(
  { device }: GpuDevice,
  { costs, tuning }: Measured,
  one: Case,
  way: Row["way"],
  rounds: number,
): Promise<Row> {
  const sizes = { D: one.inputs, H: one.units, C: CLASSES };
  const source = stepProgram({ file: "sequence.seq", sizes, train: one.train });
  const program = optimizeProgram(source, { off: PRODUCT_PASSES, rows: one.batch });
  const compiled = compileWebGpu(program, feedbackOf(program), { tuning });
  const whole = way === "one stage";
  const choices: boolean[] = [];
  const runner = createGpuRunner(device, gpuModuleOf(compiled), {
    whole: (facts) => {
      choices.push(isWholeFaster(costs, facts) === whole);
      return whole;
    },
  });
  const bound = new Map([...program.sizes, ["B", one.batch], ["T", one.steps]] as const);
  const { dispatches, bytes } = await runner.bind(bound);
  fill(program, runner, one);
  const seconds = await median(device, runner, rounds);
  runner.dispose();
  return {
    ...{ name: nameOf(one), way, chosen: choices.every(Boolean), milliseconds: 1000 * seconds },
    ...{ dispatches: dispatches.length, megabytes: bytes / 2 ** 20, teraflops: flops(one) / seconds / 1e12 },
    gigabytes: explainProgram(source, bound).totals.bytes / seconds / 1e9,
  };
}

/** Small numbers everywhere: what they are does not change the time. */
function fill(program: Program, runner: GpuRunner, { batch, steps }: Case): void {
  const sizes = new Map([...program.sizes, ["B", batch], ["T", steps]] as const);
  for (const { id, type } of program.graph.params) {
    const count = elementCount(shapeOf(type.axes, sizes));
    const role = program.params.get(id)?.kind;
    const value = (at: number): number => {
      if (type.dtype === "int") return role === "length" ? steps : at % CLASSES;
      return role === "slot" || type.dtype === "bool" ? 0 : ((at * 7919) % 200) / 1000 - 0.1;
    };
    runner.write(
      id,
      Float64Array.from({ length: count }, (_, at) => value(at)),
    );
  }
}

/** Of one step, by rounds of so many that waiting for the device does not count. */
async function median(device: GPUDevice, runner: GpuRunner, rounds: number): Promise<number> {
  const RUNS = 5;
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const start = performance.now();
    for (let run = 0; run < RUNS; run++) runner.run();
    await device.queue.onSubmittedWorkDone();
    // The first round warms up.
    if (round > 0) times.push((performance.now() - start) / 1000 / RUNS);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

const GATES = { lstm: 4, gru: 3, mgu: 2, both: 8 } as const;

/** Multiplications and additions of all products: forward, and twice as many backward but for the gradient by the inputs. */
function flops({ train, batch, steps, inputs, units }: Case): number {
  const directions = train === "both" ? 2 : 1;
  const recurrent = GATES[train] * units * (3 * units + 2 * inputs);
  const dense = 3 * directions * units * CLASSES;
  return 2 * batch * steps * (recurrent + dense);
}

function report({
  adapter,
  notice,
  costs,
  tuning,
  ceilings,
  rows,
  peers,
}: {
  readonly adapter: GpuDevice["adapter"];
  readonly notice: string | undefined;
  readonly costs: Measured["costs"];
  readonly tuning: Measured["tuning"];
  readonly ceilings: Awaited<ReturnType<typeof measureCeilings>> | undefined;
  readonly rows: readonly Row[];
  readonly peers: readonly PeerRow[];
}): string {
  const lines = [
    `${[adapter.vendor, adapter.architecture, adapter.device].filter(Boolean).join(" ")}, ${adapter.driver}`,
    ...(notice === undefined ? [] : [notice]),
    `a dispatch ${(costs.dispatch * 1e6).toFixed(1)} µs, a barrier ${(costs.barrier * 1e6).toFixed(2)} µs, ${costs.groups} groups at a time`,
    `${tuning.threads} threads a group, ${tuning.shared} numbers shared, subgroups ${tuning.subgroups ? "used" : "not used"}`,
    ...(ceilings === undefined
      ? []
      : [`ceilings: ${ceilings.teraflops.toFixed(2)} TFLOP/s, ${ceilings.gigabytes.toFixed(0)} GB/s copied`]),
    "",
    "| training step | way | ms | dispatches | arena, MB | TFLOP/s | of the ceiling | GB/s |",
    "|---|---|---|---|---|---|---|---|",
    ...rows.map((row) =>
      [
        ...["", row.name, `${row.way}${row.chosen ? ", chosen" : ""}`, row.milliseconds.toFixed(3), row.dispatches],
        ...[row.megabytes.toFixed(1), row.teraflops.toFixed(3)],
        ...[ceilings === undefined ? "" : `${((100 * row.teraflops) / ceilings.teraflops).toFixed(1)} %`],
        ...[row.gigabytes.toFixed(1), ""],
      ]
        .join(" | ")
        .trim(),
    ),
    ...(peers.length === 0
      ? []
      : ["", `| ${PEERS_NAME} | ms | x seqc (min - max) | differs by |`, "|---|---|---|---|"]),
    ...peers.map(({ peer, milliseconds, ratio, note }) => {
      const [time, times] = [milliseconds?.median.toFixed(1) ?? "", ratio === undefined ? "" : spreadText(ratio)];
      return `| ${peer} | ${time} | ${times} | ${note} |`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

function spreadText({ median, minimum, maximum }: Spread): string {
  return `${median.toFixed(2)} (${minimum.toFixed(2)} - ${maximum.toFixed(2)})`;
}

await main();
