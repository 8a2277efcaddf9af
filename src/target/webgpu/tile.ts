import { equalSizes, type Size, sizeConstant } from "../../ir/size.ts";
import type { Place } from "../../plan/place.ts";
import type { Extent, Product } from "../../plan/product.ts";
import { add, divide, type Kernel, multiply, remainder, sizeTerm } from "./context.ts";
import { loadCode, type Positions, startOf, sumOf } from "./memory.ts";
import { integer, type Term } from "./shader.ts";
import { THREAD } from "./thread.ts";
import { quadTile } from "./tile-quads.ts";

/** Sums of products over the same rows and columns: a group of threads computes a tile of all of them. */
export interface TileWork {
  readonly around: readonly Extent[];
  readonly m: Extent;
  readonly n: Extent;
  readonly rounds: readonly Round[];
  /** How many sums there are. */
  readonly sums: number;
  readonly tile: Tile;
}

/** Right matrices that meet the same left one. */
export interface Round {
  readonly left: Product;
  readonly rights: readonly { readonly sum: number; readonly product: Product }[];
}

/** Rows and columns of a tile, and columns of one thread. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
  readonly across: number;
}

/** How much of k lies in shared memory at a time. */
const DEPTH = 16;
/** From many positions to few: the first whose results all fit into shared memory, and that gives the device enough to do. */
const TILES: readonly Tile[] = [
  { rows: 64, columns: 64, across: 4 },
  { rows: 32, columns: 32, across: 2 },
  { rows: 16, columns: 32, across: 2 },
  { rows: 8, columns: 32, across: 1 },
];

/** With fewer positions along m, n or k a tile stays empty for the most part. */
const LEAST = { m: 4, n: 16, k: 8 };

/** The sums as one tile's work, where all have the same rows and columns; undefined where they have not, or are too small. */
export function planTiles(sums: readonly (readonly (Product | undefined)[])[], shared: number): TileWork | undefined {
  const products = sums.flat();
  const [first] = products;
  if (first === undefined) return undefined;
  const rounds: { left: Product; rights: { sum: number; product: Product }[] }[] = [];
  for (const [sum, terms] of sums.entries())
    for (const product of terms) {
      if (product === undefined || !sameResult(first, product)) return undefined;
      const round = rounds.find(
        ({ left, rights }) => sameLeft(left, product) && rights.every((each) => each.sum !== sum),
      );
      if (round === undefined) rounds.push({ left: product, rights: [{ sum, product }] });
      else round.rights.push({ sum, product });
    }
  const { around, m, n } = first;
  const isLarge = (size: Size, least: number): boolean => (sizeConstant(size) ?? least) >= least;
  if (!isLarge(m.size, LEAST.m) || !isLarge(n.size, LEAST.n)) return undefined;
  if (!rounds.some(({ left }) => isLarge(left.k.size, LEAST.k) || left.over.length > 0)) return undefined;
  const tile = chooseTile(m.size, n.size, sums.length, rounds, shared);
  return tile === undefined ? undefined : { around, m, n, rounds, sums: sums.length, tile };
}

function sameResult(a: Product, b: Product): boolean {
  const same = (x: Extent, y: Extent): boolean =>
    equalSizes(x.size, y.size) && x.axes.map(({ id }) => id).join() === y.axes.map(({ id }) => id).join();
  return (
    same(a.m, b.m) &&
    same(a.n, b.n) &&
    a.around.length === b.around.length &&
    a.around.every((extent, at) => b.around[at] !== undefined && same(extent, b.around[at]))
  );
}

function sameLeft(a: Product, b: Product): boolean {
  const key = ({ left, around, over, m, k, form }: Product): string =>
    [
      ...[left.cell, left.offset?.text ?? "", form, k.size.text, m.left.text, k.left.text],
      ...left.steps.map(({ loop, stride }) => `${loop.index} ${stride.text}`),
      ...[...around, ...over].map((extent) => `${extent.size.text} ${extent.left.text}`),
    ].join(";");
  return key(a) === key(b);
}

