/** What a device can do at most, as far as a shader can ask for it. */
export interface Ceilings {
  /** Multiplications and additions of 32-bit floats that need nothing from memory. */
  readonly teraflops: number;
  /** Read and written, by copying one buffer into another. */
  readonly gigabytes: number;
}

const THREADS = 256;
const GROUPS = 4096;
const SUMS = 8;
const ITERATIONS = 2000;
const BYTES = 2 ** 26;
const ROUNDS = 5;

export async function measureCeilings(device: GPUDevice): Promise<Ceilings> {
  const products = await leastSeconds(device, await productPass(device));
  const copies = await leastSeconds(device, copyPass(device));
  return {
    teraflops: (2 * THREADS * GROUPS * SUMS * ITERATIONS) / products / 1e12,
    gigabytes: (2 * BYTES) / copies / 1e9,
  };
}

type Record = (encoder: GPUCommandEncoder) => void;

async function leastSeconds(device: GPUDevice, record: Record): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const encoder = device.createCommandEncoder();
    record(encoder);
    const commands = encoder.finish();
    await device.queue.onSubmittedWorkDone();
    const start = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    least = Math.min(least, (performance.now() - start) / 1000);
  }
  return least;
}

/** Sums that do not wait for one another, each multiplied and added to in turn. */
async function productPass(device: GPUDevice): Promise<Record> {
  const names = Array.from({ length: SUMS }, (_, at) => `s${at}`);
  const code = `
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) id: vec3u) {
  ${names.map((name, at) => `var ${name} = f32(id.x + ${at}u);`).join("\n  ")}
  for (var i = 0; i < ${ITERATIONS}; i++) {
    ${names.map((name) => `${name} = fma(${name}, 0.5f, 1.0f);`).join("\n    ")}
  }
  out[id.x % 1024u] = ${names.join(" + ")};
}`;
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }) },
  });
  const buffer = device.createBuffer({ size: 4096, usage: GPUBufferUsage.STORAGE });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer } }],
  });
  return (encoder) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(GROUPS);
    pass.end();
  };
}

function copyPass(device: GPUDevice): Record {
  const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const [from, to] = [0, 1].map(() => device.createBuffer({ size: BYTES, usage }));
  return (encoder) => {
    if (from !== undefined && to !== undefined) encoder.copyBufferToBuffer(from, 0, to, 0, BYTES);
  };
}
