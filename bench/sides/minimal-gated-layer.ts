import * as tf from "@tensorflow/tfjs";

/**
 * The minimal gated unit of models/sequence.seq as a user of tfjs-layers would add it: that library does not export the class of its cells, so
 * it is a layer that walks the sequence. Layers are classes there.
 */
export class MinimalGatedLayer extends tf.layers.Layer {
  static readonly className = "MinimalGatedLayer";
  private readonly units: number;
  private kernel: tf.LayerVariable | undefined;
  private recurrentKernel: tf.LayerVariable | undefined;
  private bias: tf.LayerVariable | undefined;

  constructor(units: number, batchInputShape: tf.Shape) {
    super({ batchInputShape });
    this.units = units;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const [first] = [inputShape].flat(2).slice(-1);
    const weight = (name: string, shape: number[]): tf.LayerVariable =>
      this.addWeight(name, shape, "float32", tf.initializers.zeros());
    this.kernel = weight("kernel", [first ?? 0, 2 * this.units]);
    this.recurrentKernel = weight("recurrent_kernel", [this.units, 2 * this.units]);
    this.bias = weight("bias", [2 * this.units]);
    this.built = true;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return [...[inputShape].flat(2).slice(0, -1), this.units];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x] = [inputs].flat();
    const { kernel, recurrentKernel, bias, units } = this;
    if (x === undefined || !kernel || !recurrentKernel || !bias) throw new Error("the layer is not built");
    return tf.tidy(() => {
      const [byForget, byNew] = parts(recurrentKernel.read(), units);
      let h = tf.zeros([x.shape[0] ?? 1, units]);
      const outputs = tf.unstack(x, 1).map((step) => {
        const [forInput, newInput] = parts(tf.add(tf.dot(step, kernel.read()), bias.read()), units);
        const forget = tf.sigmoid(tf.add(forInput, tf.dot(h, byForget)));
        const fresh = tf.tanh(tf.add(newInput, tf.dot(tf.mul(forget, h), byNew)));
        h = tf.add(tf.mul(tf.sub(1, forget), h), tf.mul(forget, fresh));
        return h;
      });
      return tf.stack(outputs, 1);
    });
  }
}

function parts(both: tf.Tensor, units: number): readonly [tf.Tensor, tf.Tensor] {
  const [forget, fresh] = tf.split(both, [units, units], 1);
  if (forget === undefined || fresh === undefined) throw new Error("a split without parts");
  return [forget, fresh];
}
