import { add, type Kernel, multiply, sizeTerm, subtract } from "./context.ts";
import { loadCode, sumOf } from "./memory.ts";
import { integer, type Term } from "./shader.ts";
import { type FinishTile, type Frame, finishAt, forParts, openFrame, type Round, type TileWork } from "./tile.ts";

/**
 * The same work without shared memory: every thread reads what its own entries need, each number for several of them. No thread waits for
 * another, which suits a processor.
 */
export function writeDirectTile(kernel: Kernel, work: TileWork, group: Term, finish: FinishTile): void {
  const frame = openFrame(kernel, work, group);
  const { down, x, y, wide } = frame;
  const { across } = work.tile;
  const rows = Array.from({ length: down }, (_, row) =>
    add(kernel, add(kernel, multiply(kernel, y, integer(down)), frame.top), integer(row)),
  );
  const columns = Array.from({ length: across }, (_, column) =>
    add(kernel, add(kernel, x, frame.left), integer(column * wide)),
  );
  const entries = down * across;
  const sums = Array.from({ length: work.sums * entries }, () => kernel.variable("f32", "0.0f"));
  for (const round of work.rounds) writeRound(frame, round, { rows, columns, sums });
  // What is done with a position stands in the code once.
  const all = kernel.variable(`array<f32, ${sums.length}>`, `array<f32, ${sums.length}>(${sums.join(", ")})`, "all");
  kernel.block(`for (var entry = 0; entry < ${entries}; entry++)`, () => {
    const here = kernel.depth();
    const at = (code: string, hint: string): Term => kernel.bind(here, "int", code, hint);
    const row = at(`${rows[0]?.code ?? 0} + entry / ${across}`, "row");
    const column = at(`${columns[0]?.code ?? 0} + entry % ${across} * ${wide}`, "column");
    finishAt(frame, row, column, (sum) => `${all}[${sum * entries} + entry]`, finish);
  });
}

interface Own {
  readonly rows: readonly Term[];
  readonly columns: readonly Term[];
  /** Sum by sum, row by row. */
  readonly sums: readonly string[];
}

/** Rows and columns that are outside read what the last one reads; nobody takes what comes of it. */
function writeRound(frame: Frame, round: Round, { rows, columns, sums }: Own): void {
  const { kernel } = frame;
  const within = (position: Term, limit: Term): Term => {
    const last = subtract(kernel, limit, integer(1));
    return kernel.bind(Math.max(position.depth, last.depth), "int", `min(${position.code}, ${last.code})`);
  };
  forParts(frame, round, (starts, depth) => {
    const { left, rights } = round;
    const alongLeft = rows.map((row) =>
      sumOf(kernel, [starts.left, multiply(kernel, within(row, frame.rows), sizeTerm(kernel, left.m.left))]),
    );
    const alongRights = rights.map(({ product }, index) =>
      columns.map((column) => {
        const far = multiply(kernel, within(column, frame.columns), sizeTerm(kernel, product.n.right));
        return sumOf(kernel, [starts.rights[index] ?? integer(0), far]);
      }),
    );
    kernel.repeat(depth, (k) => {
      const here = kernel.depth();
      const load = (start: Term, stride: Term, hint: string): Term =>
        kernel.bind(here, "float", loadCode(add(kernel, start, multiply(kernel, k, stride)).code, "float"), hint);
      const lefts = alongLeft.map((start) => load(start, sizeTerm(kernel, left.k.left), "a"));
      rights.forEach(({ sum, product }, index) => {
        const factors = (alongRights[index] ?? []).map((start) => load(start, sizeTerm(kernel, product.k.right), "b"));
        lefts.forEach((a, row) => {
          factors.forEach((b, column) => {
            const own = sums[sum * lefts.length * factors.length + row * factors.length + column];
            kernel.line(`${own} += ${a.code} * ${b.code};`);
          });
        });
      });
    });
  });
}
