import {
  block,
  branchIf,
  call,
  f32x4,
  type I32,
  i32,
  type Local,
  local,
  loop,
  type Procedure,
  type Statement,
  type V128,
  v128,
  when,
} from "./encode-code.ts";
import type { FunctionBuilder, ModuleBuilder } from "./encode-module.ts";
import { someFunction } from "./some.ts";

/**
 * Products of matrices by tiles that stay in registers: a tile of some rows times eight columns takes two vectors of the right
 * matrix and one number of each row of the left one at every step along k. x86-64 leaves 15 vector registers: with a multiply-add of
 * one instruction 6×8 fills them exactly (12 sums, 2 right, 1 left); without it a product needs one more, so 5×8.
 */

/** How the left matrix lies: its rows are runs of memory, or its columns are. */
export type LeftForm = "rows" | "columns";

/** What the functions below need to know of the variant. */
export interface Tiling {
  readonly module: ModuleBuilder;
  readonly relaxed: boolean;
  /** Whether the code is to be short rather than fast. */
  readonly compact: boolean;
}

/** Columns of a tile. */
export const PANEL = 8;

function mostRows({ relaxed }: Tiling): 5 | 6 {
  return relaxed ? 6 : 5;
}

/**
 * A product of a sum: out += left·right, as numbers in memory, in bytes where they are addresses and strides. The left stride leads from
 * row to row, or in form `columns` from column to column; the right one from k to k. Panels lie by fours: `four` leads from four to the
 * next four (by a panel's share), `panel` from each to the next among them.
 */
export const SEGMENT = { left: 0, right: 4, k: 8, leftStride: 12, rightStride: 16, four: 20, panel: 24 } as const;
export const SEGMENT_BYTES = 28;

/**
 * (segments, count, row, panel, out, outStride, width, add): a tile of the rows from `row` on and the columns of a panel, which starts at
 * `out`, of a sum of `count` products: sums that stay in registers until the last product is added. `width` columns of it are stored.
 */
const TILE_PARAMS = Array.from({ length: 8 }, () => "i32" as const);

function tileFunction(tiling: Tiling, form: LeftForm, rows: number): Procedure {
  return tiling.module.shared(`tile ${form} ${rows}`, TILE_PARAMS, "none", (builder) => {
    const [segment, count, row, panel, out, outStride, width, add] = paramsOf(builder, TILE_PARAMS.length);
    if (!segment || !count || !row || !panel || !out || !outStride || !width || !add) return;
    const sums = Array.from({ length: rows }, () => [builder.local("v128"), builder.local("v128")] as const);
    const [left, right, k] = [builder.local("i32"), builder.local("i32"), builder.local("i32")];
    const [leftStride, rightStride] = [builder.local("i32"), builder.local("i32")];
    const pointers = rowPointers(builder, form, rows, left, leftStride);
    const b0 = builder.local("v128");
    const b1 = builder.local("v128");
    const value = builder.local("v128");
    const field = (name: keyof typeof SEGMENT): I32 => i32.load(local.get(segment), SEGMENT[name]);
    const fours = i32.mul(i32.and(local.get(panel), i32.const(-4)), field("four"));
    const among = i32.mul(i32.and(local.get(panel), i32.const(3)), field("panel"));
    const rowStep = form === "rows" ? local.get(leftStride) : i32.const(4);
    const open = [
      local.set(leftStride, field("leftStride")),
      local.set(rightStride, field("rightStride")),
      local.set(left, i32.add(field("left"), i32.mul(local.get(row), rowStep))),
      local.set(right, i32.add(field("right"), i32.add(fours, among))),
      local.set(k, field("k")),
      ...pointers.statements,
    ];
    const step = (at: number): readonly Statement[] => {
      const parts: Statement[] = [
        local.set(b0, v128.load(local.get(right), 0)),
        local.set(b1, v128.load(local.get(right), 16)),
        local.set(right, i32.add(local.get(right), local.get(rightStride))),
      ];
      sums.forEach(([low, high], index) => {
        const pointer = pointers.locals[index] ?? left;
        parts.push(
          local.set(value, v128.load32Splat(local.get(pointer), form === "rows" ? 4 * at : 4 * index)),
          local.set(low, multiplyAdd(tiling, local.get(value), local.get(b0), local.get(low))),
          local.set(high, multiplyAdd(tiling, local.get(value), local.get(b1), local.get(high))),
        );
      });
      if (form === "columns") parts.push(local.set(left, i32.add(local.get(left), local.get(leftStride))));
      return parts;
    };
    const advance = (steps: number): readonly Statement[] =>
      form === "rows"
        ? pointers.locals.map((each) => local.set(each, i32.add(local.get(each), i32.const(4 * steps))))
        : [];
    const steps = (many: number): readonly Statement[] => [
      ...Array.from({ length: many }, (_, at) => step(at)).flat(),
      ...advance(many),
    ];
    builder.finish(
      ...sums.flat().map((sum) => local.set(sum, f32x4.const(0))),
      loop(
        ...open,
        repeatDown(k, 4, steps(4)),
        repeatDown(k, 1, steps(1)),
        local.set(segment, i32.add(local.get(segment), i32.const(SEGMENT_BYTES))),
        local.set(count, i32.sub(local.get(count), i32.const(1))),
        branchIf(0, local.get(count)),
      ),
      ...storeSums(tiling, sums, out, outStride, width, add),
    );
  });
}

function paramsOf(builder: FunctionBuilder, count: number): readonly (Local<"i32"> | undefined)[] {
  return Array.from({ length: count }, (_, index) => builder.param(index, "i32"));
}

