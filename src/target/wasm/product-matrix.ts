import type { WIDE_PANEL } from "../../plan/product.ts";
import {
  block,
  branchIf,
  call,
  choose,
  f32x4,
  type I32,
  i32,
  type Local,
  local,
  loop,
  memoryFill,
  type Procedure,
  type Statement,
  shuffle32,
  type V128,
  v128,
  when,
} from "./encode-code.ts";
import type { FunctionBuilder } from "./encode-module.ts";
import { shortMatrixFunction } from "./product-short.ts";
import { type LeftForm, PANEL, sweepFunction, type Tiling } from "./product-tile.ts";

/** An i32 variable that counts from 0 in steps while it is below an end. */
export function countUp(counter: Local<"i32">, step: number, end: I32, body: readonly Statement[]): Statement {
  return block(
    local.set(counter, i32.const(0)),
    branchIf(0, i32.ge(local.get(counter), end)),
    loop(
      ...body,
      local.set(counter, i32.add(local.get(counter), i32.const(step))),
      branchIf(0, i32.lt(local.get(counter), end)),
    ),
  );
}

function params(builder: FunctionBuilder, count: number): (index: number) => I32 {
  const locals = Array.from({ length: count }, (_, index) => builder.param(index, "i32"));
  return (index) => {
    const found = locals[index];
    if (found === undefined) throw new Error(`internal: a function has no param ${index}`);
    return local.get(found);
  };
}

const I32S = (count: number): readonly "i32"[] => Array.from({ length: count }, () => "i32" as const);

/**
 * (segments, count, row, end, n, out, outStride, add): out[m, n] (+)= the sum of `count` products, for the rows from `row` to `end`, panel by
 * panel of eight columns. `out` is where the row `row` starts.
 */
export function matrixFunction(tiling: Tiling, form: LeftForm): Procedure {
  if (tiling.compact) return shortMatrixFunction(tiling, form);
  return tiling.module.shared(`matrix ${form}`, I32S(8), "none", (builder) => {
    const at = params(builder, 8);
    const [segments, count, row, end, n, out, outStride, add] = [
      at(0),
      at(1),
      at(2),
      at(3),
      at(4),
      at(5),
      at(6),
      at(7),
    ];
    const column = builder.local("i32");
    const rest = i32.sub(n, local.get(column));
    const panel = i32.shrUnsigned(local.get(column), i32.const(3));
    const width = choose(i32.lt(rest, i32.const(PANEL)), rest, i32.const(PANEL));
    const place = i32.add(out, i32.shl(local.get(column), i32.const(2)));
    builder.finish(
      countUp(column, PANEL, n, [
        call(sweepFunction(tiling, form), segments, count, row, end, panel, place, outStride, width, add),
      ]),
    );
  });
}

/**
 * (from, to, n, k, columnStride, rowStride): the matrix [k, n] as panels [n/8][k][8], or wide ones [n/32][k][32]. The last eight columns
 * repeat the last one. Strides in bytes: `columnStride` from n to n, `rowStride` from k to k.
 */
export function packFunction(tiling: Tiling, panel: typeof PANEL | typeof WIDE_PANEL): Procedure {
  return tiling.module.shared(`pack ${panel}`, I32S(6), "none", (builder) => {
    const at = params(builder, 6);
    const [from, n, k, columnStride, rowStride] = [at(0), at(2), at(3), at(4), at(5)];
    const column = builder.local("i32");
    const step = builder.local("i32");
    const start = at(1);
    const to = builder.local("i32");
    const inside = i32.and(local.get(column), i32.const(panel - 1));
    const place = i32.add(i32.mul(i32.sub(local.get(column), inside), k), inside);
    const pointers = Array.from({ length: PANEL }, () => builder.local("i32"));
    const last = i32.sub(n, i32.const(1));
    const starts = pointers.map((pointer, lane) => {
      const own = i32.add(local.get(column), i32.const(lane));
      return local.set(pointer, i32.add(from, i32.mul(choose(i32.lt(own, n), own, last), columnStride)));
    });
    const forward = pointers.map((pointer) => local.set(pointer, i32.add(local.get(pointer), rowStride)));
    const gathered = (first: number): V128 =>
      [1, 2, 3].reduce<V128>(
        (code, lane) => v128.load32Lane(local.get(pointers[first + lane] ?? step), code, lane),
        v128.load32Zero(local.get(pointers[first] ?? step)),
      );
    const next = local.set(to, i32.add(local.get(to), i32.const(4 * panel)));
    const lane = pointers[0] ?? step;
    const other = builder.local("i32");
    const fits = (columns: number): I32 =>
      i32.and(i32.eq(columnStride, i32.const(4)), i32.le(i32.add(local.get(column), i32.const(columns)), n));
    const copy = (target: Local<"i32">, bytes: number): readonly Statement[] =>
      [0, 16].map((half) => v128.store(local.get(target), v128.load(local.get(lane), bytes + half), half));
    const down = [local.set(lane, i32.add(local.get(lane), rowStride)), next];
    const single = countUp(step, 1, k, [...copy(to, 0), ...down]);
    // Two panels are one line of the cache.
    const double = [
      local.set(other, i32.add(local.get(to), panel === PANEL ? i32.shl(k, i32.const(5)) : i32.const(4 * PANEL))),
      countUp(step, 1, k, [
        ...copy(to, 0),
        ...copy(other, 4 * PANEL),
        local.set(other, i32.add(local.get(other), i32.const(4 * panel))),
        ...down,
      ]),
      local.set(column, i32.add(local.get(column), i32.const(PANEL))),
    ];
    const gather = countUp(step, 1, k, [
      v128.store(local.get(to), gathered(0)),
      v128.store(local.get(to), gathered(4), 16),
      ...forward,
      next,
    ]);
    builder.finish(
      countUp(column, PANEL, n, [
        ...starts,
        local.set(to, i32.add(start, i32.shl(place, i32.const(2)))),
        tiling.compact ? gather : when(fits(2 * PANEL), double, [when(fits(PANEL), [single], [gather])]),
      ]),
    );
  });
}

