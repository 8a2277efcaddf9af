import { elementCount, stridesOf } from "../ir/tensor.ts";
import type { BoundSlot } from "../target/webgpu/bind.ts";
import { copyWalk, type Numbers, planWalk } from "./strided.ts";

/** What a slot of the arena holds, as the host has it. */
export interface GpuArray {
  readonly shape: readonly number[];
  /** Integers and booleans are Int32Array. */
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/** How many entries a slot spans. */
export function wordsSpanned({ shape, strides }: BoundSlot): number {
  if (elementCount(shape) === 0) return 0;
  return shape.reduce((last, size, axis) => last + (size - 1) * (strides[axis] ?? 0), 1);
}

/** The array of a slot from the bytes that it spans. */
export function arrayOf({ slot, shape, strides }: BoundSlot, data: ArrayBuffer): GpuArray {
  const words = slot.dtype === "float" ? new Float32Array(data) : new Int32Array(data);
  const dense = stridesOf(shape);
  if (strides.every((stride, axis) => stride === dense[axis])) return { shape, data: words };
  const out = emptyWords(slot, elementCount(shape));
  copyWalk(planWalk(shape, strides, dense), words, 0, out, 0);
  return { shape, data: out };
}

/** What is written to a slot for an array, row-major. Throws where the count is wrong; `name` is the program. */
export function wordsOf(name: string, bound: BoundSlot, values: Numbers): Words {
  const { slot, shape, strides } = bound;
  const count = elementCount(shape);
  if (values.length !== count) {
    throw new Error(`${name}: %${slot.name} has ${count} numbers (${shape.join(" x ")}), ${values.length} are given`);
  }
  const out = emptyWords(slot, wordsSpanned(bound));
  copyWalk(planWalk(shape, stridesOf(shape), strides), values, 0, out, 0);
  return out;
}

type Words = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

function emptyWords({ dtype }: Pick<BoundSlot["slot"], "dtype">, count: number): Words {
  return dtype === "float" ? new Float32Array(count) : new Int32Array(count);
}
