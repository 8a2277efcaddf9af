import { createRequire } from "node:module";
import type { GpuDevice } from "../src/runtime/gpu-device.ts";
import { startWebGpu } from "../src/runtime/start-webgpu.ts";
import { compare, excess } from "./compare.ts";
import { type Effort, measure } from "./measure.ts";
import { shareTfjs } from "./one-tfjs.ts";
import type { SequenceSize } from "./sequence.ts";
import type { Results, Side } from "./side.ts";
import { type Spread, spreadOf } from "./statistics.ts";

export type Peer = "seqc webgpu" | "tfjs-layers webgpu" | "jax-js webgpu";

export interface PeerRow {
  readonly peer: Peer;
  /** Of one training step; undefined where the side could not run, or computed something else. */
  readonly milliseconds: Spread | undefined;
  /** Its time divided by seqc's, round by round. */
  readonly ratio: Spread | undefined;
  /** What differs most from seqc's numbers, or why the side was not timed. */
  readonly note: string;
}

/**
 * A training step with softmax and Adam, next to others that run on the same adapter in this process: tfjs-layers on the very same device,
 * jax-js on one of its own, as it takes no other. They are compared first, then take turns. Needs the packages of `bench/`.
 */
export async function comparePeers(
  gpu: GpuDevice,
  size: SequenceSize,
  effort: Effort,
  onTurn: (peer: Peer, doing: "checking" | "timing") => void,
): Promise<readonly PeerRow[]> {
  shareTfjs();
  const { sequenceProblem } = await import("./sequence.ts");
  const { sequenceStep } = await import("./workloads/sequence.ts");
  const layers = await import("./sides/layers.ts");
  const jax = await import("./sides/jax.ts");
  const problem = sequenceProblem(size);
  const open: Readonly<Record<Peer, () => Promise<Side>>> = {
    "seqc webgpu": async () => sequenceStep(await startWebGpu(gpu), problem),
    "tfjs-layers webgpu": async () => {
      await registerTfjs(gpu);
      return layers.sequenceTraining(problem, "webgpu");
    },
    "jax-js webgpu": () => jax.sequenceTraining(problem, "webgpu"),
  };
  const sides = new Map<Peer, Side>();
  const notes = new Map<Peer, string>();
  let reference: Results | undefined;
  for (const peer of ["seqc webgpu", "tfjs-layers webgpu", "jax-js webgpu"] as const) {
    onTurn(peer, "checking");
    try {
      const side = await open[peer]();
      const results = await side.check();
      const [worst] = reference === undefined ? [] : compare(results, reference);
      reference ??= results;
      if (worst !== undefined) notes.set(peer, `${worst.relative.toExponential(0)} (${worst.name})`);
      if (worst === undefined || excess(worst) <= 1) sides.set(peer, side);
      else notes.set(peer, `not timed: its ${worst.name} differs by ${worst.relative.toExponential(0)}`);
    } catch (cause) {
      if (reference === undefined) throw cause;
      notes.set(peer, `not timed: ${(cause instanceof Error ? cause.message : String(cause)).split("\n")[0]}`);
    }
  }
  const rounds = await measure(sides, effort, (peer) => onTurn(peer, "timing"));
  const own = (rounds.get("seqc webgpu") ?? []).map(({ milliseconds }) => milliseconds);
  for (const side of sides.values()) side.dispose();
  return [...notes.keys(), "seqc webgpu" as const]
    .toSorted((a, b) => Number(a !== "seqc webgpu") - Number(b !== "seqc webgpu"))
    .map((peer) => {
      const times = rounds.get(peer)?.map(({ milliseconds }) => milliseconds);
      return {
        ...{ peer, note: notes.get(peer) ?? "" },
        milliseconds: times && spreadOf(times),
        ratio: times && spreadOf(times.map((time, round) => time / (own[round] ?? Number.NaN))),
      };
    });
}

/** tfjs's webgpu backend on a device that is open already. */
async function registerTfjs({ device }: GpuDevice): Promise<void> {
  const tf = await import("@tensorflow/tfjs");
  const { WebGPUBackend } = await import("@tensorflow/tfjs-backend-webgpu");
  tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => new WebGPUBackend(device, device.adapterInfo));
}

/** Whether the other libraries are installed. */
export function hasPeers(): boolean {
  try {
    createRequire(import.meta.url).resolve("@jax-js/jax");
    return true;
  } catch {
    return false;
  }
}
