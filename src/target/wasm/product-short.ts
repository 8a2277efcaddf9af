import {
  block,
  branchIf,
  call,
  choose,
  f32x4,
  i32,
  local,
  loop,
  type Procedure,
  type Statement,
  type V128,
  v128,
  when,
} from "./encode-code.ts";
import {
  type LeftForm,
  multiplyAdd,
  PANEL,
  partFunction,
  SEGMENT,
  SEGMENT_BYTES,
  type Tiling,
} from "./product-tile.ts";

/** Rows of the one tile: what is left over below it is computed with the last row instead, and not stored. */
const ROWS = 4;
/** Steps along k between two questions whether that was all. */
const STEPS = 4;

const PARAMS = Array.from({ length: 8 }, () => "i32" as const);

/**
 * (segments, count, row, end, n, out, outStride, add): what `matrixFunction` computes, in a third of the code: one tile for all
 * numbers of rows.
 */
export function shortMatrixFunction(tiling: Tiling, form: LeftForm): Procedure {
  return tiling.module.shared(`matrix ${form}`, PARAMS, "none", (builder) => {
    const [segments, count, row, end, n, out, outStride, add] = PARAMS.map((type, index) => builder.param(index, type));
    if (!segments || !count || !row || !end || !n || !out || !outStride || !add) return;
    const variable = () => builder.local("i32");
    const [column, at, to, segment, terms, k] = [
      variable(),
      variable(),
      variable(),
      variable(),
      variable(),
      variable(),
    ];
    const [leftStride, rightStride, right] = [variable(), variable(), variable()];
    const pointers = Array.from({ length: form === "rows" ? ROWS : 1 }, variable);
    const sums = Array.from({ length: ROWS }, () => [builder.local("v128"), builder.local("v128")] as const);
    const [b0, b1, value] = [builder.local("v128"), builder.local("v128"), builder.local("v128")];
    const get = local.get;
    const forward = (pointer: typeof at, by: typeof column | number): Statement =>
      local.set(pointer, i32.add(get(pointer), typeof by === "number" ? i32.const(by) : get(by)));
    const field = (name: keyof typeof SEGMENT) => i32.load(get(segment), SEGMENT[name]);
    const rowStep = form === "rows" ? get(leftStride) : i32.const(4);
    const panel = i32.shrUnsigned(get(column), i32.const(3));
    const inPanel = i32.add(
      i32.mul(i32.and(panel, i32.const(-4)), field("four")),
      i32.mul(i32.and(panel, i32.const(3)), field("panel")),
    );
    const rowsLeft = i32.sub(get(end), get(at));
    const open = [
      local.set(leftStride, field("leftStride")),
      local.set(rightStride, field("rightStride")),
      ...pointers.map((pointer, index) => {
        const before = pointers[index - 1];
        if (before === undefined) return local.set(pointer, i32.add(field("left"), i32.mul(get(at), rowStep)));
        const isThere = i32.gt(rowsLeft, i32.const(index));
        return local.set(pointer, i32.add(get(before), choose(isThere, get(leftStride), i32.const(0))));
      }),
      local.set(right, i32.add(field("right"), inPanel)),
      local.set(k, field("k")),
    ];
    const step = (place: number): readonly Statement[] => [
      local.set(b0, v128.load(get(right))),
      local.set(b1, v128.load(get(right), 16)),
      forward(right, rightStride),
      ...sums.flatMap(([low, high], index) => {
        const pointer = pointers[form === "rows" ? index : 0] ?? at;
        return [
          local.set(value, v128.load32Splat(get(pointer), 4 * (form === "rows" ? place : index))),
          local.set(low, multiplyAdd(tiling, get(value), get(b0), get(low))),
          local.set(high, multiplyAdd(tiling, get(value), get(b1), get(high))),
        ];
      }),
      ...(form === "columns" ? pointers.map((pointer) => forward(pointer, leftStride)) : []),
    ];
    const steps = (many: number): Statement =>
      block(
        branchIf(0, i32.lt(get(k), i32.const(many))),
        loop(
          ...Array.from({ length: many }, (_, place) => step(place)).flat(),
          ...(form === "rows" ? pointers.map((pointer) => forward(pointer, 4 * many)) : []),
          forward(k, -many),
          branchIf(0, i32.ge(get(k), i32.const(many))),
        ),
      );
    // V8's revectorizer fails where a sum itself is an argument.
    const argument = (sum: typeof b0): V128 => v128.or(get(sum), f32x4.const(0));
    const store = sums.flatMap(([low, high], index) => [
      when(i32.gt(rowsLeft, i32.const(index)), [
        call(partFunction(tiling), get(to), argument(low), argument(high), i32.sub(get(n), get(column)), get(add)),
      ]),
      forward(to, outStride),
    ]);
    const tile = [
      ...sums.flat().map((sum) => local.set(sum, f32x4.const(0))),
      local.set(segment, get(segments)),
      local.set(terms, get(count)),
      loop(
        ...open,
        steps(STEPS),
        steps(1),
        forward(segment, SEGMENT_BYTES),
        forward(terms, -1),
        branchIf(0, get(terms)),
      ),
      ...store,
      forward(at, ROWS),
    ];
    const whileBelow = (counter: typeof at, limit: typeof n, body: readonly Statement[]): Statement =>
      block(
        branchIf(0, i32.ge(get(counter), get(limit))),
        loop(...body, branchIf(0, i32.lt(get(counter), get(limit)))),
      );
    builder.finish(
      whileBelow(column, n, [
        local.set(at, get(row)),
        local.set(to, i32.add(get(out), i32.shl(get(column), i32.const(2)))),
        whileBelow(at, end, tile),
        forward(column, PANEL),
      ]),
    );
  });
}
