import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type GpuDevice, softwareNotice } from "../../src/runtime/gpu-device.ts";
import { checkedByGpu } from "../../src/runtime/gpu-errors.ts";
import { requestAdapter } from "../../src/runtime/gpu-request.ts";
import { testGpuDevice } from "../support/gpu.ts";

describe("a GPU device", () => {
  let gpu: GpuDevice;
  beforeAll(async () => {
    gpu = await testGpuDevice();
  });
  afterAll(() => gpu.device.destroy());

  test("computes", async () => {
    expect(await doubled(gpu.device, [1, 2, 3, 4])).toEqual([2, 4, 6, 8]);
  });

  test("has all limits that its adapter has", () => {
    const { maxBufferSize, maxComputeInvocationsPerWorkgroup } = gpu.adapter.limits;
    expect(gpu.device.limits.maxBufferSize).toBe(maxBufferSize);
    expect(gpu.device.limits.maxComputeInvocationsPerWorkgroup).toBe(maxComputeInvocationsPerWorkgroup);
    expect(maxBufferSize).toBeGreaterThan(0);
  });

  test.runIf(process.platform === "linux" && process.arch === "x64")("on a processor says so", () => {
    expect(gpu.adapter.software).toBe(true);
    expect(softwareNotice(gpu.adapter)).toMatch(/SwiftShader.* is a software adapter/);
  });
});

test("a device that is gone is an error that says what is left", async () => {
  const { device } = await testGpuDevice();
  device.destroy();
  await expect(checkedByGpu(device, "the step", async () => 1)).rejects.toThrow(
    /the graphics device is gone while the step runs.*\n.*--resume/,
  );
});

test("no adapter is an error that names a way out", async () => {
  await expect(requestAdapter({ requestAdapter: async () => null })).rejects.toThrow(
    /finds no graphics device\n.*driver.*--target wasm/,
  );
});

async function doubled(device: GPUDevice, values: readonly number[]): Promise<readonly number[]> {
  const size = values.length * Float32Array.BYTES_PER_ELEMENT;
  const buffer = device.createBuffer({
    size,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC,
  });
  const readable = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const code = `@group(0) @binding(0) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] = 2 * x[id.x]; }`;
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }) },
  });
  const bindGroup = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  device.queue.writeBuffer(buffer, 0, Float32Array.from(values));
  const commands = device.createCommandEncoder();
  const pass = commands.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(1);
  pass.end();
  commands.copyBufferToBuffer(buffer, 0, readable, 0, size);
  device.queue.submit([commands.finish()]);
  await readable.mapAsync(GPUMapMode.READ);
  return [...new Float32Array(readable.getMappedRange())];
}
