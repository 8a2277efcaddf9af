import type { NamedTensorMap, Tensor } from "@tensorflow/tfjs-core";
// First, since whichever of its builds is loaded first makes the tensors of all files that a worker runs.
import "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { trainLayer } from "../../examples/tfjs/layer.ts";
import { createReport } from "../../src/base/report.ts";
import { resultLayouts } from "../../src/build/layout.ts";
import type { Program } from "../../src/build/program.ts";
import { loadModules } from "../../src/check/modules.ts";
import { compileValue, type ValueFunction } from "../../src/compile/value.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { fillRandom } from "../../src/ir/random.ts";
import { layOut } from "../../src/ir/strided.ts";
import { axisLength, elementCount, type Tensor as HostTensor, shapeOf } from "../../src/ir/tensor.ts";
import { tfjsGpuDevice } from "../../src/runtime/tfjs.ts";
import { registerTfOp, type TfOp } from "../../src/runtime/tfjs-op.ts";
import type { TfLibrary } from "../../src/target/tfjs/library.ts";
import { LIBRARY } from "../support/library.ts";
import { startTfjs } from "../support/tfjs.ts";
import { expectClose } from "./compare.ts";

const SOURCE = {
  file: "layer.seq",
  text: `
model Layer(V = 5, D = 3, H = 4) {
  time T
  in  x: [T, D], ids: tok(V)[T]
  use emb = Embed(V, D), cell = LSTM(D, H)

  y = scan cell over x + emb(ids)
}
`,
};
const SIZES = new Map([
  ["B", 2],
  ["T", 5],
]);

describe("a compiled model as an op of tfjs", { timeout: 120_000 }, () => {
  let library: TfLibrary;
  let value: ValueFunction;
  let op: TfOp;
  beforeAll(async () => {
    library = await startTfjs("webgpu");
    value = compiled("y");
    op = registerTfOp(library.tf, "Embedded", value);
    await op.prepare({ B: 2, T: 5 });
  });
  afterAll(() => op.dispose());

  it("gives the interpreter's numbers", async () => {
    const { weights, inputs, host } = given(library, value.forward);
    const before = library.tf.memory().numTensors;
    const y = op.apply(weights, inputs);
    expect(y.shape).toEqual([2, 5, 4]);
    expectClose("y", await y.data(), wantedOf(value.forward, host, "value.y"), 1e-5);
    y.dispose();
    expect(library.tf.memory().numTensors).toBe(before);
    library.tf.dispose([weights, inputs]);
  });

  it("has the interpreter's gradient, by weights and by an input, inside a larger computation", async () => {
    const { tf } = library;
    const { weights, inputs, host } = given(library, value.pullback);
    const { "cotangent.y": scale, ...own } = inputs;
    if (scale === undefined || own.x === undefined) throw new Error("a layer has x, and a cotangent");
    const names = Object.keys(weights);
    const before = tf.memory().numTensors;
    const loss = (x: Tensor, ...all: Tensor[]): Tensor => {
      const y = op.apply(Object.fromEntries(names.map((name, at) => [name, all[at]])) as NamedTensorMap, { ...own, x });
      return tf.sum(tf.mul(y, scale));
    };
    const gradients = tf.grads((...all: Tensor[]) => loss(...(all as [Tensor, ...Tensor[]])))([
      own.x,
      ...Object.values(weights),
    ]);
    for (const [at, name] of ["x", ...names].entries()) {
      const found = (await gradients[at]?.data()) ?? [];
      expectClose(name, found, wantedOf(value.pullback, host, `gradient.${name}`), 1e-4);
    }
    tf.dispose(gradients);
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([weights, inputs]);
  });

  it("copies nothing through the host", async () => {
    const { weights, inputs } = given(library, value.forward);
    const device = await tfjsGpuDevice(library);
    op.apply(weights, inputs).dispose();
    const writes = vi.spyOn(device.queue, "writeBuffer");
    const reads = vi.spyOn(GPUBuffer.prototype, "mapAsync");
    op.apply(weights, inputs).dispose();
    expect([writes.mock.calls.length, reads.mock.calls.length]).toEqual([0, 0]);
    vi.restoreAllMocks();
    library.tf.dispose([weights, inputs]);
  });

  it("trains with an optimizer of tfjs, under a layer of tfjs, and leaves nothing behind", async () => {
    const before = library.tf.memory().numTensors;
    const losses = await trainLayer(library.tf, LIBRARY, 4);
    expect(losses).toHaveLength(4);
    expect(
      losses.every((loss, at) => at === 0 || loss < (losses[at - 1] ?? 0)),
      losses.join(" "),
    ).toBe(true);
    expect(library.tf.memory().numTensors).toBe(before);
  });

  it("takes floats that tfjs has cast from integers", async () => {
    const { tf } = library;
    const { weights, inputs } = given(library, value.forward);
    const whole = tf.tensor(
      Int32Array.from({ length: 30 }, (_, at) => (at % 5) - 2),
      [2, 5, 3],
      "int32",
    );
    const floats = tf.tensor(
      Float32Array.from({ length: 30 }, (_, at) => (at % 5) - 2),
      [2, 5, 3],
    );
    const [a, b] = [tf.cast(whole, "float32"), floats].map((x) => op.apply(weights, { ...inputs, x }));
    expect(await a?.data()).toEqual(await b?.data());
    tf.dispose([weights, inputs, whole, floats, a, b].filter((one) => one !== undefined));
  });

  it("says what is wrong with how it is used", async () => {
    const { tf } = library;
    const { weights, inputs } = given(library, value.forward);
    const { x, ...rest } = inputs;
    expect(() => op.apply(weights, rest)).toThrow("Embedded: nothing is given for x; it takes");
    expect(() => op.apply(weights, { ...rest, x: tf.zeros([2, 5, 2]) })).toThrow(
      "x is [B = 2, T = 5, D = 3], its tensor [2, 5, 2]",
    );
    const longer = { x: tf.zeros([2, 6, 3]), ids: tf.zeros([2, 6], "int32") };
    expect(() => op.apply(weights, longer)).toThrow(/is not ready: await prepare\(\{.*T: 6.*\}\) before/);
    expect(() => registerTfOp(tf, "Embedded", value)).toThrow("tfjs already has an op Embedded");
    await startTfjs("cpu");
    expect(() => registerTfOp(tf, "Other", value)).toThrow('await tf.setBackend("webgpu")');
    await startTfjs("webgpu");
  });

  it("is refused for what has no gradient, with a place", () => {
    const report = createReport();
    expect(compiledWith("ids", report)).toBeUndefined();
    expect(report.diagnostics.map(({ message }) => message)).toEqual([
      "ids is no number that varies, so it has no gradient",
    ]);
  });
});

