import type { Tensor } from "@tensorflow/tfjs-core";
import { feedbackOf } from "../build/feedback.ts";
import type { Program } from "../build/program.ts";
import type { DType } from "../ir/type.ts";
import type { TfLibrary } from "../target/tfjs/library.ts";
import { lowerProgram } from "../target/tfjs/lower-program.ts";
import { type TensorParam, TF_DTYPE } from "../target/tfjs/program.ts";
import { createTfjsRunner } from "../target/tfjs/run.ts";
import type { Executor, HostArray, HostData, Prepared } from "./executor.ts";
import { describeAdapter, findGpu, softwareNotice } from "./gpu-device.ts";
import { checkedByGpu } from "./gpu-errors.ts";
import { requestAdapter } from "./gpu-request.ts";
import { loadTfjs, type TfBackend, tfjsGpuDevice } from "./tfjs.ts";

/** tfjs with one of its backends; what is kept stays in tensors of the backend. */
export async function tfjsExecutor(backend: TfBackend): Promise<Executor> {
  const library = await loadTfjs(backend);
  if (backend !== "webgpu") return executorOn(backend, library, undefined);
  const adapter = describeAdapter(await requestAdapter(await findGpu()));
  return { ...executorOn(backend, library, await tfjsGpuDevice(library)), notice: softwareNotice(adapter) };
}

function executorOn(backend: TfBackend, library: TfLibrary, device: GPUDevice | undefined): Executor {
  const checked: Checked = (name, work) => (device === undefined ? work() : checkedByGpu(device, name, work));
  return { name: `tfjs-${backend}`, precision: "float32", prepare: (program) => prepare(program, library, checked) };
}

type Checked = <T>(program: string, work: () => Promise<T>) => Promise<T>;

function prepare(program: Program, library: TfLibrary, checked: Checked): Prepared {
  const lowered = lowerProgram(program);
  const runner = createTfjsRunner(lowered, library);
  const feedback = feedbackOf(program);
  const params = new Map(lowered.params.map((param) => [param.id, param]));
  const keptTensors = new Map<string, Tensor>();
  const keepTensor = (id: string, tensor: Tensor): void => {
    keptTensors.get(id)?.dispose();
    keptTensors.set(id, tensor);
  };
  return {
    keep(id, value) {
      const param = params.get(id);
      if (param !== undefined) keepTensor(id, upload(library, param, value));
    },
    async kept(id) {
      const tensor = keptTensors.get(id);
      if (tensor === undefined) throw new Error(`internal: %${id} is not kept`);
      return download(tensor);
    },
    async run(inputs, sizes) {
      const given = new Map<string, Tensor | number>(keptTensors);
      const uploaded: Tensor[] = [];
      for (const [id, value] of inputs) {
        const param = params.get(id);
        if (param === undefined) continue;
        if (param.host) given.set(id, value.data[0] ?? 0);
        else {
          const tensor = upload(library, param, value);
          uploaded.push(tensor);
          given.set(id, tensor);
        }
      }
      try {
        return await checked(program.name, async () => {
          const results = runner(given, sizes);
          for (const [name, id] of feedback) {
            const tensor = results.get(name);
            if (tensor !== undefined) keepTensor(id, tensor);
          }
          return downloadAll([...results].filter(([name]) => !feedback.has(name)));
        });
      } finally {
        for (const tensor of uploaded) tensor.dispose();
      }
    },
    dispose() {
      for (const tensor of keptTensors.values()) tensor.dispose();
      keptTensors.clear();
    },
  };
}

async function downloadAll(tensors: readonly (readonly [string, Tensor])[]): Promise<ReadonlyMap<string, HostArray>> {
  const results = new Map<string, HostArray>();
  for (const [name, tensor] of tensors) {
    results.set(name, await download(tensor));
    tensor.dispose();
  }
  return results;
}

async function download(tensor: Tensor): Promise<HostArray> {
  const data = await tensor.data();
  // The cpu backend hands out its own memory.
  return { shape: [...tensor.shape], data: data.slice() };
}

function upload({ tf }: TfLibrary, param: TensorParam, { shape, data }: HostArray): Tensor {
  return tf.tensor(typed(param.dtype, data), [...shape], TF_DTYPE[param.dtype]);
}

/** A copy in the array type of the data type: tensors may use the memory that they are given. */
function typed(dtype: DType, data: HostData): Float32Array | Int32Array | Uint8Array {
  switch (dtype) {
    case "float":
      return Float32Array.from(data);
    case "int":
      return Int32Array.from(data);
    case "bool":
      return Uint8Array.from(data);
    default:
      return dtype satisfies never;
  }
}
