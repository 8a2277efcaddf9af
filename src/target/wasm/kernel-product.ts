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
import type { Products } from "../../plan/product-run.ts";
import type { Loop, Value } from "../../plan/value.ts";
import { describeKernel, type Likeness } from "./alike.ts";
import { type Context, fixedSize, MOST_SEGMENTS } from "./context.ts";
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
import { alikeKernel, createKernel, type Kernel, type Scalar } from "./kernel.ts";
import { placeOf } from "./kernel-map.ts";
import { reduceKernel } from "./kernel-reduce.ts";
import { baseAddress } from "./memory.ts";
import { countUp, dotsFunction, matrixFunction, packFunction, rowFunction } from "./product-matrix.ts";
import { PANEL, SEGMENT, SEGMENT_BYTES } from "./product-tile.ts";
import { vectorFunction } from "./product-vector.ts";
import { type Part, type Share, shareOfExtent } from "./share.ts";

/** A sum of products: those that suit each other together, each group added to what those before it left. */
export function productsFunction(
  context: Context,
  output: Value,
  terms: readonly ProductTerm[],
  loops: readonly Loop[],
  share?: Share,
): Procedure {
  const parts = groupsOf(terms).map((group, index) => {
    const options = { add: index > 0, loops, share };
    return "value" in group
      ? termKernel(context, output, group, options)
      : groupKernel(context, output, group, options);
  });
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

/** Several actions, each of one product, whose right matrix is the same and is packed part by part. */
export function sharedFunction(context: Context, actions: readonly Products[]): Procedure {
  const names = actions.map(({ output }) => output.name);
  const kernel = createKernel(context, `products ${names.join(" ")}`, []);
  const products = actions.flatMap(({ output, terms }): readonly Placed[] => {
    const product = terms[0]?.product;
    if (product === undefined) return [];
    const shares = sharesOf(kernel, product, undefined);
    const bases = {
      left: baseAddress(kernel, product.left),
      right: baseAddress(kernel, product.right),
      out: baseAddress(kernel, placeOf(context, output)),
    };
    return [{ product: { ...product, shares }, bases, add: false }];
  });
  const pack = actions[0]?.terms[0]?.pack;
  if (pack === undefined) throw new Error("internal: products share nothing");
  kernel.emit(...chunked(kernel, pack, products));
  return kernel.finish();
}

interface Packed {
  readonly product: Product;
  readonly pack: Pack;
}

/** Products whose sums stay in registers from one to the next, or a term by itself. */
type Group = ProductTerm | readonly Packed[];

function groupsOf(terms: readonly ProductTerm[]): readonly Group[] {
  const groups: (ProductTerm | Packed[])[] = [];
  for (const term of terms) {
    const packed = packedWhole(term);
    const before = groups.find(
      (group): group is Packed[] =>
        Array.isArray(group) && group.length < MOST_SEGMENTS && group.every((other) => packed && suit(other, packed)),
    );
    if (packed === undefined) groups.push(term);
    else if (before === undefined) groups.push([packed]);
    else before.push(packed);
  }
  return groups;
}

/** A single product of matrices whose right one is packed already. */
function packedWhole({ product, pack }: ProductTerm): Packed | undefined {
  if (product === undefined || pack === undefined || pack.made === "when needed") return undefined;
  return product.around.length + product.over.length === 0 ? { product, pack } : undefined;
}

function suit(a: Packed, b: Packed): boolean {
  const sizes = ({ product: { m, n } }: Packed): string =>
    [...[m.size, m.out, n.size].map(({ text }) => text), ...[...m.axes, ...n.axes].map(({ id }) => id)].join(" ");
  return a.product.form === b.product.form && a.pack.made === b.pack.made && sizes(a) === sizes(b);
}

interface Options {
  readonly add: boolean;
  readonly loops: readonly Loop[];
  readonly share: Share | undefined;
}

function groupKernel(context: Context, output: Value, group: readonly Packed[], options: Options): Procedure {
  const { loops } = options;
  const likeness = likenessOf(context, output, group, options);
  return alikeKernel(context, `product ${output.name}`, loops, likeness, (kernel) => {
    writeGroup(kernel, output, group, options);
  });
}

/** What a sum of products does; undefined where threads share it. */
function likenessOf(
  { plan, threads }: Context,
  output: Value,
  products: readonly { readonly product: Product; readonly pack: Pack | undefined }[],
  { add, loops, share }: Options,
): Likeness | undefined {
  if (threads !== undefined || share !== undefined) return undefined;
  const description = describeKernel(plan, loops);
  description.text(`products ${add}`);
  for (const { product, pack } of products) {
    description.product(product);
    if (pack !== undefined) description.pack(pack);
  }
  description.output(output);
  return description.finish();
}

function writeGroup(kernel: Kernel, output: Value, group: readonly Packed[], { add, share }: Options): void {
  const { context } = kernel;
  const [first] = group;
  if (first === undefined) throw new Error("internal: a group of products is empty");
  const out = baseAddress(kernel, placeOf(context, output));
  const shares = sharesOf(kernel, first.product, share);
  const terms = group.map(({ product, pack }) => {
    const bases = { left: baseAddress(kernel, product.left), right: baseAddress(kernel, product.right), out };
    const own: OwnProduct = { ...product, shares };
    return { product: own, pack, bases: startOf(kernel, product, shares, bases) };
  });
  const once = first.pack.made === "once";
  const few = terms.map(({ product, pack, bases }, index) => {
    const adds = add || index > 0;
    return once ? oneRow(kernel, product, pack, bases, adds) : fewRows(kernel, product, bases, adds);
  });
  const segments = terms.flatMap(({ product, pack, bases }, index) =>
    writeSegment(kernel, product, pack, bases, index),
  );
  const start = terms[0]?.bases.out ?? out;
  const products = terms.map(({ product }) => product);
  const many = [...segments, ...blocked(kernel, products, start.code, i32.const(add ? 1 : 0))];
  chooseByRows(kernel, first.product, once ? 2 : FEW_ROWS, few.some((one) => one.length === 0) ? [] : few.flat(), many);
}

function termKernel(
  context: Context,
  output: Value,
  { value, product, pack }: ProductTerm,
  options: Options,
): Procedure {
  const { add, loops, share } = options;
  if (product === undefined) return reduceKernel(context, output, loops, { term: value, add, share });
  const likeness = likenessOf(context, output, [{ product, pack }], options);
  return alikeKernel(context, `product ${value.name}`, loops, likeness, (kernel) => {
    writeTerm(kernel, output, { product, pack }, options);
  });
}

function writeTerm(
  kernel: Kernel,
  output: Value,
  { product, pack }: { readonly product: Product; readonly pack: Pack | undefined },
  { add, share }: Options,
): void {
  const bases = {
    left: baseAddress(kernel, product.left),
    right: baseAddress(kernel, product.right),
    out: baseAddress(kernel, placeOf(kernel.context, output)),
  };
  const shares = sharesOf(kernel, product, share);
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

function sharesOf(kernel: Kernel, { m, n }: Product, share: Share | undefined): Shares {
  return { rows: shareOfExtent(kernel, m, share), columns: shareOfExtent(kernel, n, share) };
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

/** One product of matrices. */
function writeProduct(kernel: Kernel, product: OwnProduct, pack: Pack | undefined, bases: Bases, add: boolean): void {
  const once = pack?.made === "once";
  const many = manyRows(kernel, product, pack, bases, add);
  const few = once ? oneRow(kernel, product, pack, bases, add) : fewRows(kernel, product, bases, add);
  chooseByRows(kernel, product, once ? 2 : FEW_ROWS, few, many);
}

/** By the number of rows that there are: few are products of vectors, many go by packed panels. Other threads' rows count. */
function chooseByRows(
  kernel: Kernel,
  { m }: Product,
  enough: number,
  few: readonly Statement[],
  many: readonly Statement[],
): void {
  const rows = fixedSize(m.size);
  if (few.length === 0 || (rows !== undefined && rows >= enough)) kernel.emit(...many);
  else if (rows !== undefined) kernel.emit(...few);
  else kernel.emit(when(i32.lt(kernel.size(m.size).code, i32.const(enough)), few, many));
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

function manyRows(
  kernel: Kernel,
  product: OwnProduct,
  pack: Pack | undefined,
  bases: Bases,
  add: boolean,
): readonly Statement[] {
  const adds = i32.const(add ? 1 : 0);
  if (pack?.made !== "when needed") {
    return [...writeSegment(kernel, product, pack, bases, 0), ...blocked(kernel, [product], bases.out.code, adds)];
  }
  return chunked(kernel, pack, [{ product, bases, add }]);
}

interface Placed {
  readonly product: OwnProduct;
  readonly bases: Bases;
  readonly add: boolean;
}

/** Products with the same right matrix, a part of k after the other: each part is packed once for all of them. */
function chunked(kernel: Kernel, pack: Pack, products: readonly Placed[]): readonly Statement[] {
  const [shared] = products;
  if (shared === undefined) return [];
  const { k, n, right, rightColumn, rightRow } = partsOf(kernel, shared.product, shared.bases);
  const packed = panelsFrom(kernel, pack, shared.product.shares, k);
  const first = kernel.variable("i32");
  const depth = kernel.variable("i32");
  const rest = i32.sub(k, local.get(first));
  const from = i32.add(right, i32.mul(local.get(first), rightRow));
  const share = i32.shl(local.get(depth), i32.const(5));
  const tiles = products.flatMap(({ product, bases, add }) => {
    const parts = partsOf(kernel, product, bases);
    const leftStep = product.form === "rows" ? i32.const(4) : parts.leftStride;
    const segment = storeSegment(kernel, 0, {
      left: i32.add(parts.left, i32.mul(local.get(first), leftStep)),
      right: packed,
      k: local.get(depth),
      leftStride: parts.leftStride,
      rightStride: i32.const(4 * PANEL),
      four: share,
      panel: share,
    });
    const adding = add ? i32.const(1) : i32.gt(local.get(first), i32.const(0));
    return [...segment, ...blocked(kernel, [product], parts.out, adding)];
  });
  return [
    local.set(first, i32.const(0)),
    loop(
      local.set(depth, choose(i32.lt(rest, i32.const(CHUNK)), rest, i32.const(CHUNK))),
      call(packFunction(kernel.context, PANEL), from, packed, n, local.get(depth), rightColumn, rightRow),
      ...tiles,
      local.set(first, i32.add(local.get(first), i32.const(CHUNK))),
      branchIf(0, i32.lt(local.get(first), k)),
    ),
  ];
}

/** Describes a product to the tiles: its right matrix packed whole, or as it lies where its rows are runs of memory. */
function writeSegment(
  kernel: Kernel,
  product: OwnProduct,
  pack: Pack | undefined,
  bases: Bases,
  index: number,
): readonly Statement[] {
  const { left, right, k, leftStride, rightRow } = partsOf(kernel, product, bases);
  const panel = i32.const(4 * PANEL);
  if (pack === undefined) {
    return storeSegment(kernel, index, { left, right, k, leftStride, rightStride: rightRow, four: panel, panel });
  }
  const share = i32.shl(k, i32.const(5));
  const packed = { left, right: panelsFrom(kernel, pack, product.shares, k), k, leftStride, four: share };
  return storeSegment(
    kernel,
    index,
    pack.made === "once"
      ? { ...packed, rightStride: i32.const(4 * WIDE_PANEL), panel }
      : { ...packed, rightStride: panel, panel: share },
  );
}

function storeSegment(
  kernel: Kernel,
  index: number,
  fields: Readonly<Record<keyof typeof SEGMENT, I32>>,
): readonly Statement[] {
  const names = Object.keys(SEGMENT).filter((name): name is keyof typeof SEGMENT => name in SEGMENT);
  const { code } = kernel.segments();
  return names.map((name) => i32.store(code, fields[name], index * SEGMENT_BYTES + SEGMENT[name]));
}

/** Sums of products by blocks of rows that stay in the nearest caches while all panels pass. */
function blocked(kernel: Kernel, products: readonly OwnProduct[], out: I32, add: I32): readonly Statement[] {
  const [first] = products;
  if (first === undefined) return [];
  const depth = products.reduce((sum, { k }) => sum + Math.min(fixedSize(k.size) ?? CHUNK, CHUNK), 0);
  const rows = Math.max(1, Math.floor(CACHE / (4 * Math.max(depth, 1)) / ROWS)) * ROWS;
  const { rows: own, columns } = first.shares;
  const [m, n] = [own.count.code, columns.count.code];
  const outStride = bytes(kernel, first.m.out).code;
  const row = kernel.variable("i32");
  const next = i32.add(local.get(row), i32.const(rows));
  return [
    countUp(row, rows, m, [
      call(
        matrixFunction(kernel.context, first.form),
        ...[kernel.segments().code, i32.const(products.length), local.get(row)],
        ...[choose(i32.lt(next, m), next, m), n, i32.add(out, i32.mul(local.get(row), outStride)), outStride, add],
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
  const { plan, threads } = context;
  const description = describeKernel(plan, loops);
  description.text("pack");
  description.product(product);
  description.pack(pack);
  const likeness = threads === undefined && share === undefined ? description.finish() : undefined;
  return alikeKernel(context, "pack", loops, likeness, (kernel) => writePack(kernel, product, pack, share));
}

function writePack(kernel: Kernel, product: Product, pack: Pack, share: Share | undefined): void {
  const { context } = kernel;
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
  const isMany = pack.rows.map((rows) => i32.ge(kernel.size(rows).code, i32.const(FEW_ROWS)));
  if (pack.made === "once") kernel.emit(pack_);
  else kernel.emit(when(isMany.reduce(i32.or, i32.const(0)), [pack_]));
}
