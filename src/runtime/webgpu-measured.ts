import { type Tuning, USUAL_TUNING } from "../target/webgpu/compile.ts";
import { type DeviceCosts, PROCESSOR_COSTS, USUAL_COSTS } from "../target/webgpu/cost.ts";
import { type AdapterNotes, usualNotes } from "./adapter-notes.ts";
import type { GpuAdapterFacts, GpuDevice } from "./gpu-device.ts";
import { measureCosts } from "./webgpu-cost.ts";
import { measureTuning, runsInStep, tuningFor } from "./webgpu-tuning.ts";

/** What is known of an adapter: what things take on it, and what kernels suit it. */
export interface Measured {
  readonly costs: DeviceCosts;
  readonly tuning: Tuning;
}

/** Without measuring. */
export function usuallyMeasured({ adapter }: GpuDevice): Measured {
  return { costs: adapter.software ? PROCESSOR_COSTS : USUAL_COSTS, tuning: tuningFor(adapter) };
}

/** Measures an adapter, in a second or so. */
export async function measureAdapter(gpu: GpuDevice): Promise<Measured> {
  return { costs: await measureCosts(gpu), tuning: await measureTuning(gpu) };
}

/** What was measured of an adapter before, or else is now. A software adapter is asked only whether its threads run in step. */
export async function measuredFor(
  gpu: GpuDevice,
  measure: (gpu: GpuDevice) => Promise<Measured> = measureAdapter,
  notes: AdapterNotes = usualNotes(),
): Promise<Measured> {
  const key = keyOf(gpu.adapter);
  if (gpu.adapter.software) {
    const { costs, tuning } = usuallyMeasured(gpu);
    const known = await notes.read(key);
    const subgroups =
      known === undefined || !/^(true|false)$/.test(known) ? await runsInStep(gpu.device) : known === "true";
    if (String(subgroups) !== known) await notes.write(key, String(subgroups));
    return { costs, tuning: { ...tuning, subgroups } };
  }
  const before = readMeasured(await notes.read(key));
  if (before !== undefined) return before;
  const measured = await measure(gpu);
  await notes.write(key, JSON.stringify(measured));
  return measured;
}

/** Changes with what is measured and how. */
const EDITION = 1;

/** Another driver is another adapter. */
function keyOf({ vendor, architecture, device, driver, limits }: GpuAdapterFacts): string {
  const { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } = limits;
  return [
    ...["seqc", EDITION, vendor, architecture, device, driver],
    ...[maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup],
  ].join(" ");
}

/** Undefined where a note says something else than it should. */
function readMeasured(text: string | undefined): Measured | undefined {
  const found = text === undefined ? undefined : parsed(text);
  const [costs, tuning] = [Object(found?.costs), Object(found?.tuning)];
  const { dispatch, barrier, product, groups } = costs;
  const { threads, shared, subgroups } = tuning;
  const numbers = [dispatch, barrier, product, groups, threads, shared];
  const isWhole = numbers.every((one) => typeof one === "number" && one > 0) && typeof subgroups === "boolean";
  return isWhole
    ? { costs: { dispatch, barrier, product, groups }, tuning: { ...USUAL_TUNING, threads, shared, subgroups } }
    : undefined;
}

function parsed(text: string): { readonly costs?: unknown; readonly tuning?: unknown } | undefined {
  try {
    return Object(JSON.parse(text));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
