import { sizeConstant } from "../../ir/size.ts";
import type { ProductsAction } from "../../plan/joined.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Extent, Product } from "../../plan/product.ts";
import { add, type Kernel, multiply, type Ownership, sizeTerm } from "./context.ts";
import { copyKey } from "./copies.ts";
import { loadCode, type Positions, startOf, storeTo, sumOf } from "./memory.ts";
import { placeOf } from "./place-of.ts";
import { integer, type Term } from "./shader.ts";

/** A sum of products for the four rows that a group of threads owns: what a column of the right matrix gives is read once for all of them. */
export interface RowsWork {
  readonly output: ProductsAction["output"];
  readonly products: readonly Product[];
  readonly n: Extent;
}

/** The sum as such, where the rows of every product are positions of the owned axis; undefined where they are not. */
export function planRows({ output, terms }: ProductsAction, axis: string): RowsWork | undefined {
  const products = terms.flatMap(({ product }) => product ?? []);
  const [first] = products;
  if (first === undefined || products.length < terms.length) return undefined;
  const fits = products.every(
    ({ m, n, around, over }) =>
      m.axes.map(({ id }) => id).join() === axis &&
      around.length === 0 &&
      over.length === 0 &&
      n.axes.map(({ id }) => id).join() === first.n.axes.map(({ id }) => id).join(),
  );
  return fits ? { output, products, n: first.n } : undefined;
}

/** Every thread of the group takes columns, and adds up all rows of one at a time, in a vector; rows that are none repeat the last one. */
export function writeRows(kernel: Kernel, owned: Ownership, plan: Plan, { output, products, n }: RowsWork): void {
  const columns = sizeTerm(kernel, n.size);
  const last = add(kernel, add(kernel, owned.first, owned.count), integer(-1));
  const rows = kernel.bind(0, "int", `min(${owned.first.code} + vec4i(0, 1, 2, 3), vec4i(${last.code}))`, "rows");
  kernel.block(`for (var item = thread; item < ${columns.code}; item += ${kernel.threads})`, () => {
    const column: Term = { code: "item", depth: kernel.depth(), dtype: "int" };
    const sum = kernel.variable("vec4f", "vec4f()");
    for (const product of products) addProduct(kernel, product, column, rows, sum);
    kernel.repeat(
      owned.count,
      (row) => {
        const here = add(kernel, owned.first, row);
        const positions = new Map([[owned.axis, here], ...columnPositions(kernel, n, column)]);
        const value: Term = { code: `${sum}[${row.code}]`, depth: kernel.depth(), dtype: "float" };
        storeTo(kernel, placeOf(plan, output), positions, value);
      },
      "row",
    );
  });
}

function columnPositions(kernel: Kernel, { axes }: Extent, column: Term): Positions {
  const found = new Map<string, Term>();
  let rest = column.code;
  axes.toReversed().forEach((axis, index) => {
    const size = sizeTerm(kernel, axis.size);
    const isLast = index === axes.length - 1;
    found.set(axis.id, kernel.bind(kernel.depth(), "int", isLast ? rest : `(${rest}) % ${size.code}`, axis.id));
    rest = `(${rest}) / ${size.code}`;
  });
  return found;
}

function addProduct(kernel: Kernel, product: Product, column: Term, rows: Term, sum: string): void {
  const { left, m, k } = product;
  const start = sumOf(kernel, [startOf(kernel, left), multiply(kernel, rows, sizeTerm(kernel, m.left))]);
  const right = rightOf(kernel, product, column);
  kernel.repeat(sizeTerm(kernel, k.size), (index) => {
    const along = (from: Term, stride: Term): Term => add(kernel, from, multiply(kernel, index, stride));
    const far = along(right.start, right.stride);
    const factor = kernel.bind(kernel.depth(), "float", loadCode(far.code, "float"), "weight");
    const at = along(start, sizeTerm(kernel, k.left)).code;
    const own = ["x", "y", "z", "w"].map((row) => `arena[${at}.${row}]`).join(", ");
    kernel.line(`${sum} += ${factor.code} * bitcast<vec4f>(vec4u(${own}));`);
  });
}

/** Where a column of the right matrix starts, and how far its entries are apart: of the copy whose neighbouring columns lie next to one another, where there is one. */
function rightOf(kernel: Kernel, product: Product, column: Term): { readonly start: Term; readonly stride: Term } {
  const { right, n, k } = product;
  const copy = kernel.copies.get(copyKey(product));
  if (copy !== undefined) {
    const start = kernel.bind(0, "int", copy.code, "at_copy");
    return { start: add(kernel, start, column), stride: integer(sizeConstant(n.size) ?? 0) };
  }
  const start = sumOf(kernel, [startOf(kernel, right), multiply(kernel, column, sizeTerm(kernel, n.right))]);
  return { start, stride: sizeTerm(kernel, k.right) };
}
