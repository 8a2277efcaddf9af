import { readFileSync } from "node:fs";
import { compileStepOf } from "../support/compile.ts";
import { type Executor, numberOf, type Results } from "../support/execute.ts";
import { advanced, feed, type NamedArray } from "../support/feed.ts";
import type { Program } from "../../src/build/program.ts";
import { columns, entryOf } from "./case.ts";

type Arrays = Readonly<Record<string, NamedArray>>;

interface CharactersVector {
  readonly lr: number;
  readonly init: Arrays;
  readonly final: Arrays;
  readonly losses: readonly number[];
  readonly vocab: string;
  readonly x: readonly (readonly number[])[];
  readonly y: readonly (readonly number[])[];
}

interface VariationalVector {
  readonly lr: number;
  readonly init: Arrays;
  readonly final: Arrays;
  readonly losses: readonly number[];
  /** [steps, batch, Z]: the noise of each step. */
  readonly eps: NamedArray;
  readonly x: NamedArray;
}

/** Twenty training steps of another framework. */
export interface Trajectory {
  readonly name: string;
  readonly program: Program;
  readonly weights: Arrays;
  /** What step `place` is given beside the weights. */
  readonly inputs: (place: number) => Arrays;
  readonly losses: readonly number[];
  readonly final: Arrays;
}

export function trajectories(): readonly Trajectory[] {
  const text = readFileSync(new URL("trajectories.json", import.meta.url), "utf8");
  const { cases } = JSON.parse(text) as {
    readonly cases: {
      readonly charlm_sgd: CharactersVector;
      readonly charlm_adam: CharactersVector;
      readonly vae_sgd: VariationalVector;
    };
  };
  return [
    characters("charlm_sgd", cases.charlm_sgd, `sgd(${cases.charlm_sgd.lr})`),
    characters("charlm_adam", cases.charlm_adam, `adam(${cases.charlm_adam.lr}, eps: 1e-7)`),
    variational("vae_sgd", cases.vae_sgd),
  ];
}

/** Runs all steps; gives each step's loss and the last step's results. */
export async function train(
  { program, weights, inputs, losses }: Trajectory,
  execute: Executor,
): Promise<{ readonly losses: readonly number[]; readonly last: Results }> {
  const run = execute(program.graph);
  const found: number[] = [];
  let state = feed(program, { ...weights, ...inputs(0) });
  let last: Results = new Map();
  for (let place = 0; place < losses.length; place++) {
    const fresh = feed(program, { ...weights, ...inputs(place) }, { step: place, steps: losses.length });
    const given = new Map(state.inputs);
    for (const [id, tensor] of fresh.inputs) {
      const role = program.params.get(id)?.kind;
      if (role !== "weight" && role !== "slot") given.set(id, tensor);
    }
    last = await run(given, state.sizes);
    found.push(numberOf(last, "loss"));
    state = advanced(program, { ...state, inputs: given }, last);
  }
  return { losses: found, last };
}

function characters(name: string, vector: CharactersVector, optimizer: string): Trajectory {
  const [V = 0, E = 0] = vector.init.embedding?.shape ?? [];
  const H = vector.init.out_k?.shape[0] ?? 0;
  const text = `model Characters(V, E, H) {
    time T
    in  x: tok(V)[T]
    use emb = Embed(V, E), l1 = LSTM(E, H), head = Linear(H, V)
    emit y: tok(V)[T] ~ categorical(head(scan l1 over emb(x)))
  }
  train ${name} of Characters {
    data     x, y = csv("rows.csv")
    minimize nll(y)
    optim    ${optimizer}
    for      ${vector.losses.length} steps
  }`;
  const tokens = (rows: readonly (readonly number[])[]): NamedArray => ({
    shape: [rows.length, rows[0]?.length ?? 0],
    data: rows.flat(),
  });
  const rename = (arrays: Arrays): Arrays => ({
    "emb.W": needed(arrays, "embedding"),
    ...gates("l1.W", needed(arrays, "kernel"), H),
    ...gates("l1.U", needed(arrays, "recurrent"), H),
    ...gates("l1.b", needed(arrays, "bias"), H),
    ...dense("head", needed(arrays, "out_k"), needed(arrays, "out_b")),
  });
  return {
    name,
    program: compileStepOf(text, name, { sizes: { V, E, H } }),
    weights: rename(vector.init),
    inputs: () => ({ x: tokens(vector.x), y: tokens(vector.y) }),
    losses: vector.losses,
    final: rename(vector.final),
  };
}

/** Kingma and Welling 2014; the noise of the reparameterisation is an input, so that it can be given. */
function variational(name: string, vector: VariationalVector): Trajectory {
  const [D = 0, H = 0] = vector.init.e_k?.shape ?? [];
  const Z = vector.init.mu_k?.shape[1] ?? 0;
  const text = `model Variational(D, H, Z) {
    in  x: [D], eps: [Z]
    use enc = Linear(D, H), mu = Linear(H, Z), lv = Linear(H, Z), dec = MLP([Z, H, D])
    h = relu(enc(x))
    m = mu(h)
    l = lv(h)
    z = m + exp(0.5 * l) * eps
    kl = -0.5 * sum(1 + l - m**2 - exp(l))
    emit x ~ bernoulli(logits: dec(z))
  }
  train ${name} of Variational {
    data     x, eps = csv("rows.csv")
    minimize nll(x) + kl
    optim    sgd(${vector.lr})
    for      ${vector.losses.length} steps
  }`;
  const rename = (arrays: Arrays): Arrays => ({
    ...dense("enc", needed(arrays, "e_k"), needed(arrays, "e_b")),
    ...dense("mu", needed(arrays, "mu_k"), needed(arrays, "mu_b")),
    ...dense("lv", needed(arrays, "lv_k"), needed(arrays, "lv_b")),
    ...dense("dec.hidden.0.f", needed(arrays, "d_k"), needed(arrays, "d_b")),
    ...dense("dec.top.f", needed(arrays, "o_k"), needed(arrays, "o_b")),
  });
  return {
    name,
    program: compileStepOf(text, name, { sizes: { D, H, Z } }),
    weights: rename(vector.init),
    inputs: (place) => ({ x: vector.x, eps: entryOf(vector.eps, place) }),
    losses: vector.losses,
    final: rename(vector.final),
  };
}

function needed(arrays: Arrays, name: string): NamedArray {
  const found = arrays[name];
  if (found === undefined) throw new Error(`no array ${name}`);
  return found;
}

/** The other framework's LSTM has its gates i, f, g, o side by side in the last axis. */
function gates(prefix: string, array: NamedArray, H: number): Arrays {
  const parts = ["i", "f", "g", "o"].map((gate, place) => [`${prefix}.${gate}`, columns(array, place * H, (place + 1) * H)]);
  return Object.fromEntries(parts);
}

function dense(name: string, kernel: NamedArray, bias: NamedArray): Arrays {
  return { [`${name}.W`]: columns(kernel, 0, kernel.shape[1] ?? 0), [`${name}.b`]: bias };
}
