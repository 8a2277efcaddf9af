import * as tf from "@tensorflow/tfjs";

/** The minimal gated unit of models/sequence.seq, as a user of tfjs-layers would write a cell; layers of that library are classes. */
export class MinimalGatedCell extends tf.RNNCell {
  static readonly className = "MinimalGatedCell";
  readonly stateSize: number;
  private readonly units: number;
  private kernel: tf.LayerVariable | undefined;
  private recurrentKernel: tf.LayerVariable | undefined;
  private bias: tf.LayerVariable | undefined;

  constructor(units: number) {
    super({});
    this.units = units;
    this.stateSize = units;
  }

  override build(inputShape: tf.Shape): void {
    const weight = (name: string, shape: number[]): tf.LayerVariable =>
      this.addWeight(name, shape, "float32", tf.initializers.zeros());
    this.kernel = weight("kernel", [inputShape.at(-1) ?? 0, 2 * this.units]);
    this.recurrentKernel = weight("recurrent_kernel", [this.units, 2 * this.units]);
    this.bias = weight("bias", [2 * this.units]);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    const [x, h] = Array.isArray(inputs) ? inputs : [];
    const { kernel, recurrentKernel, bias, units } = this;
    if (x === undefined || h === undefined || !kernel || !recurrentKernel || !bias) throw new Error("not built");
    return tf.tidy(() => {
      const [byForget, byNew] = tf.split(recurrentKernel.read(), [units, units], 1);
      const [forInput, newInput] = tf.split(tf.add(tf.dot(x, kernel.read()), bias.read()), [units, units], 1);
      if (!byForget || !byNew || !forInput || !newInput) throw new Error("a split without parts");
      const forget = tf.sigmoid(tf.add(forInput, tf.dot(h, byForget)));
      const fresh = tf.tanh(tf.add(newInput, tf.dot(tf.mul(forget, h), byNew)));
      const next = tf.add(tf.mul(tf.sub(1, forget), h), tf.mul(forget, fresh));
      return [next, next];
    });
  }
}
