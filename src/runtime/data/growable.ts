/** Numbers that arrive one by one and end as one compact array. */
export interface Growable<T> {
  readonly length: number;
  push(value: number): void;
  /** The array, with no room to spare; the last use of the growable. */
  finish(): T;
}

export function growFloat64(): Growable<Float64Array<ArrayBuffer>> {
  return grow((buffer) => new Float64Array(buffer));
}

export function growUint32(): Growable<Uint32Array<ArrayBuffer>> {
  return grow((buffer) => new Uint32Array(buffer));
}

export function growUint8(): Growable<Uint8Array<ArrayBuffer>> {
  return grow((buffer) => new Uint8Array(buffer));
}

export type TokenArray = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

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
      if (length === data.length) data = resized(data, 2 * length);
      data[length++] = value;
    },
    finish: () => resized(data, length),
  };
}

/** The narrowest array that holds ids below `size`. */
export function tokenArray(size: number, length: number): TokenArray {
  if (size <= 0x100) return new Uint8Array(length);
  return size <= 0x10000 ? new Uint16Array(length) : new Int32Array(length);
}

/** The same elements in a buffer of another size; the old one is moved, not copied, where the system can. */
function resized(data: TokenArray, length: number): TokenArray {
  const buffer = data.buffer.transfer(length * data.BYTES_PER_ELEMENT);
  if (data instanceof Uint8Array) return new Uint8Array(buffer);
  return data instanceof Uint16Array ? new Uint16Array(buffer) : new Int32Array(buffer);
}

interface View {
  readonly length: number;
  readonly buffer: ArrayBuffer;
  readonly BYTES_PER_ELEMENT: number;
  [index: number]: number;
}

function grow<T extends View>(create: (buffer: ArrayBuffer) => T): Growable<T> {
  let data = create(new ArrayBuffer(8192));
  let length = 0;
  const resize = (size: number): T => create(data.buffer.transfer(size * data.BYTES_PER_ELEMENT));
  return {
    get length() {
      return length;
    },
    push(value) {
      if (length === data.length) data = resize(2 * length);
      data[length++] = value;
    },
    finish: () => resize(length),
  };
}