/** One pointer a row where rows are far apart, one for all where they are next to one another. */
function rowPointers(
  builder: FunctionBuilder,
  form: LeftForm,
  rows: number,
  left: Local<"i32">,
  stride: Local<"i32">,
): { readonly locals: readonly Local<"i32">[]; readonly statements: readonly Statement[] } {
  if (form === "columns") return { locals: [], statements: [] };
  const locals = [left, ...Array.from({ length: rows - 1 }, () => builder.local("i32"))];
  const statements = locals
    .slice(1)
    .map((pointer, index) => local.set(pointer, i32.add(local.get(locals[index] ?? left), local.get(stride))));
  return { locals, statements };
}

export function multiplyAdd({ relaxed }: Tiling, a: V128, b: V128, c: V128): V128 {
  return relaxed ? f32x4.relaxedMultiplyAdd(a, b, c) : f32x4.add(c, f32x4.mul(a, b));
}

/** Repeats while `step` are left, and takes them away. */
function repeatDown(counter: Local<"i32">, step: number, body: readonly Statement[]): Statement {
  const few = i32.lt(local.get(counter), i32.const(step));
  return block(
    branchIf(0, few),
    loop(
      ...body,
      local.set(counter, i32.sub(local.get(counter), i32.const(step))),
      branchIf(0, i32.ge(local.get(counter), i32.const(step))),
    ),
  );
}

function storeSums(
  tiling: Tiling,
  sums: readonly (readonly [Local<"v128">, Local<"v128">])[],
  out: Local<"i32">,
  outStride: Local<"i32">,
  width: Local<"i32">,
  add: Local<"i32">,
): readonly Statement[] {
  const next = local.set(out, i32.add(local.get(out), local.get(outStride)));
  const rows = (store: (low: Local<"v128">, high: Local<"v128">) => readonly Statement[]): readonly Statement[] =>
    sums.flatMap(([low, high]) => [...store(low, high), next]);
  const plain = rows((low, high) => [
    v128.store(local.get(out), local.get(low)),
    v128.store(local.get(out), local.get(high), 16),
  ]);
  const adding = rows((low, high) => [
    v128.store(local.get(out), f32x4.add(v128.load(local.get(out)), local.get(low))),
    v128.store(local.get(out), f32x4.add(v128.load(local.get(out), 16), local.get(high)), 16),
  ]);
  const part = partFunction(tiling);
  // V8's revectorizer fails where a sum itself is an argument.
  const argument = (sum: Local<"v128">): V128 => v128.or(local.get(sum), f32x4.const(0));
  const narrow = rows((low, high) => [
    call(part, local.get(out), argument(low), argument(high), local.get(width), local.get(add)),
  ]);
  return [when(i32.eq(local.get(width), i32.const(PANEL)), [when(local.get(add), adding, plain)], narrow)];
}

/** (out, low, high, width, add): the first `width` of eight numbers, or all where there are more. */
export function partFunction({ module }: Tiling): Procedure {
  return module.shared("part of a row", ["i32", "v128", "v128", "i32", "i32"], "none", (builder) => {
    const out = local.get(builder.param(0, "i32"));
    const [low, high] = [builder.param(1, "v128"), builder.param(2, "v128")];
    const width = local.get(builder.param(3, "i32"));
    const add = local.get(builder.param(4, "i32"));
    const some = someFunction(module);
    builder.finish(
      when(add, [
        local.set(low, f32x4.add(v128.load(out), local.get(low))),
        local.set(high, f32x4.add(v128.load(out, 16), local.get(high))),
      ]),
      call(some, out, local.get(low), width),
      call(some, i32.add(out, i32.const(16)), local.get(high), i32.sub(width, i32.const(4))),
    );
  });
}

/**
 * (segments, count, row, end, panel, out, outStride, width, add): the rows from `row` to `end` of one panel of columns, tile by tile. What is
 * left over is cut so that no tile is small beside a large one: 7 rows are 4 and 3, never 6 and 1.
 */
export function sweepFunction(tiling: Tiling, form: LeftForm): Procedure {
  return tiling.module.shared(`sweep ${form}`, [...TILE_PARAMS, "i32"], "none", (builder) => {
    const [segments, count, row, end, panel, out, outStride, width, add] = paramsOf(builder, 9);
    if (!segments || !count || !row || !end || !panel || !out || !outStride || !width || !add) return;
    const most = mostRows(tiling);
    const left = i32.sub(local.get(end), local.get(row));
    const tile = (rows: number): readonly Statement[] => [
      call(
        tileFunction(tiling, form, rows),
        ...[segments, count, row, panel, out, outStride, width, add].map((each) => local.get(each)),
      ),
      local.set(row, i32.add(local.get(row), i32.const(rows))),
      local.set(out, i32.add(local.get(out), i32.mul(local.get(outStride), i32.const(rows)))),
    ];
    // Below 9 but the largest tile: 8 and 7 begin with 4, 6 is two of 3 where no tile has 6 rows.
    const is = (rows: number): I32 => i32.eq(left, i32.const(rows));
    const large = i32.or(i32.ge(left, i32.const(9)), is(most));
    const middle = i32.or(is(4), i32.ge(left, i32.const(7)));
    const anyOf = (): Statement => {
      const three = most === 6 ? [when(is(5), tile(5), tile(3))] : tile(3);
      const small = [when(is(1), tile(1), [when(is(2), tile(2), three)])];
      return when(large, tile(most), [when(middle, tile(4), small)]);
    };
    builder.finish(block(loop(branchIf(1, i32.le(left, i32.const(0))), anyOf(), branchIf(0, i32.const(1)))));
  });
}
