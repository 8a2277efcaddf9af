import { add, divide, type Kernel, multiply, remainder, sizeTerm, subtract } from "./context.ts";
import { loadCode, sumOf } from "./memory.ts";
import { integer, type Term } from "./shader.ts";
import { THREAD } from "./thread.ts";
import { type FinishTile, type Frame, finishAt, forParts, openFrame, type Round, type TileWork } from "./tile.ts";
import { QUAD } from "./tile-quads.ts";

/**
 * The same work without shared memory: every thread reads what its own entries need, each number for several of them. No thread waits for
 * another, which suits a processor. To it a read is work, for four threads at a time: so the four of a quad, which have the same rows, read
 * a quarter of the left matrix each and hand it on. What differs from thread to thread in a tile is then which row a sum is of.
 */
export function writeDirectTile(kernel: Kernel, work: TileWork, group: Term, finish: FinishTile): void {
  const frame = openFrame(kernel, work, group);
  const own = ownOf(kernel, frame);
  for (const round of work.rounds) writeRound(frame, own, round);
  const { down, across, sums } = own;
  const entries = down * across;
  // What is done with a position stands in the code once.
  const all = kernel.variable(`array<f32, ${sums.length}>`, `array<f32, ${sums.length}>(${sums.join(", ")})`, "all");
  const limit = kernel.bind(0, "int", `select(0, ${entries}, ${own.isInside})`, "entries");
  kernel.block(`for (var entry = 0; entry < ${limit.code}; entry++)`, () => {
    const here = kernel.depth();
    const at = (code: string, hint: string): Term => kernel.bind(here, "int", code, hint);
    // To a processor a division is work for each thread; a shift is not.
    const place = across === 1 ? "entry" : `(entry >> ${Math.log2(across)}u)`;
    const row = at(`${own.top.code} + ${kernel.subgroups ? `(${place} ^ ${own.lane.code})` : place}`, "row");
    const column = across === 1 ? own.left : at(`${own.left.code} + (entry & ${across - 1}) * ${QUAD}`, "column");
    finishAt(frame, row, column, (sum) => `${all}[${sum * entries} + entry]`, finish);
  });
}

/** What one thread has of a tile. */
interface Own {
  /** Its number in its quad. */
  readonly lane: Term;
  /** The first row of its quad, and its own first column; the others are `QUAD` apart. */
  readonly top: Term;
  readonly left: Term;
  readonly down: number;
  readonly across: number;
  /** Whether any of its quad's rows and columns are inside. */
  readonly isInside: string;
  /** Sum by sum, row by row. */
  readonly sums: readonly string[];
}

function ownOf(kernel: Kernel, { work, top, left, rows, columns }: Frame): Own {
  const { tile } = work;
  const { across } = tile;
  const beside = tile.columns / (QUAD * across);
  const down = (tile.rows * beside * QUAD) / kernel.threads;
  const lane = remainder(kernel, THREAD, integer(QUAD));
  const quad = divide(kernel, THREAD, integer(QUAD));
  const first = add(kernel, left, multiply(kernel, remainder(kernel, quad, integer(beside)), integer(QUAD * across)));
  const own = {
    ...{ lane, down, across },
    top: add(kernel, top, multiply(kernel, divide(kernel, quad, integer(beside)), integer(down))),
    left: add(kernel, first, lane),
  };
  const isInside = kernel.bind(
    0,
    "bool",
    `${own.top.code} < ${rows.code} && ${first.code} < ${columns.code}`,
    "inside",
  ).code;
  return {
    ...own,
    isInside,
    sums: Array.from({ length: work.sums * down * across }, () => kernel.variable("f32", "0.0f")),
  };
}

/** Positions of k that are read before they are added up: to a processor a sum that changes is work as well. */
const AHEAD = 2;
/** Up to so many positions of k the code is not worth it. */
const FEW = 16;

