import {
  block,
  branchIf,
  call,
  choose,
  f32,
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

/**
 * Products of matrices by tiles that stay in registers: a tile of some rows times eight columns takes two vectors of the right
 * matrix and one number of each row of the left one at every step along k. x86-64 leaves 15 vector registers: with a multiply-add of
 * one instruction 6×8 fills them exactly (12 sums, 2 right, 1 left); without it a product needs one more, so 4×8.
 */

/** How the left matrix lies: its rows are runs of memory, or its columns are. */
export type LeftForm = "rows" | "columns";

/** What the functions below need to know of the variant. */
export interface Tiling {
  readonly module: ModuleBuilder;
  readonly relaxed: boolean;
}

/** Columns of a tile. */
export const PANEL = 8;

function mostRows({ relaxed }: Tiling): number {
  return relaxed ? 6 : 4;
}

/**
 * (left, right, out, k, leftStride, rightStride, outStride, width, add): out[r, 0 … width-1] (+)= Σ_k left[r, k]·right[k, …]. Addresses
 * and strides in bytes; `leftStride` leads from row to row, or in form `columns` from column to column; `rightStride` from k to k.
 */
const TILE_PARAMS = Array.from({ length: 9 }, () => "i32" as const);

function tileFunction(tiling: Tiling, form: LeftForm, rows: number): Procedure {
  return tiling.module.shared(`tile ${form} ${rows}`, TILE_PARAMS, "none", (builder) => {
    const [left, right, out, k, leftStride, rightStride, outStride, width, add] = paramsOf(builder, TILE_PARAMS.length);
    if (!left || !right || !out || !k || !leftStride || !rightStride || !outStride || !width || !add) return;
    const sums = Array.from({ length: rows }, () => [builder.local("v128"), builder.local("v128")] as const);
    const pointers = rowPointers(builder, form, rows, left, leftStride);
    const b0 = builder.local("v128");
    const b1 = builder.local("v128");
    const value = builder.local("v128");
    const step = (at: number): readonly Statement[] => {
      const parts: Statement[] = [
        local.set(b0, v128.load(local.get(right), 0)),
        local.set(b1, v128.load(local.get(right), 16)),
        local.set(right, i32.add(local.get(right), local.get(rightStride))),
      ];
      sums.forEach(([low, high], row) => {
        const pointer = pointers.locals[row] ?? left;
        parts.push(
          local.set(value, v128.load32Splat(local.get(pointer), form === "rows" ? 4 * at : 4 * row)),
          local.set(low, multiplyAdd(tiling, local.get(value), local.get(b0), local.get(low))),
          local.set(high, multiplyAdd(tiling, local.get(value), local.get(b1), local.get(high))),
        );
      });
      if (form === "columns") parts.push(local.set(left, i32.add(local.get(left), local.get(leftStride))));
      return parts;
    };
    const advance = (count: number): readonly Statement[] =>
      form === "rows"
        ? pointers.locals.map((each) => local.set(each, i32.add(local.get(each), i32.const(4 * count))))
        : [];
    const steps = (count: number): readonly Statement[] => [
      ...Array.from({ length: count }, (_, at) => step(at)).flat(),
      ...advance(count),
    ];
    builder.finish(
      ...pointers.statements,
      ...sums.flat().map((sum) => local.set(sum, f32x4.const(0))),
      repeatDown(k, 4, steps(4)),
      repeatDown(k, 1, steps(1)),
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

/** (out, low, high, width, add): the first `width` of eight numbers. */
export function partFunction({ module }: Tiling): Procedure {
  return module.shared("part of a row", ["i32", "v128", "v128", "i32", "i32"], "none", (builder) => {
    const out = local.get(builder.param(0, "i32"));
    const values = [local.get(builder.param(1, "v128")), local.get(builder.param(2, "v128"))];
    const width = local.get(builder.param(3, "i32"));
    const add = local.get(builder.param(4, "i32"));
    const statements = values.flatMap((vector, half) =>
      [0, 1, 2, 3].map((lane) => {
        const at = 4 * half + lane;
        const value = f32x4.extract(vector, lane);
        const before = choose(add, f32.load(out, 4 * at), f32.const(0));
        return when(i32.gt(width, i32.const(at)), [f32.store(out, f32.add(before, value), 4 * at)]);
      }),
    );
    builder.finish(...statements);
  });
}

/**
 * (left, right, out, m, k, leftStride, rightStride, outStride, width, add): all rows of one panel of columns, tile by tile. What is left
 * over is cut so that no tile is small beside a large one: 7 rows are 4 and 3, never 6 and 1.
 */
export function sweepFunction(tiling: Tiling, form: LeftForm): Procedure {
  return tiling.module.shared(`sweep ${form}`, [...TILE_PARAMS, "i32"], "none", (builder) => {
    const [left, right, out, m, k, leftStride, rightStride, outStride, width, add] = paramsOf(builder, 10);
    if (!left || !right || !out || !m || !k || !leftStride || !rightStride || !outStride || !width || !add) return;
    const most = mostRows(tiling);
    const tile = (rows: number): readonly Statement[] => [
      call(
        tileFunction(tiling, form, rows),
        ...[left, right, out, k, leftStride, rightStride, outStride, width, add].map((each) => local.get(each)),
      ),
      local.set(m, i32.sub(local.get(m), i32.const(rows))),
      local.set(
        left,
        i32.add(
          local.get(left),
          form === "rows" ? i32.mul(local.get(leftStride), i32.const(rows)) : i32.const(4 * rows),
        ),
      ),
      local.set(out, i32.add(local.get(out), i32.mul(local.get(outStride), i32.const(rows)))),
    ];
    const left_ = (): I32 => local.get(m);
    // With tiles of 6, what is below 9 but not 6 is cut into 5, 4, 3, 2, 1 or 4 + rest.
    const large =
      most === 6 ? i32.or(i32.ge(left_(), i32.const(9)), i32.eq(left_(), i32.const(6))) : i32.ge(left_(), i32.const(4));
    const middle = most === 6 ? i32.or(i32.eq(left_(), i32.const(4)), i32.ge(left_(), i32.const(7))) : i32.const(0);
    const small = Array.from({ length: most - 1 }, (_, index) => index + 1).reduceRight<readonly Statement[]>(
      (otherwise, rows) =>
        rows === 4 && most === 6 ? otherwise : [when(i32.eq(left_(), i32.const(rows)), tile(rows), otherwise)],
      [],
    );
    builder.finish(
      block(
        loop(
          branchIf(1, i32.le(left_(), i32.const(0))),
          when(large, tile(most), most === 6 ? [when(middle, tile(4), small)] : small),
          branchIf(0, i32.const(1)),
        ),
      ),
    );
  });
}
