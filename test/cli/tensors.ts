import { join } from "node:path";
import { encodeTensors, readTensors, type StoredTensor, type WritableTensor } from "../../src/runtime/safetensors.ts";

/** The bytes of a safetensors file. */
export function tensorFile(tensors: Readonly<Record<string, WritableTensor>>): Uint8Array {
  return Buffer.concat(encodeTensors(new Map(Object.entries(tensors)), new Map()));
}

export function f32(shape: readonly number[], data: readonly number[]): WritableTensor {
  return { dtype: "F32", shape, data: Float32Array.from(data) };
}

export function f64(shape: readonly number[], data: readonly number[]): WritableTensor {
  return { dtype: "F64", shape, data: Float64Array.from(data) };
}

export function i32(shape: readonly number[], data: readonly number[]): WritableTensor {
  return { dtype: "I32", shape, data: Int32Array.from(data) };
}

/** Numbers that look random and are always the same. */
export function numbers(count: number, phase: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => 0.7 * Math.sin(1.7 * at + phase));
}

/** The tensors of a file, as shapes and plain numbers. */
export async function tensorsIn(folder: string, file: string): Promise<Readonly<Record<string, Plain>>> {
  const { tensors } = await readTensors(join(folder, file));
  return Object.fromEntries([...tensors].map(([name, tensor]) => [name, plain(tensor)]));
}

export interface Plain {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

function plain({ dtype, shape, data }: StoredTensor): Plain {
  return { dtype, shape, data: Array.from(data, Number) };
}
