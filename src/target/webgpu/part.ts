import type { Size } from "../../ir/size.ts";
import type { Axis } from "../../ir/type.ts";
import type { Kernel } from "./context.ts";
import type { Positions } from "./memory.ts";
import type { Reduction } from "./reduction.ts";
import type { RowsWork } from "./rows.ts";
import type { Term } from "./shader.ts";
import type { FinishTile, TileWork } from "./tile.ts";

/** Work of one kind on many positions, which do not need one another. */
export type Part = {
  readonly label: string;
  /** Positions, outermost first: neighbours along the last lie next to one another in memory. */
  readonly axes: readonly Axis[];
} & (
  | { readonly kind: "each"; readonly body: (kernel: Kernel, positions: Positions) => void }
  | { readonly kind: "rows"; readonly work: RowsWork }
  | { readonly kind: "tile"; readonly work: TileWork; readonly finish: FinishTile }
  | {
      readonly kind: "reduce";
      /** How many terms a result has, as a product, and whether neighbours among them lie next to one another. */
      readonly shape: { readonly terms: readonly Size[]; readonly rows: boolean };
      /** Of one kind; with more than one, their results are joined as well. */
      readonly reductions: (kernel: Kernel) => readonly Reduction[];
      readonly finish: (kernel: Kernel, positions: Positions, value: Term) => void;
    }
);