function chooseTile(m: Size, n: Size, sums: number, rounds: readonly Round[], shared: number): Tile | undefined {
  const fixed = [m, n].map(sizeConstant);
  const [rows = Number.POSITIVE_INFINITY, columns = Number.POSITIVE_INFINITY] = fixed;
  if (shared === 0) return quadTile(m, n, sums);
  // A weight's gradient is a small matrix with many terms: small tiles, so that more groups share them.
  const isSmall = rows * columns <= 256 * 256;
  return TILES.find(
    (tile) =>
      sharedBy(tile, sums, rounds) <= shared &&
      !(isSmall && tile.rows > 32) &&
      (rows > tile.rows / 2 || tile.rows === 8),
  );
}

/** How much shared memory a tile takes: parts of all operands, then all sums. */
function sharedBy(tile: Tile, sums: number, rounds: readonly Round[]): number {
  const most = Math.max(...rounds.map(({ rights }) => rights.length));
  return Math.max(sums * tile.rows * tile.columns, DEPTH * (tile.rows + 1 + most * (tile.columns + 1)));
}

/** What becomes of a tile's entries: `values` are the sums at a position. */
export type FinishTile = (kernel: Kernel, positions: Positions, values: readonly Term[]) => void;

/** Writes one group of threads' work: tiles of both operands go through shared memory, every thread adds up a few entries of each sum. */
export function writeTile(kernel: Kernel, work: TileWork, group: Term, finish: FinishTile): void {
  const { tile } = work;
  const frame = openFrame(kernel, work, group);
  const shared = kernel.shared("shared_float", "f32", sharedBy(tile, work.sums, work.rounds));
  const entries = work.sums * frame.down * tile.across;
  const sums = kernel.variable(`array<f32, ${entries}>`, `array<f32, ${entries}>()`, "sums");
  for (const round of work.rounds) writeRound({ ...frame, shared }, round, sums);
  finishTile({ ...frame, shared }, sums, finish);
}

/** What a group of threads has of the whole, and what a thread has of that. */
export interface Frame {
  readonly kernel: Kernel;
  readonly work: TileWork;
  /** Of the whole matrix. */
  readonly rows: Term;
  readonly columns: Term;
  /** The tile's first row and column. */
  readonly top: Term;
  readonly left: Term;
  readonly outer: readonly Term[];
  /** The thread's place among those of the group, and how many rows it has. */
  readonly x: Term;
  readonly y: Term;
  readonly wide: number;
  readonly down: number;
}

interface SharedFrame extends Frame {
  readonly shared: string;
}

export function openFrame(kernel: Kernel, work: TileWork, group: Term): Frame {
  const { tile, m, n, around } = work;
  const [rows, columns] = [sizeTerm(kernel, m.size), sizeTerm(kernel, n.size)];
  const across = tileCount(kernel, columns, tile.columns);
  const down = tileCount(kernel, rows, tile.rows);
  const left = multiply(kernel, remainder(kernel, group, across), integer(tile.columns));
  const rest = divide(kernel, group, across);
  const top = multiply(kernel, remainder(kernel, rest, down), integer(tile.rows));
  const sizes = around.map(({ size }) => size);
  const outer = cut(kernel, sizes, divide(kernel, rest, down));
  return { ...{ kernel, work, rows, columns, left, top, outer }, ...threadsOf(kernel, tile) };
}

function threadsOf(kernel: Kernel, tile: Tile): Pick<Frame, "x" | "y" | "wide" | "down"> {
  const wide = tile.columns / tile.across;
  return {
    x: remainder(kernel, THREAD, integer(wide)),
    y: divide(kernel, THREAD, integer(wide)),
    wide,
    down: tile.rows / (kernel.threads / wide),
  };
}

function tileCount(kernel: Kernel, count: Term, per: number): Term {
  if (count.constant !== undefined) return integer(Math.ceil(count.constant / per));
  return kernel.bind(count.depth, "int", `(${count.code} + ${per - 1}) / ${per}`);
}

/** The position along each of several extents, of a row-major number. */
function cut(kernel: Kernel, sizes: readonly Size[], at: Term): readonly Term[] {
  const found: Term[] = [];
  let rest = at;
  sizes.toReversed().forEach((size, index) => {
    const term = sizeTerm(kernel, size);
    const last = index === sizes.length - 1;
    found.unshift(last ? rest : remainder(kernel, rest, term));
    if (!last) rest = divide(kernel, rest, term);
  });
  return found;
}

