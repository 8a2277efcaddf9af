import type * as tfjs from "@tensorflow/tfjs-core";
import {
  compileValue,
  createReport,
  initialWeights,
  loadModules,
  readOuterExpression,
  renderDiagnostic,
  type Source,
  type ValueFunction,
} from "../../src/index.ts";
import { registerTfOp } from "../../src/tfjs.ts";

const SOURCE = `
/// What an LSTM makes of a sequence.
model Layer(D = 3, H = 4) {
  time T
  in  x: [T, D]
  use cell = LSTM(D, H)

  y = scan cell over x
}`;

/**
 * A layer of equations between layers of tfjs: trains an LSTM of the library under a dense layer of tfjs, by an optimizer of tfjs, to guess
 * the sum of what came so far. Gives the losses. `tf` has its webgpu backend current, and its gradients (`@tensorflow/tfjs` has them).
 */
export async function trainLayer(
  tf: typeof tfjs,
  library: readonly Source[],
  steps: number,
): Promise<readonly number[]> {
  const value = compileLayer(library);
  const layer = registerTfOp(tf, "Layer", value);
  await layer.prepare({ B: 2, T: 5 });
  // Variables outlive a tidy, what they are made of does not.
  const { weights, dense } = tf.tidy(() => ({
    weights: Object.fromEntries(
      [...initialWeights(value.forward, 1)].map(([name, { shape, data }]) => [
        name,
        tf.variable(tf.tensor(Float32Array.from(data), [...shape])),
      ]),
    ),
    dense: tf.variable(tf.ones([4, 1])),
  }));
  const x = tf.tensor3d(
    Float32Array.from({ length: 2 * 5 * 3 }, (_, at) => Math.sin(at)),
    [2, 5, 3],
  );
  const wanted = tf.tidy(() => tf.reshape(tf.cumsum(tf.sum(x, 2), 1), [10, 1]));
  const optimizer = tf.train.sgd(0.1);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = optimizer.minimize(
      () => {
        const y = layer.apply(weights, { x });
        const guess = tf.matMul(tf.reshape(y, [10, 4]), dense);
        return tf.mean(tf.square(tf.sub(guess, wanted)));
      },
      true,
      [...Object.values(weights), dense],
    );
    losses.push(...((await loss?.data()) ?? []));
    loss?.dispose();
  }
  optimizer.dispose();
  tf.dispose([weights, dense, x, wanted]);
  layer.dispose();
  return losses;
}

/** The value `y` of the model, with its gradient. Throws the diagnostics, as a terminal shows them. */
function compileLayer(library: readonly Source[]): ValueFunction {
  const report = createReport();
  const source = { file: "layer.seq", text: SOURCE };
  const modules = loadModules(source, library, () => undefined, report);
  const model = readOuterExpression("the op of ", "Layer", report)?.expression;
  const job = { modules, sizes: new Map(), dense: true, report };
  const value = model && compileValue(job, model, { name: "y", span: model.span });
  if (value !== undefined && !report.hasErrors) return value;
  const texts = new Map([[source.file, source.text]]);
  throw new Error(report.diagnostics.map((one) => renderDiagnostic(one, texts)).join("\n\n"));
}
