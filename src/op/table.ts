import type { Op } from "../ir/op.ts";
import { contract } from "./contract.ts";
import * as maps from "./map.ts";
import { concat, expand, gather, pad, put, rename, reshape, scatter, slice } from "./move.ts";
import { argmax, argmin, reduce } from "./reduce.ts";
import { scan } from "./region.ts";
import { constant, extent, iota, random } from "./source.ts";
import { collect, collectSuffix, prefix, shift, suffix, unwindow, window } from "./window.ts";

/** The whole vocabulary. An elementwise op is in it by being exported from map.ts. */
export const OPS: readonly Op[] = [
  ...[constant, iota, extent, random],
  ...Object.values(maps),
  ...[expand, rename, gather, scatter, slice, pad, concat, reshape, put],
  ...[shift, window, unwindow, prefix, suffix, collect, collectSuffix],
  ...[reduce, argmax, argmin],
  contract,
  scan,
];

/** The op of a name, as the text form writes it. */
export function opByName(name: string): Op | undefined {
  return OPS.find((op) => op.name === name);
}