function writeRound(frame: SharedFrame, { left, rights }: Round, sums: string): void {
  const { kernel, work } = frame;
  forParts(frame, { left, rights }, (starts, depth) => {
    kernel.block(`for (var first_k = 0; first_k < ${depth.code}; first_k += ${DEPTH})`, () => {
      kernel.line("workgroupBarrier();");
      loadLeft(frame, left, starts.left, depth);
      rights.forEach(({ product }, index) => {
        loadRight(frame, product, starts.rights[index] ?? integer(0), depth, offsetOf(work.tile, index));
      });
      kernel.line("workgroupBarrier();");
      multiplyTiles(frame, rights, sums);
    });
  });
}

/** For every part that a round sums over beside k: where its matrices start, and how long k is. */
export function forParts(
  { kernel, outer }: Frame,
  { left, rights }: Round,
  body: (starts: { readonly left: Term; readonly rights: readonly Term[] }, depth: Term) => void,
): void {
  const nest = (extents: readonly Extent[], positions: readonly Term[]): void => {
    const [extent, ...inner] = extents;
    if (extent !== undefined) {
      kernel.repeat(sizeTerm(kernel, extent.size), (index) => nest(inner, [...positions, index]), "part");
      return;
    }
    const start = (product: Product, side: "left" | "right"): Term =>
      startAt(kernel, product[side], [...product.around, ...product.over], [...outer, ...positions], side);
    const starts = { left: start(left, "left"), rights: rights.map(({ product }) => start(product, "right")) };
    body(starts, sizeTerm(kernel, left.k.size));
  };
  nest(left.over, []);
}

/** Where the right tile of a number starts in shared memory. */
function offsetOf(tile: Tile, index: number): number {
  return DEPTH * (tile.rows + 1) + index * DEPTH * (tile.columns + 1);
}

function startAt(
  kernel: Kernel,
  place: Place,
  extents: readonly Extent[],
  positions: readonly Term[],
  side: "left" | "right",
): Term {
  const terms = extents.map((extent, at) =>
    multiply(kernel, positions[at] ?? integer(0), sizeTerm(kernel, extent[side])),
  );
  return sumOf(kernel, [startOf(kernel, place), ...terms]);
}

function loadLeft({ kernel, work, shared, rows, top }: SharedFrame, product: Product, start: Term, depth: Term): void {
  const { tile } = work;
  loadTile(kernel, {
    ...{ shared, offset: 0, stride: tile.rows + 1, count: tile.rows, start, depth },
    ...{ first: top, limit: rows, alongK: product.form === "rows" },
    ...{ step: sizeTerm(kernel, product.m.left), stepK: sizeTerm(kernel, product.k.left) },
  });
}

function loadRight(
  { kernel, work, shared, columns, left }: SharedFrame,
  product: Product,
  start: Term,
  depth: Term,
  offset: number,
): void {
  const { tile } = work;
  const [step, stepK] = [sizeTerm(kernel, product.n.right), sizeTerm(kernel, product.k.right)];
  loadTile(kernel, {
    ...{ shared, offset, stride: tile.columns + 1, count: tile.columns, start, depth, step, stepK },
    ...{ first: left, limit: columns, alongK: stepK.constant === 1 && step.constant !== 1 },
  });
}

interface Load {
  readonly shared: string;
  readonly offset: number;
  /** From one position of k to the next in shared memory. */
  readonly stride: number;
  readonly count: number;
  readonly start: Term;
  readonly depth: Term;
  /** The first of `limit` positions. */
  readonly first: Term;
  readonly limit: Term;
  readonly step: Term;
  readonly stepK: Term;
  /** Whether neighbours along k lie next to one another. */
  readonly alongK: boolean;
}

/** Threads next to one another read what lies next to one another; what is outside counts as zero. */
function loadTile(kernel: Kernel, load: Load): void {
  const { shared, offset, stride, count, start, depth, first, limit, step, stepK, alongK } = load;
  kernel.block(`for (var entry = thread; entry < ${count * DEPTH}; entry += ${kernel.threads})`, () => {
    const [k, at] = alongK ? [`entry % ${DEPTH}`, `entry / ${DEPTH}`] : [`entry / ${count}`, `entry % ${count}`];
    const here = kernel.depth();
    const inner = kernel.bind(here, "int", k, "k");
    const own = kernel.bind(here, "int", at, "own");
    const position = add(kernel, own, first);
    const deep = kernel.bind(here, "int", `${inner.code} + first_k`, "deep");
    const address = sumOf(kernel, [start, multiply(kernel, position, step), multiply(kernel, deep, stepK)]);
    kernel.line("var loaded = 0.0f;");
    kernel.block(`if (${position.code} < ${limit.code} && ${deep.code} < ${depth.code})`, () =>
      kernel.line(`loaded = ${loadCode(address.code, "float")};`),
    );
    kernel.line(`${shared}[${offset} + ${inner.code} * ${stride} + ${own.code}] = loaded;`);
  });
}