/** Rows of the right matrix that are added to a row of the result in one go. */
const SWEEP = 8;

/**
 * (left, right, out, n, k, leftStep, rightStride, add): one row, out[n] (+)= Σ_k left[k]·right[k][n], for a right matrix whose rows are
 * runs of memory: they are read in order, eight at a time. `leftStep` leads from k to k, in bytes.
 */
export function rowFunction(tiling: Tiling): Procedure {
  return tiling.module.shared("row", I32S(8), "none", (builder) => {
    const at = params(builder, 8);
    const [out, n, leftStep, rightStride, add] = [at(2), at(3), at(5), at(6), at(7)];
    const [left, right, k] = [builder.param(0, "i32"), builder.param(1, "i32"), builder.param(4, "i32")];
    const values = Array.from({ length: SWEEP }, () => builder.local("v128"));
    const pointers = Array.from({ length: SWEEP }, () => builder.local("i32"));
    const [column, target] = [builder.local("i32"), builder.local("i32")];
    const sum = builder.local("v128");
    const multiplyAdd = (value: Local<"v128">, other: V128): Statement =>
      local.set(
        sum,
        tiling.relaxed
          ? f32x4.relaxedMultiplyAdd(local.get(value), other, local.get(sum))
          : f32x4.add(local.get(sum), f32x4.mul(local.get(value), other)),
      );
    const forward = (count: number, bytes: number): readonly Statement[] =>
      [...pointers.slice(0, count), target].map((pointer) =>
        local.set(pointer, i32.add(local.get(pointer), i32.const(bytes))),
      );
    const pass = (count: number): readonly Statement[] => {
      const start = values
        .slice(0, count)
        .flatMap((value, row) => [
          local.set(value, v128.load32Splat(local.get(left))),
          local.set(left, i32.add(local.get(left), leftStep)),
          local.set(pointers[row] ?? target, local.get(right)),
          local.set(right, i32.add(local.get(right), rightStride)),
        ]);
      const wide = [
        local.set(sum, v128.load(local.get(target))),
        ...values
          .slice(0, count)
          .map((value, row) => multiplyAdd(value, v128.load(local.get(pointers[row] ?? target)))),
        v128.store(local.get(target), local.get(sum)),
        ...forward(count, 16),
      ];
      const single = [
        local.set(sum, v128.load32Zero(local.get(target))),
        ...values
          .slice(0, count)
          .map((value, row) => multiplyAdd(value, v128.load32Zero(local.get(pointers[row] ?? target)))),
        v128.store32Lane(local.get(target), local.get(sum), 0),
        ...forward(count, 4),
      ];
      const fours = i32.and(n, i32.const(-4));
      return [
        ...start,
        local.set(target, out),
        countUp(column, 4, fours, wide),
        countUp(column, 1, i32.sub(n, fours), single),
        local.set(k, i32.sub(local.get(k), i32.const(count))),
      ];
    };
    const repeat = (count: number): Statement =>
      block(loop(branchIf(1, i32.lt(local.get(k), i32.const(count))), ...pass(count), branchIf(0, i32.const(1))));
    builder.finish(
      when(i32.eqz(add), [memoryFill(out, i32.const(0), i32.shl(n, i32.const(2)))]),
      repeat(SWEEP),
      repeat(1),
    );
  });
}

