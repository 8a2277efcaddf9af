import { constantSize, multiplySizes, type Size } from "../../ir/size.ts";
import {
  CHUNK,
  type Extent,
  FEW_ROWS,
  type Pack,
  type Product,
  type ProductTerm,
  WIDE_PANEL,
} from "../../plan/product.ts";
import type { Loop, Value } from "../../plan/value.ts";
import { type Context, fixedSize } from "./context.ts";
import {
  branchIf,
  call,
  choose,
  type I32,
  i32,
  local,
  loop,
  type Procedure,
  type Statement,
  when,
} from "./encode-code.ts";
import { createKernel, type Kernel, type Scalar } from "./kernel.ts";
import { reduceKernel } from "./kernel-reduce.ts";
import { baseAddress } from "./memory.ts";
import { countUp, dotsFunction, matrixFunction, packFunction, rowFunction } from "./product-matrix.ts";
import { PANEL } from "./product-tile.ts";
import { vectorFunction } from "./product-vector.ts";
import { type Part, type Share, shareOfExtent } from "./share.ts";

/** A sum of products, each added to what those before it left. */
export function productsFunction(
  context: Context,
  output: Value,
  terms: readonly ProductTerm[],
  loops: readonly Loop[],
  share?: Share,
): Procedure {
  const parts = terms.map((term, index) => termKernel(context, output, term, { add: index > 0, loops, share }));
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const builder = context.module.function(
    `products ${output.name}`,
    loops.map(() => "i32" as const),
    "none",
  );
  const positions = loops.map((_, index) => local.get(builder.param(index, "i32")));
  builder.finish(...parts.map((part) => call(part, ...positions)));
  return builder.reference;
}

function termKernel(
  context: Context,
  output: Value,
  { value, product, pack }: ProductTerm,
  options: { readonly add: boolean; readonly loops: readonly Loop[]; readonly share: Share | undefined },
): Procedure {
  const { add, loops, share } = options;
  if (product === undefined) return reduceKernel(context, output, loops, { term: value, add, share });
  const kernel = createKernel(context, `product ${value.name}`, loops);
  const out = context.plan.places.get(output);
  if (out === undefined) throw new Error(`internal: %${output.name} has no place`);
  const bases = {
    left: baseAddress(kernel, product.left),
    right: baseAddress(kernel, product.right),
    out: baseAddress(kernel, out),
  };
  const shares: Shares = {
    rows: shareOfExtent(kernel, product.m, share),
    columns: shareOfExtent(kernel, product.n, share),
  };
  const write = (own: Product, packed: Pack | undefined, outer: Bases, adding: boolean): void =>
    writeProduct(kernel, { ...own, shares }, packed, startOf(kernel, own, shares, outer), adding);
  walk(kernel, product.around, share, bases, (outer) => {
    if (product.over.length === 0) {
      write(product, pack, outer, add);
      return;
    }
    // Zeros first, since there may be nothing to add.
    if (!add) write({ ...product, k: { ...product.k, size: constantSize(0) } }, undefined, outer, false);
    walk(kernel, product.over, undefined, outer, (inner) => write(product, pack, inner, true));
  });
  return kernel.finish();
}

interface Bases {
  readonly left: Scalar;
  readonly right: Scalar;
  readonly out: Scalar;
}

/** The rows and columns of the result that this thread computes. */
interface Shares {
  readonly rows: Part;
  readonly columns: Part;
}

/** A product, of which this thread computes a part. */
interface OwnProduct extends Product {
  readonly shares: Shares;
}

/** Where the rows and columns of this thread start. */
function startOf(kernel: Kernel, { m, n }: Product, { rows, columns }: Shares, bases: Bases): Bases {
  const moved = (base: Scalar, { first }: Part, stride: Size): Scalar =>
    kernel.add(base, kernel.multiply(first, bytes(kernel, stride)));
  return {
    left: moved(bases.left, rows, m.left),
    right: moved(bases.right, columns, n.right),
    out: moved(moved(bases.out, rows, m.out), columns, n.out),
  };
}

/** Loops over extents, with the addresses moved along. */
function walk(
  kernel: Kernel,
  extents: readonly Extent[],
  share: Share | undefined,
  bases: Bases,
  body: (bases: Bases) => void,
): void {
  const [extent, ...rest] = extents;
  if (extent === undefined) {
    body(bases);
    return;
  }
  const { first, count } = shareOfExtent(kernel, extent, share);
  kernel.loop(count, (index) => {
    const moved = (base: Scalar, stride: Size): Scalar =>
      kernel.add(base, kernel.multiply(kernel.add(first, index), bytes(kernel, stride)));
    const next = {
      left: moved(bases.left, extent.left),
      right: moved(bases.right, extent.right),
      out: moved(bases.out, extent.out),
    };
    walk(kernel, rest, share, next, body);
  });
}

