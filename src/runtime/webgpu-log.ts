import type { BoundSlot } from "../target/webgpu/bind.ts";
import { COPY_DST, MAP_READ, MODE_READ } from "./gpu-constants.ts";
import { arrayOf, type GpuArray, wordsSpanned } from "./webgpu-array.ts";

/** Copies of arrays that pile up on a device, to be read together: only reading waits for it. */
export interface GpuLog {
  /** Records copies of some slots of an arena, as one entry; how many bytes they are. */
  append(encoder: GPUCommandEncoder, arena: GPUBuffer, slots: readonly BoundSlot[]): number;
  /** All entries since the last reading, in order; their copies must have been submitted. */
  read(): Promise<readonly (readonly GpuArray[])[]>;
  dispose(): void;
}

/** Entries behind one another in memory that the host can map. */
interface Page {
  readonly buffer: GPUBuffer;
  readonly entries: (readonly BoundSlot[])[];
  used: number;
}

/** `pageBytes` is the memory that entries share; what is larger gets memory of its own. */
export function createGpuLog(device: GPUDevice, pageBytes = 4): GpuLog {
  let pages: Page[] = [];
  return {
    append(encoder, arena, slots) {
      const bytes = slots.reduce((sum, slot) => sum + 4 * wordsSpanned(slot), 0);
      let page = pages.at(-1);
      if (page === undefined || page.used + bytes > page.buffer.size) {
        const size = Math.max(bytes, pageBytes);
        const buffer = device.createBuffer({ label: "log", size, usage: MAP_READ | COPY_DST });
        page = { buffer, entries: [], used: 0 };
        pages.push(page);
      }
      for (const slot of slots) {
        const length = 4 * wordsSpanned(slot);
        encoder.copyBufferToBuffer(arena, 4 * slot.start, page.buffer, page.used, length);
        page.used += length;
      }
      page.entries.push(slots);
      return bytes;
    },
    async read() {
      const taken = pages;
      pages = [];
      return (await Promise.all(taken.map(readPage))).flat();
    },
    dispose() {
      for (const { buffer } of pages) buffer.destroy();
      pages = [];
    },
  };
}

/** Losses are few numbers: enough for many steps. */
export const LOG_BYTES = 4096;

async function readPage({ buffer, entries }: Page): Promise<readonly (readonly GpuArray[])[]> {
  await buffer.mapAsync(MODE_READ);
  const data = buffer.getMappedRange().slice(0);
  buffer.destroy();
  let at = 0;
  return entries.map((slots) =>
    slots.map((slot) => {
      const start = at;
      at += 4 * wordsSpanned(slot);
      return arrayOf(slot, data.slice(start, at));
    }),
  );
}
