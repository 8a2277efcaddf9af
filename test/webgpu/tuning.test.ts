import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileNotes } from "../../src/runtime/adapter-notes.ts";
import type { GpuDevice } from "../../src/runtime/gpu-device.ts";
import { type Measured, measuredFor, usuallyMeasured } from "../../src/runtime/webgpu-measured.ts";
import { measureTuning, runsInStep, tuningsWithin } from "../../src/runtime/webgpu-tuning.ts";
import { testGpuDevice } from "../support/gpu.ts";
import { SMALL_TUNING } from "./execute.ts";

let gpu: GpuDevice;
const folder = mkdtempSync(join(tmpdir(), "seqc-notes-"));
beforeAll(async () => {
  gpu = await testGpuDevice();
});
afterAll(() => {
  gpu.device.destroy();
  rmSync(folder, { recursive: true });
});

const MEASURED: Measured = {
  costs: { dispatch: 1e-6, barrier: 1e-7, product: 1e-11, groups: 32 },
  tuning: { threads: 128, shared: 2048, together: true, subgroups: true },
};

describe("an adapter", () => {
  test("is measured once; another driver, or a note that says nothing, once more", async () => {
    const notes = fileNotes(folder);
    const card = (driver: string): GpuDevice => ({ ...gpu, adapter: { ...gpu.adapter, software: false, driver } });
    let count = 0;
    const measure = async (): Promise<Measured> => {
      count++;
      return MEASURED;
    };
    const all = [];
    for (const driver of ["one: 1/2", "one: 1/2", "two", "one: 1/2"])
      all.push(await measuredFor(card(driver), measure, notes));
    expect(all).toEqual(all.map(() => MEASURED));
    expect(count).toBe(2);
    for (const text of ["{", "null", '{"costs": {}, "tuning": {"threads": "many"}}']) {
      for (const file of readdirSync(folder)) writeFileSync(join(folder, file), text);
      expect(await measuredFor(card("two"), measure, notes)).toEqual(MEASURED);
    }
    expect(count).toBe(5);
  });

  test("that cannot be remembered is measured each time", async () => {
    writeFileSync(join(folder, "file"), "");
    const notes = fileNotes(join(folder, "file", "below"));
    await notes.write("key", "text");
    expect(await notes.read("key")).toBeUndefined();
  });

  test("that is a processor is asked once whether its threads run in step", async () => {
    const never = () => Promise.reject(new Error("it was measured"));
    const software = { ...gpu, adapter: { ...gpu.adapter, software: true, driver: "a processor" } };
    const { costs, tuning } = usuallyMeasured(software);
    const subgroups = await runsInStep(gpu.device);
    const notes = fileNotes(folder);
    for (const asked of [notes, notes, { ...notes, write: never }])
      expect(await measuredFor(software, never, asked)).toEqual({ costs, tuning: { ...tuning, subgroups } });
    const other = { ...notes, read: async () => String(!subgroups) };
    expect((await measuredFor(software, never, other)).tuning.subgroups).toBe(!subgroups);
  });

  test("gets what its limits allow", () => {
    const within = (maxComputeWorkgroupStorageSize: number, maxComputeInvocationsPerWorkgroup: number) =>
      tuningsWithin({ software: false, limits: { maxComputeWorkgroupStorageSize, maxComputeInvocationsPerWorkgroup } });
    expect(within(32768, 1024).length).toBe(9);
    expect(Math.max(...within(16384, 128).map(({ threads }) => threads))).toBe(128);
    expect(Math.max(...within(16384, 128).map(({ shared }) => shared))).toBe(2048);
  });

  test("is tried out: one product, and whether threads run in step", { timeout: 60_000 }, async () => {
    const { subgroups, ...tuning } = await measureTuning(gpu, [SMALL_TUNING], 32);
    expect(tuning).toEqual({ threads: 64, shared: 1024, together: true });
    expect(subgroups).toBe(await runsInStep(gpu.device));
    expect(subgroups && !gpu.device.features.has("subgroups")).toBe(false);
  });
});