function bytes(kernel: Kernel, stride: Size): Scalar {
  return kernel.size(multiplySizes(stride, constantSize(4)));
}

/** One product of matrices, by the number of rows that there are: few are products of vectors, many go by packed panels. */
function writeProduct(kernel: Kernel, product: OwnProduct, pack: Pack | undefined, bases: Bases, add: boolean): void {
  const rows = fixedSize(product.m.size);
  const enough = pack?.made === "once" ? 2 : FEW_ROWS;
  const many = manyRows(kernel, product, pack, bases, add);
  const few = pack?.made === "once" ? oneRow(kernel, product, pack, bases, add) : fewRows(kernel, product, bases, add);
  if (few.length === 0 || (rows !== undefined && rows >= enough)) kernel.emit(...many);
  else if (rows !== undefined) kernel.emit(...few);
  else kernel.emit(when(i32.lt(kernel.size(product.m.size).code, i32.const(enough)), few, many));
}

/** A single row, or none, by panels that are read in order. */
function oneRow(kernel: Kernel, product: OwnProduct, pack: Pack, bases: Bases, add: boolean): readonly Statement[] {
  const { left, out, m, n, k, leftStride } = partsOf(kernel, product, bases);
  const step = product.form === "rows" ? i32.const(4) : leftStride;
  const packed = panelsFrom(kernel, pack, product.shares, k);
  return [when(m, [call(vectorFunction(kernel.context), left, packed, out, n, k, step, i32.const(add ? 1 : 0))])];
}

interface Parts {
  readonly m: I32;
  readonly n: I32;
  readonly k: I32;
  /** From row to row, or in form `columns` from column to column. */
  readonly leftStride: I32;
  readonly rightRow: I32;
  readonly rightColumn: I32;
  readonly outStride: I32;
  readonly left: I32;
  readonly right: I32;
  readonly out: I32;
}

function partsOf(kernel: Kernel, { m, n, k, form, shares }: OwnProduct, bases: Bases): Parts {
  return {
    m: shares.rows.count.code,
    n: shares.columns.count.code,
    k: kernel.size(k.size).code,
    leftStride: bytes(kernel, form === "rows" ? m.left : k.left).code,
    rightRow: bytes(kernel, k.right).code,
    rightColumn: bytes(kernel, n.right).code,
    outStride: bytes(kernel, m.out).code,
    left: bases.left.code,
    right: bases.right.code,
    out: bases.out.code,
  };
}

/** Row by row, reading the right matrix as it lies; nothing where it lies so that this would be slow. */
function fewRows(kernel: Kernel, product: OwnProduct, bases: Bases, add: boolean): readonly Statement[] {
  const { left, right, out, m, n, k, leftStride, outStride, rightColumn, rightRow } = partsOf(kernel, product, bases);
  const rows = product.form === "rows";
  const row = kernel.variable("i32");
  const at = (base: I32, stride: I32): I32 => i32.add(base, i32.mul(local.get(row), stride));
  const from = at(left, rows ? leftStride : i32.const(4));
  const adding = i32.const(add ? 1 : 0);
  if (isOne(product.n.right)) {
    const step = rows ? i32.const(4) : leftStride;
    const write = call(rowFunction(kernel.context), from, right, at(out, outStride), n, k, step, rightRow, adding);
    return [countUp(row, 1, m, [write])];
  }
  if (!isOne(product.k.right) || !rows) return [];
  const write = call(dotsFunction(kernel.context), from, right, at(out, outStride), n, k, rightColumn, adding);
  return [countUp(row, 1, m, [write])];
}

function isOne(size: Size): boolean {
  return fixedSize(size) === 1;
}

/** The right matrix as it lies: its rows are runs of memory. */
function direct(kernel: Kernel, product: OwnProduct, parts: Parts, add: boolean): Statement {
  const { left, right, out, m, n, k, leftStride, rightRow, outStride } = parts;
  const panelStride = i32.const(4 * PANEL);
  return call(
    matrixFunction(kernel.context, product.form),
    ...[left, right, out, m, n, k, leftStride, panelStride, rightRow, outStride, i32.const(add ? 1 : 0)],
  );
}

