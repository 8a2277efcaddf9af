/** Numbers that arrive one by one and end as one compact array. */
export interface Growable<T> {
  readonly length: number;
  push(value: number): void;
  /** The array, with no room to spare. */
  finish(): T;
}

export function growFloat64(): Growable<Float64Array> {
  return grow((size) => new Float64Array(size));
}

export function growUint32(): Growable<Uint32Array> {
  return grow((size) => new Uint32Array(size));
}

export function growUint8(): Growable<Uint8Array> {
  return grow((size) => new Uint8Array(size));
}

export type TokenArray = Uint8Array | Uint16Array | Int32Array;

/** Ids: one byte each while they fit, then two, then four. */
export function growTokens(): Growable<TokenArray> {
  let data: TokenArray = new Uint8Array(1024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (value > 0xffff && !(data instanceof Int32Array)) data = new Int32Array(data);
      else if (value > 0xff && data instanceof Uint8Array) data = new Uint16Array(data);
      if (length === data.length) data = doubled(data);
      data[length++] = value;
    },
    finish: () => data.slice(0, length),
  };
}

/** The narrowest array that holds ids below `size`. */
export function tokenArray(size: number, length: number): TokenArray {
  if (size <= 0x100) return new Uint8Array(length);
  return size <= 0x10000 ? new Uint16Array(length) : new Int32Array(length);
}

function doubled(data: TokenArray): TokenArray {
  const next =
    data instanceof Uint8Array
      ? new Uint8Array(data.length * 2)
      : data instanceof Uint16Array
        ? new Uint16Array(data.length * 2)
        : new Int32Array(data.length * 2);
  next.set(data);
  return next;
}

interface Resizable<T> {
  readonly length: number;
  [index: number]: number;
  set(from: T): void;
  slice(from: number, to: number): T;
}

function grow<T extends Resizable<T>>(create: (size: number) => T): Growable<T> {
  let data = create(1024);
  let length = 0;
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === data.length) {
        const next = create(data.length * 2);
        next.set(data);
        data = next;
      }
      data[length++] = value;
    },
    finish: () => data.slice(0, length),
  };
}
