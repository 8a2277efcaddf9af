import type { SizeBinding } from "../ir/size.ts";
import { stridesOf } from "../ir/tensor.ts";
import { numberOf, type SizeOf, type Sizes, sizesOf } from "../plan/bound-size.ts";
import { type Arrangement, layOutMemory, type MemoryLayout } from "../target/wasm/bind.ts";
import type { ModuleSlot, WasmModule } from "../target/wasm/module.ts";
import { isDense, planWalk, type Walk } from "./strided.ts";

/** What a choice of sizes makes of a program. */
export interface Binding {
  readonly sizes: Sizes;
  readonly layout: MemoryLayout;
  /** How a param or result of the program lies. */
  readonly open: (slot: PlacedSlot) => OpenSlot;
}

/** A param or result whose cell is known. */
export interface PlacedSlot extends ModuleSlot {
  readonly cell: number;
}

export interface OpenSlot {
  readonly slot: PlacedSlot;
  readonly shape: readonly number[];
  /** Behind the cell's address, in elements. */
  readonly offset: number;
  /** From memory to a row-major array, and back. */
  readonly read: Walk;
  readonly write: Walk;
  /** Whether it lies in memory as it is read. */
  readonly dense: boolean;
}

/** So many choices of sizes are remembered. */
const MOST = 100;

/** Batches of sequences come back to the same lengths, and laying out memory takes longer than a small step. */
export function createBindings(module: WasmModule, arrangement: Arrangement): (sizes: SizeBinding) => Binding {
  const known = new Map<string, Binding>();
  return (binding) => {
    const key = [...binding].join();
    const before = known.get(key);
    if (before !== undefined) return before;
    const made = bindSizes(module, sizesOf(module, binding), arrangement);
    const [oldest] = known.keys();
    if (known.size === MOST && oldest !== undefined) known.delete(oldest);
    known.set(key, made);
    return made;
  };
}

function bindSizes(module: WasmModule, sizes: Sizes, arrangement: Arrangement): Binding {
  const slots = new Map<PlacedSlot, OpenSlot>();
  const open = (slot: PlacedSlot): OpenSlot => {
    const before = slots.get(slot);
    if (before !== undefined) return before;
    const made = openSlot(slot, sizes);
    slots.set(slot, made);
    return made;
  };
  return { sizes, layout: layOutMemory(module, sizes, arrangement), open };
}

function openSlot(slot: PlacedSlot, sizes: Sizes): OpenSlot {
  const numbers = (all: readonly SizeOf[]): readonly number[] => all.map((size) => numberOf(size, sizes));
  const shape = numbers(slot.shape);
  const rowMajor = stridesOf(shape);
  const strides = slot.strides === undefined ? rowMajor : numbers(slot.strides);
  const read = planWalk(shape, strides, rowMajor);
  return {
    slot,
    shape,
    offset: numberOf(slot.offset ?? 0, sizes),
    read,
    dense: isDense(read),
    write: planWalk(shape, rowMajor, strides),
  };
}
