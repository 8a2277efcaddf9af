import { HintedError } from "./hinted-error.ts";

/**
 * Does work on a device and throws what the device finds wrong with it meanwhile: its memory or the device itself are the user's
 * matter, a kernel that it refuses is ours. `program` names what runs. The work waits for its results; only one is under way at a time.
 */
export async function checkedByGpu<T>(device: GPUDevice, program: string, work: () => Promise<T>): Promise<T> {
  openScopes(device);
  let outcome: { readonly value: T } | { readonly failure: unknown };
  try {
    outcome = { value: await work() };
  } catch (failure) {
    outcome = { failure };
  }
  await raise(device, program, await closeScopes(device));
  if ("failure" in outcome) throw outcome.failure;
  return outcome.value;
}

/** What a device has found wrong, for `raise`: with memory first. */
export type GpuFindings = readonly (GPUError | null)[];

/** Gives a device work that nobody waits for yet; what it finds wrong with it comes later. */
export function watchedByGpu(device: GPUDevice, work: () => void): Promise<GpuFindings> {
  openScopes(device);
  try {
    work();
  } catch (failure) {
    void closeScopes(device);
    throw failure;
  }
  return closeScopes(device);
}

/** Throws what a device has found wrong with a program, or that it is gone. */
export async function raise(device: GPUDevice, program: string, [memory, ...others]: GpuFindings): Promise<void> {
  const lost = await Promise.race([device.lost, Promise.resolve(undefined)]);
  if (lost !== undefined) throw deviceLost(program, lost);
  if (memory) {
    throw new HintedError(
      `${program} needs more memory than the graphics device gives`,
      "make the batch smaller, or use --target wasm",
    );
  }
  for (const error of others)
    if (error) throw new Error(`internal: the graphics device refuses ${program}: ${error.message}`);
}

function openScopes(device: GPUDevice): void {
  for (const filter of FILTERS) device.pushErrorScope(filter);
}

function closeScopes(device: GPUDevice): Promise<GpuFindings> {
  return Promise.all(FILTERS.map(() => device.popErrorScope().catch(() => null)));
}

/** The last one is found first. */
const FILTERS: readonly GPUErrorFilter[] = ["validation", "internal", "out-of-memory"];

function deviceLost(program: string, { reason, message }: GPUDeviceLostInfo): Error {
  const why = message === "" ? reason : message;
  return new HintedError(
    `the graphics device is gone while ${program} runs (${why})`,
    "what was saved is whole: load it to go on (`seqc train --resume`), also with --target wasm",
  );
}