/** Rows of the right matrix that are summed side by side. */
const DOTS = 4;

/**
 * (left, right, out, n, k, columnStride, add): one row, out[n] (+)= Σ_k left[k]·right[n][k], for a right matrix that lies column by
 * column: every number of it is read once, in order, so nothing is packed. Four sums of four lanes each, twice over.
 */
export function dotsFunction(tiling: Tiling): Procedure {
  return tiling.module.shared("dots", I32S(7), "none", (builder) => {
    const at = params(builder, 7);
    const [left, right, out, n, k, columnStride, add] = [at(0), at(1), at(2), at(3), at(4), at(5), at(6)];
    const column = builder.local("i32");
    const step = builder.local("i32");
    const a = builder.local("i32");
    const pointers = Array.from({ length: DOTS }, () => builder.local("i32"));
    const sums = pointers.map(() => [builder.local("v128"), builder.local("v128")] as const);
    const values = [builder.local("v128"), builder.local("v128")] as const;
    const last = i32.sub(n, i32.const(1));
    const start = pointers.map((pointer, each) => {
      const own = i32.add(local.get(column), i32.const(each));
      return local.set(pointer, i32.add(right, i32.mul(choose(i32.lt(own, n), own, last), columnStride)));
    });
    const multiplyAdd = (x: V128, y: V128, sum: Local<"v128">): Statement =>
      local.set(
        sum,
        tiling.relaxed ? f32x4.relaxedMultiplyAdd(x, y, local.get(sum)) : f32x4.add(local.get(sum), f32x4.mul(x, y)),
      );
    const forward = (bytes: number): readonly Statement[] =>
      [a, ...pointers].map((pointer) => local.set(pointer, i32.add(local.get(pointer), i32.const(bytes))));
    const wide = [
      ...values.map((value, half) => local.set(value, v128.load(local.get(a), 16 * half))),
      ...pointers.flatMap((pointer, each) =>
        values.map((value, half) =>
          multiplyAdd(local.get(value), v128.load(local.get(pointer), 16 * half), sums[each]?.[half] ?? value),
        ),
      ),
      ...forward(32),
    ];
    const single = [
      local.set(values[0], v128.load32Zero(local.get(a))),
      ...pointers.map((pointer, each) =>
        multiplyAdd(local.get(values[0]), v128.load32Zero(local.get(pointer)), sums[each]?.[0] ?? values[0]),
      ),
      ...forward(4),
    ];
    const eights = i32.and(k, i32.const(-8));
    const total = builder.local("v128");
    const target = i32.add(out, i32.shl(local.get(column), i32.const(2)));
    const stores = [0, 1, 2, 3].map((lane) =>
      when(i32.lt(i32.add(local.get(column), i32.const(lane)), n), [
        when(add, [local.set(total, addLane(total, target, lane))]),
        v128.store32Lane(target, local.get(total), lane, 4 * lane),
      ]),
    );
    builder.finish(
      countUp(column, DOTS, n, [
        ...start,
        local.set(a, left),
        ...sums.flat().map((sum) => local.set(sum, f32x4.const(0))),
        countUp(step, 8, eights, wide),
        countUp(step, 1, i32.sub(k, eights), single),
        local.set(
          total,
          acrossFour(
            builder,
            sums.map(([low, high]) => f32x4.add(local.get(low), local.get(high))),
          ),
        ),
        ...stores,
      ]),
    );
  });
}

function addLane(total: Local<"v128">, target: I32, lane: number): V128 {
  const before = v128.load32Lane(target, f32x4.const(0), lane, 4 * lane);
  return f32x4.add(local.get(total), before);
}

/** The sums of four vectors' lanes, one in each lane. */
function acrossFour(builder: FunctionBuilder, vectors: readonly V128[]): V128 {
  const [a, b, c, d] = vectors.map((vector) => keep(builder, vector));
  if (!a || !b || !c || !d) throw new Error("internal: four vectors are added up at a time");
  const pairs = (x: Kept, y: Kept): V128 =>
    f32x4.add(shuffle32(x.first, y.first, [0, 4, 2, 6]), shuffle32(x.again, y.again, [1, 5, 3, 7]));
  const low = keep(builder, pairs(a, b));
  const high = keep(builder, pairs(c, d));
  return f32x4.add(shuffle32(low.first, high.first, [0, 1, 4, 5]), shuffle32(low.again, high.again, [2, 3, 6, 7]));
}

interface Kept {
  /** Computes it. */
  readonly first: V128;
  readonly again: V128;
}

function keep(builder: FunctionBuilder, code: V128): Kept {
  const variable = builder.local("v128");
  return { first: local.tee(variable, code), again: local.get(variable) };
}
