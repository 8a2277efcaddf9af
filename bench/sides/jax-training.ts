import { blockUntilReady, type Array as JaxArray, jit, numpy as np, valueAndGrad } from "@jax-js/jax";
import { type Arrays, at, mapped, release, shared } from "./jax-arrays.ts";
import { referred } from "./jax-sequence.ts";

/** The loss of some data; takes over its arguments. */
export type Loss = (p: Arrays, xs: JaxArray[], y: JaxArray) => JaxArray;

export interface Trainer {
  /** Of the present weights, which stay. */
  readonly gradients: () => Arrays;
  /** The present weights, as further references. */
  readonly weights: () => Arrays;
  /** One step; the loss before it. */
  readonly run: () => Promise<number>;
  readonly dispose: () => void;
}

/** A training step in one `jit`: loss, gradients and Adam. */
export function trainer(loss: Loss, start: Arrays, xs: JaxArray[], y: JaxArray): Trainer {
  const differentiate = valueAndGrad(loss);
  const gradientAlone = jit(differentiate);
  const step = jit((p: Arrays, m: Arrays, v: Arrays, moments: JaxArray, data: JaxArray[], truth: JaxArray) => {
    const [value, gradients] = differentiate(shared(p), data, truth);
    return { loss: value, ...adam(p, gradients, m, v, moments) };
  });
  const zeros = (): Arrays => mapped(start, (value) => np.zeros(value.shape));
  let [p, m, v] = [start, zeros(), zeros()];
  let count = 0;
  return {
    gradients: () => {
      const [value, gradients] = gradientAlone(shared(p), referred(xs), y.ref);
      value.dispose();
      return gradients;
    },
    weights: () => shared(p),
    run: async () => {
      count += 1;
      const moments = np.array([1 - 0.9 ** count, 1 - 0.999 ** count]);
      const results = step(p, m, v, moments, referred(xs), y.ref);
      ({ p, m, v } = results);
      await blockUntilReady({ p, m, v });
      return (await results.loss.data())[0] ?? Number.NaN;
    },
    dispose: () => {
      for (const arrays of [p, m, v]) release(Object.values(arrays));
      release([...xs, y]);
    },
  };
}

/**
 * Kingma and Ba 2015, with the constants of the models; takes over everything. `moments` is 1 - β₁ᵗ and 1 - β₂ᵗ: powers in a `jit` would take
 * jax-js a third of the step.
 */
function adam(p: Arrays, gradients: Arrays, m: Arrays, v: Arrays, moments: JaxArray) {
  const [first, second] = np.split(moments, 2, 0);
  if (!first || !second) throw new Error("a split without parts");
  const nextM = mapped(m, (value, name) => value.mul(0.9).add(at(gradients, name).mul(0.1)));
  const nextV = mapped(v, (value, name) => value.mul(0.999).add(np.square(at(gradients, name)).mul(0.001)));
  const weights = mapped(p, (value, name) => {
    const root = np.sqrt(at(nextV, name).div(second.ref)).add(1e-7);
    return value.sub(at(nextM, name).div(first.ref).div(root).mul(1e-3));
  });
  release([...Object.values(gradients), first, second]);
  return { p: weights, m: nextM, v: nextV };
}
