import { instantiate } from "../src/index.ts";
import { type Opened, openSource } from "./compiled.ts";
import type { Answer, Request } from "./messages.ts";

const ROWS = 32;
/** Milliseconds between two messages of progress, and between two samples. */
const PROGRESS = 60;
const SAMPLE = 1500;

type Post = (answer: Answer) => void;

/** A training that goes on by a step when it is asked to, and can be sampled from. */
interface Trainer {
  step(): Promise<number>;
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
    const trainer = trainerOf(request, opened);
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
    losses.push(await trainer.step());
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

/** The class that a module of this model would have, on what was asked for. */
function trainerOf({ steps, target }: Extract<Request, { kind: "train" }>, opened: Opened): Trainer {
  const { model, block, inputs, data } = opened;
  const own = instantiate(model, { target }).init(1);
  const batches = (function* () {
    for (let step = 0; ; step++) yield data.batch(inputs, ROWS, step);
  })();
  const training = own.train(batches, { block, steps, stepsPerEpoch: steps });
  return {
    async step() {
      const { value } = await training.next();
      return value === undefined ? Number.NaN : value.loss;
    },
    save: () => own.save(),
    dispose: () => own.dispose(),
  };
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