/** Loops of a fixed number of steps: compilers unroll them, and keep the sums in registers. */
function multiplyTiles(frame: SharedFrame, rights: Round["rights"], sums: string): void {
  const { kernel, work, shared, x, y, wide, down } = frame;
  const { tile } = work;
  kernel.block(`for (var k = 0; k < ${DEPTH}; k++)`, () => {
    kernel.line(`var a: array<f32, ${down}>;`);
    kernel.block(`for (var row = 0; row < ${down}; row++)`, () =>
      kernel.line(`a[row] = ${shared}[k * ${tile.rows + 1} + ${y.code} * ${down} + row];`),
    );
    rights.forEach(({ sum }, index) => {
      const at = `${offsetOf(tile, index)} + k * ${tile.columns + 1} + ${x.code} + column * ${wide}`;
      kernel.block(`for (var column = 0; column < ${tile.across}; column++)`, () => {
        kernel.line(`let b = ${shared}[${at}];`);
        kernel.block(`for (var row = 0; row < ${down}; row++)`, () =>
          kernel.line(`${sums}[${sum * down * tile.across} + row * ${tile.across} + column] += a[row] * b;`),
        );
      });
    });
  });
}

/** By way of shared memory, so that what is done with a position stands in the code once. */
function finishTile(frame: SharedFrame, sums: string, finish: FinishTile): void {
  const { kernel, work, shared, x, y, wide, down } = frame;
  const { tile } = work;
  const entries = tile.rows * tile.columns;
  kernel.line("workgroupBarrier();");
  for (let sum = 0; sum < work.sums; sum++) {
    kernel.block(`for (var entry = 0; entry < ${down * tile.across}; entry++)`, () => {
      const row = `(${y.code} * ${down} + entry / ${tile.across})`;
      const column = `${x.code} + entry % ${tile.across} * ${wide}`;
      const own = `${sums}[${sum * down * tile.across} + entry]`;
      kernel.line(`${shared}[${sum * entries} + ${row} * ${tile.columns} + ${column}] = ${own};`);
    });
  }
  kernel.line("workgroupBarrier();");
  kernel.block(`for (var item = thread; item < ${entries}; item += ${kernel.threads})`, () => {
    const here = kernel.depth();
    const item: Term = { code: "item", depth: here, dtype: "int" };
    const row = add(kernel, divide(kernel, item, integer(tile.columns)), frame.top);
    const column = add(kernel, remainder(kernel, item, integer(tile.columns)), frame.left);
    finishAt(frame, row, column, (sum) => `${shared}[${sum * entries} + item]`, finish);
  });
}

/** What is done with the sums at a row and a column, where these are inside. */
export function finishAt(
  { kernel, work, rows, columns, outer }: Frame,
  row: Term,
  column: Term,
  sumAt: (sum: number) => string,
  finish: FinishTile,
): void {
  const { around, m, n } = work;
  kernel.block(`if (${row.code} < ${rows.code} && ${column.code} < ${columns.code})`, () => {
    const inner = kernel.depth();
    const positions = new Map<string, Term>();
    const place = ({ axes }: Extent, at: Term, depth = inner): void => {
      const sizes = axes.map(({ size }) => size);
      const found = cut(kernel, sizes, { ...at, depth });
      axes.forEach(({ id }, index) => {
        positions.set(id, found[index] ?? integer(0));
      });
    };
    around.forEach((extent, at) => {
      place(extent, outer[at] ?? integer(0));
    });
    place(m, row);
    // What belongs to a column that all entries share is read before them.
    place(n, column, column.depth === 0 ? 0 : inner);
    const values = Array.from({ length: work.sums }, (_, sum) => kernel.bind(inner, "float", sumAt(sum), "value"));
    finish(kernel, positions, values);
  });
}
