import { defaultDevice, init, type Array as JaxArray } from "@jax-js/jax";

/** Arrays by name. Functions take over the references that they are given, as jax-js asks, unless they say otherwise. */
export type Arrays = Readonly<Record<string, JaxArray>>;

/** Arrays are made on this device from now on. */
export async function startJax(device: "wasm" | "webgpu" = "wasm"): Promise<void> {
  if (!(await init(device)).includes(device)) throw new Error(`jax-js does not start ${device}`);
  defaultDevice(device);
}

/** A further reference to one of the arrays. */
export function at(arrays: Arrays, name: string): JaxArray {
  const found = arrays[name];
  if (found === undefined) throw new Error(`there is no array ${name}`);
  return found.ref;
}

/** Further references to all. */
export function shared(arrays: Arrays): Arrays {
  return mapped(arrays, (value) => value.ref);
}

export function mapped(arrays: Arrays, change: (value: JaxArray, name: string) => JaxArray): Arrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, value]) => [name, change(value, name)]));
}

export function release(arrays: readonly JaxArray[]): void {
  for (const value of arrays) value.dispose();
}

export async function floats(array: JaxArray): Promise<Float32Array> {
  return Float32Array.from(await array.data());
}