/** Rows and columns that are outside read what the last one reads; nobody takes what comes of it. */
function writeRound(frame: Frame, own: Own, round: Round): void {
  const { kernel } = frame;
  forParts(frame, round, (starts, depth) => {
    const steps = stepsOf(frame, own, round, starts);
    // Of quads that have nothing there is no position, so that the others do not wait for them.
    const at = Math.max(depth.depth, starts.left.depth);
    const limit = kernel.bind(
      Math.min(at, kernel.depth()),
      "int",
      `select(0, ${depth.code}, ${own.isInside})`,
      "limit",
    );
    const ahead = (depth.constant ?? Number.POSITIVE_INFINITY) <= FEW ? 1 : AHEAD;
    kernel.block(`for (var k = 0; k < ${limit.code}; k += ${ahead})`, () => {
      const first: Term = { code: "k", depth: kernel.depth(), dtype: "int" };
      steps(Array.from({ length: ahead }, (_, index) => positionOf(kernel, first, index, depth, ahead)));
    });
  });
}

/** A position of k, and whether there is one: always, where that is not said. */
interface Position {
  readonly at: Term;
  readonly isThere?: Term;
}

/** The first of some is always there. */
function positionOf(kernel: Kernel, first: Term, index: number, depth: Term, ahead: number): Position {
  const at = add(kernel, first, integer(index));
  if (index === 0 || (depth.constant ?? 1) % ahead === 0) return { at };
  const last = subtract(kernel, depth, integer(1));
  return {
    at: kernel.bind(at.depth, "int", `min(${at.code}, ${last.code})`),
    isThere: kernel.bind(at.depth, "bool", `${at.code} < ${depth.code}`, "there"),
  };
}

/** Writes what is added up at some positions of k. */
function stepsOf(
  { kernel, rows, columns }: Frame,
  own: Own,
  { left, rights }: Round,
  starts: { readonly left: Term; readonly rights: readonly Term[] },
): (positions: readonly Position[]) => void {
  const { lane, down, across, sums } = own;
  const within = (position: Term, limit: Term): Term => {
    const last = subtract(kernel, limit, integer(1));
    return kernel.bind(Math.max(position.depth, last.depth), "int", `min(${position.code}, ${last.code})`);
  };
  const along = (start: Term, position: Term, limit: Term, stride: Term): Term =>
    sumOf(kernel, [start, multiply(kernel, within(position, limit), stride)]);
  const handed = kernel.subgroups ? QUAD : 1;
  const alongLeft = Array.from({ length: down / handed }, (_, index) => {
    const row = add(kernel, own.top, integer(index * handed));
    return along(starts.left, handed > 1 ? add(kernel, row, lane) : row, rows, sizeTerm(kernel, left.m.left));
  });
  const alongRights = rights.map(({ product }, index) =>
    Array.from({ length: across }, (_, column) => {
      const position = add(kernel, own.left, integer(column * QUAD));
      return along(starts.rights[index] ?? integer(0), position, columns, sizeTerm(kernel, product.n.right));
    }),
  );
  return (positions) => {
    const here = kernel.depth();
    const load = (start: Term, stride: Term, { at, isThere }: Position, hint: string): Term => {
      const address = add(kernel, start, multiply(kernel, at, stride));
      const read = kernel.bind(here, "float", loadCode(address.code, "float"), hint);
      if (isThere === undefined) return read;
      return kernel.bind(here, "float", `select(0.0f, ${read.code}, ${isThere.code})`, hint);
    };
    const lefts = positions.map((position) =>
      alongLeft.flatMap((start) => {
        const a = load(start, sizeTerm(kernel, left.k.left), position, "a");
        return SWAPS.slice(0, handed).map((swap) =>
          swap === "" ? a : kernel.bind(here, "float", `${swap}(${a.code})`, "a"),
        );
      }),
    );
    if (handed > 1) kernel.enable("quads");
    rights.forEach(({ sum, product }, right) => {
      const factors = positions.map((position) =>
        (alongRights[right] ?? []).map((start) => load(start, sizeTerm(kernel, product.k.right), position, "b")),
      );
      for (let entry = 0; entry < down * across; entry++) {
        const name = sums[sum * down * across + entry];
        const terms = positions.map((_, index) => {
          const [a, b] = [lefts[index]?.[Math.floor(entry / across)], factors[index]?.[entry % across]];
          return `${a?.code} * ${b?.code}`;
        });
        kernel.line(`${name} = ${[name, ...terms].join(" + ")};`);
      }
    });
  };
}

/** What the others of a quad have read: thread t gets what thread t ^ 0, 1, 2 or 3 has. */
const SWAPS = ["", "quadSwapX", "quadSwapY", "quadSwapDiagonal"] as const;