function compiled(name: string): ValueFunction {
  const report = createReport();
  const found = compiledWith(name, report);
  if (found === undefined) throw new Error(JSON.stringify(report.diagnostics));
  return found;
}

function compiledWith(name: string, report: ReturnType<typeof createReport>): ValueFunction | undefined {
  const modules = loadModules(SOURCE, LIBRARY, () => undefined, report);
  const span = { file: SOURCE.file, start: 0, end: 0 };
  const model = { kind: "reference", name: "Layer", primed: false, span } as const;
  return compileValue({ modules, sizes: new Map(), dense: true, report }, model, { name, span });
}

/** What the interpreter says, in the layout of the result's role. */
function wantedOf(program: Program, host: ReadonlyMap<string, HostTensor>, name: string): ArrayLike<number> {
  const sizes = new Map([...program.sizes, ...SIZES]);
  const found = interpret(program.graph, host, sizes).get(name);
  const layout = resultLayouts(program).get(name);
  if (found === undefined || layout === undefined) throw new Error(`there is no ${name}`);
  return layOut(
    found,
    layout,
    layout.map((axis) => axisLength(found, axis)),
  ).data;
}

/** Pseudo-random values of all params: as tensors by their names, and for the interpreter by param. */
function given({ tf }: TfLibrary, { graph, params, sizes }: Program) {
  const weights: NamedTensorMap = {};
  const inputs: NamedTensorMap = {};
  const host = new Map<string, HostTensor>();
  for (const { id, type } of graph.params) {
    const role = params.get(id);
    if (role?.kind !== "weight" && role?.kind !== "input") continue;
    const shape = shapeOf(type.axes, new Map([...sizes, ...SIZES]));
    const data = new Float64Array(elementCount(shape));
    fillRandom(data, type.dtype === "float" ? "gaussian" : "uniform", 3, id);
    const values =
      type.dtype === "float" ? data.map((one) => Math.fround(one / 2)) : data.map((one) => Math.floor(one * 5));
    host.set(id, { dtype: type.dtype, axes: type.axes.map((axis) => axis.id), shape, data: values });
    const tensor =
      type.dtype === "float"
        ? tf.tensor(Float32Array.from(values), shape)
        : tf.tensor(Int32Array.from(values), shape, "int32");
    (role.kind === "weight" ? weights : inputs)[role.name] = tensor;
  }
  return { weights, inputs, host };
}
