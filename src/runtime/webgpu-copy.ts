import { planWalk, type Walk } from "./strided.ts";

/** Numbers of 32 bits in a buffer of a device; places count in numbers. */
export interface GpuNumbers {
  readonly buffer: GPUBuffer;
  readonly dtype: "float" | "int";
  readonly start: number;
  readonly strides: readonly number[];
}

/** Copies arrays from buffer to buffer on a device, from one layout to another; integers become floats where floats are wanted. */
export interface GpuCopier {
  copy(encoder: GPUCommandEncoder, shape: readonly number[], from: GpuNumbers, to: GpuNumbers): void;
  /** Frees its own memory; what was copied must have been submitted. */
  dispose(): void;
}

export function createGpuCopier(device: GPUDevice): GpuCopier {
  const pipelines = new Map<string, GPUComputePipeline>();
  const tables = new Map<string, GPUBuffer>();
  const pipelineFor = (from: GpuNumbers, to: GpuNumbers): GPUComputePipeline => {
    const code = shader(from.dtype, to.dtype);
    const known = pipelines.get(code);
    if (known !== undefined) return known;
    const module = device.createShaderModule({ code, label: "copy" });
    const made = device.createComputePipeline({ label: "copy", layout: "auto", compute: { module } });
    pipelines.set(code, made);
    return made;
  };
  const tableOf = (words: Uint32Array<ArrayBuffer>): GPUBuffer => {
    const key = words.join();
    const known = tables.get(key);
    if (known !== undefined) return known;
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const made = device.createBuffer({ label: "copy", size: words.byteLength, usage });
    device.queue.writeBuffer(made, 0, words);
    tables.set(key, made);
    return made;
  };
  return {
    copy(encoder, shape, from, to) {
      const walk = planWalk(shape, from.strides, to.strides);
      if (walk.count === 0) return;
      if (from.dtype === to.dtype && isRun(walk)) {
        encoder.copyBufferToBuffer(from.buffer, 4 * from.start, to.buffer, 4 * to.start, 4 * walk.count);
        return;
      }
      if (walk.shape.length > MAX_RANK) throw new Error(`internal: a copy along ${walk.shape.length} axes`);
      const pipeline = pipelineFor(from, to);
      const groups = Math.ceil(walk.count / THREADS);
      const width = Math.min(groups, device.limits.maxComputeWorkgroupsPerDimension);
      const table = tableOf(tableWords(walk, from.start, to.start, width * THREADS));
      const pass = encoder.beginComputePass({ label: "copy" });
      pass.setPipeline(pipeline);
      pass.setBindGroup(
        0,
        device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: [from.buffer, to.buffer, table].map((buffer, binding) => ({ binding, resource: { buffer } })),
        }),
      );
      pass.dispatchWorkgroups(width, Math.ceil(groups / width));
      pass.end();
    },
    dispose() {
      for (const table of tables.values()) table.destroy();
      tables.clear();
    },
  };
}

const THREADS = 64;
const MAX_RANK = 8;

/** One stretch of neighbours on both sides. */
function isRun({ shape, from, to }: Walk): boolean {
  return shape.length === 0 || (shape.length === 1 && from[0] === 1 && to[0] === 1);
}

/** count, rank, starts, how many threads a row of groups has; then a size and both strides for each axis, innermost first. */
function tableWords(walk: Walk, from: number, to: number, row: number): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(8 + 4 * MAX_RANK);
  words.set([walk.count, walk.shape.length, from, to, row]);
  walk.shape.forEach((_, at) => {
    const axis = walk.shape.length - 1 - at;
    words.set([walk.shape[axis] ?? 1, walk.from[axis] ?? 0, walk.to[axis] ?? 0], 8 + 4 * at);
  });
  return words;
}

function shader(from: GpuNumbers["dtype"], to: GpuNumbers["dtype"]): string {
  const types = { float: "f32", int: "i32" } as const;
  return `struct Table { head: array<vec4u, 2>, axes: array<vec4u, ${MAX_RANK}> }
@group(0) @binding(0) var<storage, read> source: array<${types[from]}>;
@group(0) @binding(1) var<storage, read_write> destination: array<${types[to]}>;
@group(0) @binding(2) var<uniform> table: Table;
@compute @workgroup_size(${THREADS}) fn main(@builtin(global_invocation_id) id: vec3u) {
  let index = id.y * table.head[1].x + id.x;
  if (index >= table.head[0].x) { return; }
  var rest = index;
  var read = table.head[0].z;
  var written = table.head[0].w;
  for (var axis = 0u; axis < table.head[0].y; axis++) {
    let size = table.axes[axis].x;
    read += rest % size * table.axes[axis].y;
    written += rest % size * table.axes[axis].z;
    rest /= size;
  }
  destination[written] = ${types[to]}(source[read]);
}`;
}
