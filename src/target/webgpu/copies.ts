import { constantSize, multiplySizes, sizeConstant } from "../../ir/size.ts";
import { type Level, type LoopAction, writtenCells } from "../../plan/levels.ts";
import type { Action, Plan } from "../../plan/plan.ts";
import { type Product, packKey } from "../../plan/product.ts";
import type { Loop } from "../../plan/value.ts";
import { add, type Kernel, multiply, sizeTerm } from "./context.ts";
import { addressOfProduct, loadCode } from "./memory.ts";
import type { Part } from "./part.ts";
import { tableCode } from "./shader-text.ts";

/** A right matrix laid out anew before a loop, its rows as runs of memory, so that threads next to one another read what lies next to one another. */
export interface Copy {
  readonly key: string;
  readonly cell: number;
  /** How code reads where it starts. */
  readonly code: string;
  readonly product: Product;
  readonly loop: Loop;
}

/** With fewer entries the matrix stays in the nearest cache as it lies. */
const LEAST = 1024;

export function copyKey(product: Product): string {
  return packKey(product);
}

/** Copies of the matrices that a loop's steps read and nobody writes from the level before on. */
export function copiesFor(plan: Plan, { loop, body }: LoopAction, level: Level, before: Level): readonly Copy[] {
  const written = new Set([...writtenCells(plan, level), ...writtenCells(plan, before)]);
  const found = new Map<string, Copy>();
  for (const product of productsIn(body)) {
    const [n, k] = [sizeConstant(product.n.size), sizeConstant(product.k.size)];
    const { right, around, over } = product;
    if (n === undefined || k === undefined || n * k < LEAST || sizeConstant(product.n.right) === 1) continue;
    if (right.steps.length > 0 || around.length > 0 || over.length > 0 || written.has(right.cell)) continue;
    const key = copyKey(product);
    if (found.has(key)) continue;
    const bytes = multiplySizes(multiplySizes(product.n.size, product.k.size), constantSize(4));
    const { cell } = plan.cells.buffer("copy", bytes, { kept: true, at: 0 });
    found.set(key, { key, cell, code: tableCode(cell), product, loop });
  }
  return [...found.values()];
}

function productsIn(actions: readonly Action[]): readonly Product[] {
  return actions.flatMap((action) => {
    if (action.kind === "loop") return productsIn(action.body);
    return action.kind === "products" ? action.terms.flatMap(({ product }) => product ?? []) : [];
  });
}

export function copyPart({ code, product }: Copy): Part {
  const { right, n, k } = product;
  const [row, column] = ["k", "n"];
  return {
    kind: "each",
    label: "copy",
    axes: [
      { id: row, size: k.size },
      { id: column, size: n.size },
    ],
    body: (kernel: Kernel, positions) => {
      const [at, along] = [positions.get(row), positions.get(column)];
      if (at === undefined || along === undefined) throw new Error("internal: a copy has no positions");
      const from = addressOfProduct(kernel, right, [
        [along, n.right],
        [at, k.right],
      ]);
      const to = add(kernel, multiply(kernel, at, sizeTerm(kernel, n.size)), along);
      kernel.line(`arena[${code} + ${to.code}] = bitcast<u32>(${loadCode(from.code, "float")});`);
    },
  };
}
