import {
  createReport,
  encodeSafetensors,
  type HostArray,
  type InputSpec,
  instantiate,
  loadModules,
  openHosted,
  readRegime,
  shippedLibrary,
  startWebGpu,
} from "../src/index.ts";
import { type Opened, openSource } from "./compiled.ts";
import type { Lists } from "./data.ts";
import type { Answer, Request } from "./messages.ts";

const ROWS = 32;
/** Milliseconds between two messages of progress, and between two samples. */
const PROGRESS = 60;
const SAMPLE = 1500;

type Post = (answer: Answer) => void;

/** A training that goes on by a step when it is asked to, and can be sampled from. */
interface Trainer {
  step(at: number): Promise<number>;
  /** The weights as they are, in a file. */
  save(): Promise<Uint8Array>;
  dispose(): void;
}

/** Trains what the editor has, and tells losses and samples as they come. */
export async function train(
  request: Extract<Request, { kind: "train" }>,
  signal: AbortSignal,
  post: Post,
): Promise<void> {
  try {
    const opened = openSource(request.source);
    if (!("model" in opened)) throw new Error(opened.map(({ message }) => message).join("\n") || "there is no model");
    if (opened.inputs.length === 0) throw new Error("there is no train block that one training step can hold");
    const trainer = request.target === "webgpu" ? await onDevice(request, opened) : onProcessor(request, opened);
    try {
      await run(trainer, opened, request.steps, signal, post);
    } finally {
      trainer.dispose();
    }
    post({ kind: "ended", why: signal.aborted ? "stopped" : "done", failed: false });
  } catch (error) {
    post({ kind: "ended", why: error instanceof Error ? error.message : String(error), failed: true });
  }
}

async function run(trainer: Trainer, opened: Opened, steps: number, signal: AbortSignal, post: Post): Promise<void> {
  const start = performance.now();
  let [told, sampled] = [start, start];
  let losses: number[] = [];
  const tell = (step: number): void => {
    post({ kind: "progress", losses, step, perSecond: (1000 * step) / (performance.now() - start) });
    losses = [];
  };
  for (let step = 0; step < steps && !signal.aborted; step++) {
    losses.push(await trainer.step(step));
    const now = performance.now();
    if (now - told > PROGRESS || step === steps - 1) {
      tell(step + 1);
      told = now;
      // Messages of the page are heard between steps.
      await new Promise((resolve) => setTimeout(resolve));
    }
    if (now - sampled > SAMPLE || step === steps - 1) {
      const text = await sampleOf(opened, await trainer.save(), step);
      if (text !== undefined) post({ kind: "sample", step: step + 1, text });
      sampled = performance.now();
    }
  }
  if (losses.length > 0) tell(steps);
}

/** On WebAssembly: the class that a module of this model would have. */
function onProcessor({ steps }: Extract<Request, { kind: "train" }>, { model, block, inputs, data }: Opened): Trainer {
  const own = instantiate(model).init(1);
  const batches = (function* () {
    for (let step = 0; ; step++) yield data.batch(inputs, ROWS, step);
  })();
  const training = own.train(batches, { block, steps, stepsPerEpoch: steps });
  return {
    async step() {
      const { value } = await training.next();
      return value === undefined ? Number.NaN : value.loss;
    },
    save: async () => own.save(),
    dispose: () => own.dispose(),
  };
}

/** On the graphics device that the browser gives. */
async function onDevice({ source, steps }: Extract<Request, { kind: "train" }>, opened: Opened): Promise<Trainer> {
  const report = createReport();
  const modules = loadModules({ file: "model.seq", text: source.text }, shippedLibrary(), () => undefined, report);
  const block = modules.entry.tree.declarations.find((one) => one.kind === "train" && one.name.text === opened.block);
  const regime = block?.kind === "train" ? readRegime(block, report) : undefined;
  const hosted =
    regime && openHosted(modules, regime, await startWebGpu(), { seed: 1, sizes: opened.sizes, steps }, report);
  if (hosted === undefined) throw new Error(report.diagnostics.map(({ message }) => message).join("\n"));
  return {
    step: (at) => hosted.step(columnsOf(opened.inputs, opened.data.batch(opened.inputs, ROWS, at))),
    async save() {
      const { weights } = await hosted.state();
      return encodeSafetensors(new Map([...weights].map(([name, value]) => [name, asFloats(value)])));
    },
    dispose: () => hosted.dispose(),
  };
}

function asFloats({ shape, data }: HostArray): { readonly shape: readonly number[]; readonly data: Float32Array } {
  return { shape, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}

/** Lists as arrays. */
function columnsOf(inputs: readonly InputSpec[], lists: Readonly<Record<string, Lists>>) {
  return Object.fromEntries(
    inputs.map(({ name, dtype }) => {
      const rows = (lists[name] ?? []).map((row) => (typeof row === "number" ? [row] : row));
      const isFlat = typeof lists[name]?.[0] === "number";
      const longest = Math.max(...rows.map((row) => row.length));
      if (rows.some((row) => row.length < longest)) {
        throw new Error("these examples differ in length, and WebGPU here takes equal ones: train on WebAssembly");
      }
      const flat = rows.flat();
      const data = dtype === "float" ? Float32Array.from(flat) : Int32Array.from(flat);
      return [name, { shape: isFlat ? [rows.length] : [rows.length, longest], data }];
    }),
  );
}

/** What the model's first generate block makes of the weights as they are; undefined where it has none. */
async function sampleOf({ model, data }: Opened, weights: Uint8Array, seed: number): Promise<string | undefined> {
  const block = model.programs.generate[0];
  if (block === undefined) return undefined;
  const own = await instantiate(model).load(weights);
  const inputs = Object.fromEntries(
    block.program.inputs.filter((spec) => !spec.emitted).map((spec) => [spec.name, { shape: [], data: [0] }]),
  );
  const prompt = Object.keys(inputs).length > 0 ? [] : data.encode("The ");
  const lines: string[] = [];
  for (const count of prompt.length > 0 ? [0] : [0, 1, 2, 3, 4]) {
    const tokens: number[] = [];
    for await (const chosen of own.generate({
      block: block.name,
      inputs,
      prompt,
      max: prompt.length > 0 ? 240 : 16,
      seed: seed + count,
    })) {
      tokens.push(...Object.values(chosen).flatMap((one) => (typeof one === "number" ? [one] : [])));
    }
    lines.push(data.decode([...prompt, ...tokens]));
  }
  own.dispose();
  return lines.join("\n");
}