function manyRows(
  kernel: Kernel,
  product: OwnProduct,
  pack: Pack | undefined,
  bases: Bases,
  add: boolean,
): readonly Statement[] {
  const parts = partsOf(kernel, product, bases);
  if (pack === undefined) return [direct(kernel, product, parts, add)];
  const packed = panelsFrom(kernel, pack, product.shares, parts.k);
  const adds = i32.const(add ? 1 : 0);
  if (pack.made === "once") {
    const column = kernel.variable("i32");
    const rest = i32.sub(parts.n, local.get(column));
    const group: Parts = {
      ...parts,
      n: choose(i32.lt(rest, i32.const(WIDE_PANEL)), rest, i32.const(WIDE_PANEL)),
      out: i32.add(parts.out, i32.shl(local.get(column), i32.const(2))),
    };
    const panel = i32.add(packed, i32.shl(i32.mul(local.get(column), parts.k), i32.const(2)));
    const strides = { panel: i32.const(4 * PANEL), row: 4 * WIDE_PANEL };
    return [
      countUp(column, WIDE_PANEL, parts.n, blocked(kernel, product, group, parts.left, panel, parts.k, adds, strides)),
    ];
  }
  if (pack.made === "before") return blocked(kernel, product, parts, parts.left, packed, parts.k, adds);
  const first = kernel.variable("i32");
  const depth = kernel.variable("i32");
  const rest = i32.sub(parts.k, local.get(first));
  const leftStep = product.form === "rows" ? i32.const(4) : parts.leftStride;
  const left = i32.add(parts.left, i32.mul(local.get(first), leftStep));
  const right = i32.add(parts.right, i32.mul(local.get(first), parts.rightRow));
  const adding = add ? i32.const(1) : i32.gt(local.get(first), i32.const(0));
  return [
    local.set(first, i32.const(0)),
    loop(
      local.set(depth, choose(i32.lt(rest, i32.const(CHUNK)), rest, i32.const(CHUNK))),
      call(
        packFunction(kernel.context, PANEL),
        right,
        packed,
        parts.n,
        local.get(depth),
        parts.rightColumn,
        parts.rightRow,
      ),
      ...blocked(kernel, product, parts, left, packed, local.get(depth), adding),
      local.set(first, i32.add(local.get(first), i32.const(CHUNK))),
      branchIf(0, i32.lt(local.get(first), parts.k)),
    ),
  ];
}

/** Rows by blocks that stay in the nearest cache while all panels pass. */
function blocked(
  kernel: Kernel,
  product: OwnProduct,
  parts: Parts,
  left: I32,
  packed: I32,
  k: I32,
  add: I32,
  strides = { panel: i32.shl(k, i32.const(5)), row: 4 * PANEL },
): readonly Statement[] {
  const { m, n, leftStride, outStride, out } = parts;
  const depth = Math.min(fixedSize(product.k.size) ?? CHUNK, CHUNK);
  const rows = Math.max(1, Math.floor(CACHE / (4 * Math.max(depth, 1)) / ROWS)) * ROWS;
  const row = kernel.variable("i32");
  const rest = i32.sub(m, local.get(row));
  const leftStep = product.form === "rows" ? leftStride : i32.const(4);
  return [
    countUp(row, rows, m, [
      call(
        matrixFunction(kernel.context, product.form),
        ...[i32.add(left, i32.mul(local.get(row), leftStep)), packed, i32.add(out, i32.mul(local.get(row), outStride))],
        ...[choose(i32.lt(rest, i32.const(rows)), rest, i32.const(rows)), n, k, leftStride, strides.panel],
        ...[i32.const(strides.row), outStride, add],
      ),
    ]),
  ];
}

/** What of the left matrix is to stay in the nearest cache, in bytes. */
const CACHE = 32768;
/** A block's rows are a multiple of what tiles take. */
const ROWS = 12;

/** Where the panels of this thread's columns start, in what is packed whole. */
function panelsFrom(kernel: Kernel, { buffer, made }: Pack, { columns }: Shares, k: I32): I32 {
  const packed = kernel.cell(buffer.cell).code;
  const { first } = columns;
  if (first.constant === 0 || made === "when needed") return packed;
  return kernel.bind(kernel.depth(), i32.add(packed, i32.mul(i32.shl(first.code, i32.const(2)), k)));
}

/**
 * Lays out a right matrix as panels, once for all runs or for the loop that follows: for that, nothing is done where there are too few rows
 * to use it.
 */
export function packKernel(
  context: Context,
  product: Product,
  pack: Pack,
  loops: readonly Loop[],
  share?: Share,
): Procedure {
  const kernel = createKernel(context, "pack", loops);
  const shares: Shares = {
    rows: shareOfExtent(kernel, product.m, undefined),
    columns: shareOfExtent(kernel, product.n, share),
  };
  const base = baseAddress(kernel, product.right);
  const { right } = startOf(kernel, product, shares, { left: base, right: base, out: base });
  const k = kernel.size(product.k.size).code;
  const pack_ = call(
    packFunction(context, pack.made === "once" ? WIDE_PANEL : PANEL),
    right.code,
    panelsFrom(kernel, pack, shares, k),
    shares.columns.count.code,
    k,
    bytes(kernel, product.n.right).code,
    bytes(kernel, product.k.right).code,
  );
  const fixed = fixedSize(product.m.size);
  if (fixed !== undefined || pack.made === "once") kernel.emit(pack_);
  else kernel.emit(when(i32.ge(kernel.size(product.m.size).code, i32.const(FEW_ROWS)), [pack_]));
  return kernel.finish();
}
