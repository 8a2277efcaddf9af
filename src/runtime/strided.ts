/** Numbers of one kind, one after the other. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array | readonly number[];

/** How to walk two arrangements of the same numbers at once. */
export interface Walk {
  /** How many numbers there are. */
  readonly count: number;
  /** How many along each axis, outermost first; neighbours that both arrangements lay out without a gap are one axis. */
  readonly shape: readonly number[];
  /** How far apart neighbours along each axis lie, in each. */
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** The walk over arrays of a shape, from one choice of strides to another, all in elements. */
export function planWalk(shape: readonly number[], from: readonly number[], to: readonly number[]): Walk {
  const axes: { size: number; from: number; to: number }[] = [];
  shape.forEach((size, axis) => {
    const next = { size, from: from[axis] ?? 0, to: to[axis] ?? 0 };
    const outer = axes.at(-1);
    if (size === 1) return;
    if (outer !== undefined && outer.from === next.from * size && outer.to === next.to * size) {
      axes[axes.length - 1] = { ...next, size: outer.size * size };
    } else axes.push(next);
  });
  return {
    count: shape.reduce((all, size) => all * size, 1),
    shape: axes.map((axis) => axis.size),
    from: axes.map((axis) => axis.from),
    to: axes.map((axis) => axis.to),
  };
}

/** Whether both arrangements lay out all numbers without a gap. */
export function isDense({ shape, from, to }: Walk): boolean {
  return shape.length === 0 || (shape.length === 1 && from[0] === 1 && to[0] === 1);
}

/** Copies all numbers of a walk; `start` is where the first one lies in each. */
export function copyWalk(
  walk: Walk,
  source: Numbers,
  sourceStart: number,
  target: Float32Array | Int32Array,
  targetStart: number,
): void {
  if (walk.count === 0) return;
  const last = walk.shape.length - 1;
  // A single number is a run of one.
  if (last <= 0) {
    copyRun(walk, 0, source, sourceStart, target, targetStart);
    return;
  }
  // Blocks are squares of the axes along which neighbours touch on either side; for one axis they are runs.
  const inner = [axisOfUnit(walk.from), axisOfUnit(walk.to)].map((axis) => (axis < 0 ? last : axis));
  const [near = last, far = last] = inner;
  const outer = walk.shape.map((_, axis) => axis).filter((axis) => axis !== near && axis !== far);
  const go = (depth: number, from: number, to: number): void => {
    const axis = outer[depth];
    if (axis === undefined) {
      if (near === far) copyRun(walk, near, source, from, target, to);
      else copySquare(walk, near, far, source, from, target, to);
      return;
    }
    const [size, fromStride, toStride] = along(walk, axis);
    for (let at = 0; at < size; at++) go(depth + 1, from + at * fromStride, to + at * toStride);
  };
  go(0, sourceStart, targetStart);
}

function axisOfUnit(strides: readonly number[]): number {
  return strides.lastIndexOf(1);
}

function along({ shape, from, to }: Walk, axis: number): readonly [size: number, from: number, to: number] {
  return [shape[axis] ?? 1, from[axis] ?? 0, to[axis] ?? 0];
}

/** Below this, copying one by one is faster than asking for it. */
const SHORT = 24;

function copyRun(
  walk: Walk,
  axis: number,
  source: Numbers,
  from: number,
  target: Float32Array | Int32Array,
  to: number,
): void {
  const [size, fromStride, toStride] = along(walk, axis);
  if (size >= SHORT && fromStride === 1 && toStride === 1 && "subarray" in source) {
    target.set(from === 0 && size === source.length ? source : source.subarray(from, from + size), to);
    return;
  }
  for (let at = 0; at < size; at++) target[to + at * toStride] = source[from + at * fromStride]!;
}

/** So many rows and columns fit into the nearest cache, each with lines of its own. */
const SQUARE = 16;

function copySquare(
  walk: Walk,
  near: number,
  far: number,
  source: Numbers,
  from: number,
  target: Float32Array | Int32Array,
  to: number,
): void {
  const [width, fromNear, toNear] = along(walk, near);
  const [height, fromFar, toFar] = along(walk, far);
  for (let row = 0; row < height; row += SQUARE)
    for (let column = 0; column < width; column += SQUARE) {
      const rows = Math.min(height, row + SQUARE);
      const columns = Math.min(width, column + SQUARE);
      for (let x = column; x < columns; x++)
        for (let y = row; y < rows; y++)
          target[to + x * toNear + y * toFar] = source[from + x * fromNear + y * fromFar]!;
    }
}
